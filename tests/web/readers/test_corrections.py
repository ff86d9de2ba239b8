"""The page of contacts to correct: filtered, ordered and paged in the address, settled line by line, downloaded."""

from __future__ import annotations

import csv
import io
import re

import pytest

from loan_reminders.domain.states import SkipReason
from tests.scenes.builders import a_patron
from tests.scenes.failing_contacts import NOTHING, lines, skipped
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import reply
from tests.web.client import browsing

PAGE = "/a-corriger"


@pytest.fixture(autouse=True)
def pages(installed):
    """On the test's own ledger."""


def failing(ledger, patron_id="P1", name="Camille Martin", card="2100000000017", branch="BUDRT"):
    number = a_reader(ledger, patron_id, name=name, card=card)
    skipped(ledger, a_patron(patron_id=patron_id, name=name, **NOTHING), SkipReason.NO_RECIPIENT, "email:missing")
    rows(ledger, "UPDATE corrections SET branch = :branch WHERE patron_id = :id", branch=branch, id=patron_id)
    return number


def line_of(ledger):
    [line] = lines(ledger)
    return line.correction_id


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answers = [client.get(PAGE), client.post(f"{PAGE}/1", data={"suite": "corrige"}), client.post(f"{PAGE}/liste")]
    assert [(one.status_code, "reminders_ledger" in one.text) for one in answers] == [(503, True)] * 3


def test_whoever_only_sees_figures_reads_nobodys_name(ledger):
    failing(ledger)
    with browsing("lecteur") as client:
        answers = [client.get(PAGE), client.post(f"{PAGE}/liste"), client.post(f"{PAGE}/1", data={"suite": "corrige"})]
    assert [one.status_code for one in answers] == [403] * 3
    assert len(lines(ledger)) == 1


def test_an_empty_list_says_so():
    with browsing() as client:
        assert "aucun contact n" in client.get(PAGE).text
        assert client.get(f"{PAGE}?page=2").status_code == 200


def test_a_line_says_who_what_where_and_how_often(ledger):
    number = failing(ledger)
    with browsing() as client:
        page = client.get(PAGE).text
    assert f'<a href="/lecteurs/{number}">Camille Martin</a>' in page
    for words in ("2100000000017", "aucune coordonnée", "BU Droit", 'data-label="Avis manqués">1<'):
        assert words in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Anne", "Zora"]), ("motif=no_contact", ["Anne", "Zora"]), ("motif=stop", []),
        ("motif=autre", ["Anne", "Zora"]), ("lieu=BUDRT", ["Zora"]), ("motif=no_contact&lieu=BULET", ["Anne"]),
        ("tri=lecteur&sens=desc", ["Zora", "Anne"]),
        ("tri=lecteur", ["Anne", "Zora"]), ("tri=rien", ["Anne", "Zora"]),
    ],
)  # fmt: skip
def test_what_is_asked_is_in_the_address(ledger, query, found):
    failing(ledger, "P1", "Zora", "1")
    failing(ledger, "P2", "Anne", "2", branch="BULET")
    with browsing() as client:
        page = client.get(f"{PAGE}?{query}")
    names = re.findall(r'<a href="/lecteurs/\d+">(\w+)</a>', page.text)
    assert (page.status_code, sorted(names) if "sens" not in query else names) == (200, found)


