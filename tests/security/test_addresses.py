"""What stands in addresses, and what every page keeps to, on pages that are full of a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote

import pytest

from tests.scenes.builders import DUE_DATE, a_mobile, a_patron
from tests.scenes.disputed_loan import TRACKING, a_whole_story
from tests.scenes.holds import hold
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing, routes

PERSONAL = re.compile(
    r"camille|martin\b|(?:0|33) ?6 ?12 ?34 ?56 ?78|2100000000017|\bP1\b|[ée]tranger|\b0935000123\b|\bL1\b|" + TRACKING,
    re.IGNORECASE,
)
"""Of the reader of these pages: name, addresses, number, card, loan, document and registered letter."""
ADDRESSES = re.compile(
    r"<(?:a|form|img|iframe|link|script|button)\b[^>]*?\b(?:href|action|src|formaction)=\"([^\"]*)\""
)
BY_ADDRESS = re.compile(r"<form\b(?![^>]*method=\"post\")[^>]*>(.*?)</form>", re.DOTALL)
VALUES = re.compile(r"<(?:input|option)\b[^>]*?\bvalue=\"([^\"]*)\"")
TYPED = re.compile(r"<(?:input(?![^>]*type=\"(?:date|hidden|number|month)\")|textarea)\b[^>]*>")
NO_PAGES = ("/static/", ".csv", ".png", "/cadre", "/apercu/", "/bordereau", "/lots/{batch_id}/page")


@pytest.fixture
def full(pages, ledger):
    """A ledger in which one reader was told by all channels, is suppressed and held, and looked at."""
    from tests.scenes.ledger_emails import mailed

    a_whole_story(ledger, patron=a_patron(mobile=a_mobile("33612345678")))
    hold(ledger, "P1", until=DUE_DATE.replace(year=2099))
    mailed(ledger)
    return ledger


def opened(ledger, client, *, leaving_out=NO_PAGES) -> Iterator[tuple[str, Any]]:
    """Every page that can be opened, of what is in the ledger: where it is, and what is answered."""
    [(number, batch, run, letter)] = rows(
        ledger,
        "SELECT reader_number, (SELECT max(batch_id) FROM letter_batches), (SELECT max(run_id) FROM runs),"
        " (SELECT delivery_id FROM registered_letters) FROM readers WHERE patron_id = 'P1'",
    )
    there = {"number": number, "batch_id": batch, "run_id": run, "delivery_id": letter, "stage": "overdue_notice",
             "day": "2000-01-01", "volume": 1}  # fmt: skip
    for route in routes():
        if "GET" not in route.methods or any(part in route.path for part in leaving_out):
            continue
        path = re.sub(r"{(\w+)}", lambda found: str(there[found[1]]), route.path)
        yield path, client.get(path)


def test_no_address_of_any_page_tells_of_a_reader(full):
    about_the_reader = []
    with browsing("admin") as client:
        client.post("/lecteurs", data={"recherche": "camille"})
        for path, answer in opened(full, client):
            page = answer.text
            if re.search("Camille|tranger", page):
                about_the_reader.append(path)
            for address in (path, answer.headers.get("location", ""), *ADDRESSES.findall(page)):
                assert not PERSONAL.search(unquote(unescape(address))), (path, address)
            for form in BY_ADDRESS.findall(page):
                for value in VALUES.findall(form):
                    assert not PERSONAL.search(unescape(value)), (path, value)
                assert not TYPED.search(form), f"{path}: what is typed there would stand in an address"
    assert len(about_the_reader) >= 5, about_the_reader


def test_whoever_only_sees_finds_a_reader_on_no_page_and_in_no_file(full):
    """But for *Messages*, which shows a reader who was made up, and to them no other (`tests/web/messages/`)."""
    seen = 0
    with browsing("lecteur") as client:
        for path, answer in opened(full, client, leaving_out=("/messages", ".pdf", ".png")):
            seen += answer.status_code == 200
            assert answer.status_code < 500, path
            assert not PERSONAL.search(answer.text), path
    assert seen > 8


def test_every_page_full_of_a_reader_is_kept_by_nobody_and_runs_nothing_of_its_own(full):
    with browsing("admin") as client:
        for path, answer in opened(full, client):
            assert answer.headers["cache-control"] == "no-store", path
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';"), path
            assert "unsafe" not in policy, path
            assert not re.search(r"<style|\sstyle=|<script(?! src=)|\son[a-z]+=\"|javascript:", answer.text), path


@pytest.mark.parametrize("text", ["Camille Martin", "06 12 34 56 78", "camille.martin@etu.example.fr", TRACKING, "P1"])
def test_a_search_leads_to_an_address_that_tells_nothing(full, text):
    with browsing() as client:
        found = client.post("/lecteurs", data={"recherche": text})
    assert found.status_code == 303
    assert re.fullmatch(r"/lecteurs/\d+", found.headers["location"])


def test_every_way_to_a_readers_page_is_in_the_journal(full):
    """Also the page with what is wrong, after a form that is refused: it shows as much."""
    [(number,)] = rows(full, "SELECT reader_number FROM readers WHERE patron_id = 'P1'")
    ways = (
        ("GET", f"/lecteurs/{number}", {}, 200),
        ("GET", f"/lecteurs/{number}?page=2", {}, 200),
        ("POST", f"/lecteurs/{number}/coordonnees", {}, 200),
        ("POST", "/lecteurs/suspension", {"lecteur": "P1"}, 400),
        ("POST", "/lecteurs/renvoi", {"lecteur": "P1", "canal": "email"}, 409),
    )
    for place, (method, path, form, status) in enumerate(ways):
        with browsing(f"zoé {place}") as client:
            answer = client.request(method, path, data=form or None)
        assert (answer.status_code, "Camille Martin" in answer.text) == (status, True), path
    looked = rows(full, "SELECT who, act, patron_id FROM journal WHERE who LIKE 'zoé %' ORDER BY entry_id")
    acts = ["reader_seen", "reader_seen", "contacts_shown", "reader_seen", "reader_seen"]
    assert [tuple(row) for row in looked] == [(f"zoé {place}", act, "P1") for place, act in enumerate(acts)]


def test_a_page_that_is_not_in_the_journal_is_not_shown(full):
    """The line is written before anything is shown; without it there is no page."""
    [(number,)] = rows(full, "SELECT reader_number FROM readers WHERE patron_id = 'P1'")
    rows(full, "ALTER TABLE journal ADD CONSTRAINT closed CHECK (false) NOT VALID")
    try:
        with browsing() as client:
            for answer in (client.get(f"/lecteurs/{number}"), client.post(f"/lecteurs/{number}/coordonnees")):
                assert answer.status_code >= 500
                assert "Camille" not in answer.text
    finally:
        rows(full, "ALTER TABLE journal DROP CONSTRAINT closed")
