"""What was removed is told once in the journal, and of whoever removed it: the night, or a person at a terminal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.retention.terms import Removed, Told
from loan_reminders.ledger.removal.removal import LOANS, PostgresRetention
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import LONG_AFTER, OLD, TERMS, YOUNG, Planted, plant, remove


@pytest.fixture
def three(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=number, ended_on=OLD if number < 3 else YOUNG) for number in (1, 2, 3)])
    return ledger


def told(ledger):
    lines = rows(ledger, "SELECT who, facts ->> 'day' AS day, CAST(facts ->> 'loans' AS int) AS loans FROM journal"
                         " WHERE act = 'data_erased' ORDER BY entry_id")  # fmt: skip
    assert {line.day for line in lines} <= {LONG_AFTER.isoformat()}
    return [(line.who, line.loans) for line in lines]


def comes_back(ledger, number):
    rows(ledger, "UPDATE loan_ends SET open_on = :day, ended_on = :day WHERE loan_id = :loan", day=OLD,
         loan=f"ZPRET{number}Z")  # fmt: skip


def test_what_a_person_removes_at_noon_is_told_beside_what_the_night_removed(three, tmp_path):
    remove(three, tmp_path)
    comes_back(three, 3)
    remove(three, tmp_path, who="chloé")
    remove(three, tmp_path, who="chloé")
    assert told(three) == [("relances", 2), ("chloé", 1)]
    assert {one.who for one in rows(three, "SELECT who FROM erasures WHERE told_at IS NOT NULL")} == {
        "relances",
        "chloé",
    }


def test_what_a_night_that_was_killed_removed_is_told_by_the_next_one_as_the_nights(three, tmp_path):
    """A page was removed and counted; whoever comes next tells it, and takes no credit for it."""
    removal = three.part(PostgresRetention)
    removal.remove(LOANS, TERMS, after=None, rehearse=False, who="relances")
    assert told(three) == []
    comes_back(three, 3)
    remove(three, tmp_path, who="chloé")
    assert sorted(told(three)) == [("chloé", 1), ("relances", 2)]


def test_who_removes_more_on_the_same_day_tells_only_what_is_new(three, tmp_path):
    remove(three, tmp_path)
    comes_back(three, 3)
    remove(three, tmp_path)
    assert told(three) == [("relances", 2), ("relances", 1)]


def test_a_day_is_told_before_the_next_one(three):
    removal = three.part(PostgresRetention)
    for days in (1, 0):
        terms = TERMS.on(LONG_AFTER + timedelta(days=days), loan_months=4, reader_months=12)
        removal.count_folder(terms, who="zoé")
        removal.count_folder(terms, who="zoé")
    two = Removed(folders=2)
    assert removal.tell() == [
        Told(day=LONG_AFTER, who="zoé", removed=two), Told(day=LONG_AFTER + timedelta(days=1), who="zoé", removed=two),
    ]  # fmt: skip
    assert removal.tell() == []