def test_a_line_that_was_put_right_leaves_and_is_kept_in_the_journal(ledger):
    failing(ledger)
    with browsing("chloé") as client:
        place = "motif=no_contact&tri=avis&page=2"
        assert f'name="ici" value="{place}"'.replace("&", "&amp;") in client.get(f"{PAGE}?{place}").text
        answer = client.post(f"{PAGE}/{line_of(ledger)}", data={"suite": "corrige", "ici": place})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?{place}")
        page = client.get(answer.headers["location"]).text
    assert 'role="status"' in page
    assert lines(ledger) == []
    assert rows(ledger, "SELECT act, who FROM journal") == [("contact_corrected", "chloé")]


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({}, 400, "ce qui a été fait"), ({"suite": "x"}, 400, "ce qui a été fait"),
        ({"suite": "ignore"}, 400, "dire pourquoi"), ({"suite": "ignore", "raison": " . "}, 400, "dire pourquoi"),
    ],
)  # fmt: skip
def test_a_line_is_not_ignored_without_a_reason(ledger, form, status, words):
    failing(ledger)
    with browsing() as client:
        answer = client.post(f"{PAGE}/{line_of(ledger)}", data=form)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert len(lines(ledger)) == 1


def test_a_line_that_does_not_wait_any_more(ledger):
    failing(ledger)
    line = line_of(ledger)
    with browsing() as client:
        assert client.post(f"{PAGE}/{line}", data={"suite": "ignore", "raison": "parti"}).status_code == 303
        assert client.post(f"{PAGE}/{line}", data={"suite": "corrige"}).status_code == 404
        assert client.post(f"{PAGE}/0", data={"suite": "corrige"}).status_code == 404


def test_one_that_fails_again_tells_what_was_said_before(ledger):
    failing(ledger)
    with browsing("chloé") as client:
        client.post(f"{PAGE}/{line_of(ledger)}", data={"suite": "ignore", "raison": "parti au Chili"})
        skipped(ledger, a_patron(**NOTHING), SkipReason.NO_RECIPIENT, "email:missing", day=3)
        page = client.get(PAGE).text
    assert "ignoré par chloé aujourd&#39;hui" in page
    assert "parti au Chili" in page


def test_a_suppression_is_lifted_here_for_a_reason(ledger):
    a_reader(ledger, mobile="33639980077")
    ledger.feedback().keep_replies([reply("STOP", "33639980077")])
    ledger.feedback().settle(failures=2)
    [line] = lines(ledger)
    lift = f"/desinscriptions/{line.suppression_id}/levee"
    with browsing() as client:
        assert f'action="{lift}"' in client.get(PAGE).text
        refused = client.post(lift, data={"retour": "a-corriger", "ici": "motif=stop&sens=desc"})
        assert (refused.status_code, "il faut dire pourquoi" in refused.text) == (400, True)
        assert f'action="{lift}"' in refused.text
        assert "<h1>Coordonnées à corriger" in refused.text
        assert len(lines(ledger)) == 1
        answer = client.post(lift, data={"retour": "a-corriger", "raison": "erreur", "ici": "motif=stop&sens=desc"})
    assert answer.headers["location"] == f"{PAGE}?motif=stop&sens=desc"
    assert lines(ledger) == []


def test_the_list_is_a_file_that_runs_nothing_and_who_has_it_is_kept(ledger):
    failing(ledger, name="=cmd|' /C calc'!A0")
    with browsing("chloé") as client:
        file = client.post(f"{PAGE}/liste", data={"motif": "no_contact"})
        none = client.post(f"{PAGE}/liste", data={"motif": "stop"})
    assert file.content.startswith(b"\xef\xbb\xbf")
    found = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"))
    assert found[1][:3] == ["2100000000017", "'=cmd|' /C calc'!A0", "aucune coordonnée"]
    assert none.content.count(b"\r\n") == 1
    assert (
        rows(ledger, "SELECT act, who, detail FROM journal")
        == [("list_downloaded", "chloé", "coordonnées à corriger")] * 2
    )


def test_a_long_list_has_pages(ledger):
    rows(
        ledger,
        "INSERT INTO corrections (library, patron_id, fault, contact)"
        " SELECT :library, 'P' || i, 'no_contact', 'missing' FROM generate_series(1, 120) AS i",
        library=ledger.library,
    )
    with browsing() as client:
        page = client.get(f"{PAGE}?motif=no_contact&page=3").text
    assert page.count('<th scope="row">') == 20
    assert "motif=no_contact&amp;page=2" in page
