"""The list of batches, and the letters of one: filtered, ordered, a page at a time, by the address alone."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_registered import in_a_batch
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
_MORE = """
    INSERT INTO letter_batches (library, run_id, name, kind, state, pdf, csv, letters, pages, left_out, sha256)
    SELECT library, run_id, name || number, kind, 'ready', pdf, csv, number, 1000 - number, number % 7, sha256
    FROM letter_batches CROSS JOIN generate_series(1, 60) AS number WHERE batch_id = :batch_id
"""


def numbers(client, **asked):
    """The batches that the list shows in their order, and the answer."""
    answer = client.get("/lots", params=asked)
    return [int(one) for one in re.findall(r'href="/lots/(\d+)"', answer.text)], answer


@pytest.fixture
def batches(ledger):
    """One batch of letters that waits, one of registered letters that was printed."""
    _, letter, _ = closed(ledger, channel=Channel.LETTER, prefix="B")
    registered, _ = in_a_batch(ledger)
    return letter, registered


def test_batches_are_filtered_by_stage_state_and_day(ledger, batches):
    letter, registered = batches
    days = "SELECT reference_date, stage FROM runs JOIN letter_batches USING (run_id) WHERE batch_id = :id"
    [[day, stage]] = rows(ledger, days, id=letter)
    with browsing() as client:
        assert numbers(client)[0] == [registered, letter]
        assert numbers(client, etape="registered_letter")[0] == [registered]
        assert numbers(client, etape=stage)[0] == [letter]
        assert numbers(client, etat="ready")[0] == [letter]
        assert numbers(client, etat="printed", etape=stage)[0] == []
        assert letter in numbers(client, jour=str(day))[0]
        found, answer = numbers(client, jour=f"{day:%d/%m/%Y}")
        assert (letter in found, f'name="jour" type="date" value="{day}"' in answer.text) == (True, True)
        none, answer = numbers(client, jour="2000-01-01")
        assert (none, "Aucun lot pour ce filtre." in answer.text) == ([], True)


def test_an_abandoned_draft_is_shown_to_whoever_asks_for_those_alone(ledger, batches):
    letter, registered = batches
    rows(ledger, "UPDATE letter_batches SET state = 'abandoned' WHERE batch_id = :id", id=letter)
    with browsing() as client:
        for asked in ({}, {"tri": "lettres"}, {"etape": ""}):
            found, answer = numbers(client, **asked)
            assert (found, "1 lot" in answer.text) == ([registered], True)
        found, answer = numbers(client, etat="abandoned")
        assert (found, "refusé ou remplacé</span>" in answer.text) == ([letter], True)
        page = client.get(f"/lots/{letter}").text
        assert "Ce lot a été refusé, ou remplacé : rien n'en est imprimé." in page
        day = re.search(r'href="(/lots\?jour=\d\d/\d\d/\d{4})">Les lots du même jour', page)
        assert day is not None
        assert client.get(day[1]).status_code == 200
        assert "destinataires.csv" not in page


@pytest.mark.parametrize("asked", [{"etape": "x"}, {"etat": "x"}, {"jour": "x"}, {"tri": "x"}])
def test_a_filter_that_means_nothing_is_told_and_the_list_is_whole(batches, asked):
    with browsing() as client:
        found, answer = numbers(client, **asked)
    assert (answer.status_code, found, "ne se filtre pas ainsi" in answer.text) == (400, [*reversed(batches)], True)


def test_an_empty_list_says_when_a_batch_will_come():
    with browsing() as client:
        assert "le premier arrivera avec la première lettre" in client.get("/lots").text


@pytest.mark.parametrize(
    ("column", "key"), [("lettres", "letters"), ("pages", "pages"), ("retirees", "left_out"), ("lot", "batch_id")]
)
def test_batches_are_ordered_both_ways_and_fifty_a_page(ledger, batches, column, key):
    rows(ledger, _MORE, batch_id=batches[0])
    figure = {row.batch_id: row[1] for row in rows(ledger, f"SELECT batch_id, {key} FROM letter_batches")}
    with browsing() as client:
        for way, turned in (("", False), ("desc", True)):
            first, answer = numbers(client, tri=column, sens=way)
            second, _ = numbers(client, tri=column, sens=way, page=2)
            assert (len(first), len(second)) == (50, 12)
            assert sorted([*first, *second]) == sorted(figure)
            found = [figure[one] for one in [*first, *second]]
            assert found == sorted(found, reverse=turned)
            assert f"tri={column}" in answer.text.split("page=2")[0].rpartition("<a")[2]
        assert len(numbers(client, etat="ready", page=2)[0]) == 11


def test_the_letters_of_a_batch_are_ordered_and_shown_by_what_they_become(ledger, batches):
    letter = batches[0]
    rows(ledger, "UPDATE letters SET left_out = 'taken_out' WHERE batch_id = :id AND position = 2", id=letter)

    def references(client, **asked):
        text = client.get(f"/lots/{letter}", params=asked).text
        return re.findall(r'<th scope="row" class="nowrap">(REF-PB\d)</th>', text)

    with browsing() as client:
        assert references(client) == ["REF-PB0", "REF-PB1", "REF-PB2"]
        assert references(client, tri="reference", sens="desc") == ["REF-PB2", "REF-PB1", "REF-PB0"]
        assert references(client, montrer="a-poster") == ["REF-PB0", "REF-PB2"]
        assert references(client, montrer="retirees") == ["REF-PB1"]
        assert references(client, tri="n'importe", montrer="quoi") == ["REF-PB0", "REF-PB1", "REF-PB2"]
