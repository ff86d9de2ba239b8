"""The file of the mark: one that cannot be understood, is gone or is put back from long ago takes no question away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable, SendingHeld
from loan_reminders.hooks.marks import marks_of
from loan_reminders.services.marks.guard import accept, make_mark
from tests.scenes.backups import MarkInMemory, a_day, check, send
from tests.scenes.world import loan


def test_while_the_file_cannot_be_understood_nothing_leaves_until_a_person_accepts(world, file, caplog):
    a_day(world, file, 1)
    run_id = world.begin(loan(8))
    file.spoilt = True
    marks = marks_of(world.ledger)
    for _ in range(2):
        with pytest.raises(SendingHeld):
            send(world, file, run_id)
        make_mark(marks, file, run_id=run_id)  # nothing mends it behind anybody's back
    assert len(world.mailed_to()) == 1
    assert "illisible" in caplog.text
    asked = marks.open_gap()
    assert asked is not None
    assert (asked.gap.unreadable, asked.gap.proven) == (True, False)
    assert accept(marks, file, who="zoé")
    assert not file.spoilt
    assert marks.knows(file.read().mark_id)
    send(world, file, run_id)
    assert len(world.mailed_to()) == 2
    assert not accept(marks, file, who="bob")


def test_where_the_good_file_cannot_be_written_the_question_comes_again(world, file):
    a_day(world, file, 1)
    file.spoilt = file.read_only = True
    with pytest.raises(SendingHeld):
        check(world, file)
    with pytest.raises(LetterStoreUnavailable):
        accept(marks_of(world.ledger), file, who="zoé")
    with pytest.raises(SendingHeld):
        check(world, file)


def test_a_good_file_put_back_is_believed(world, file, backups):
    a_day(world, file, 1)
    backup = backups.take(world.ledger)
    a_day(world, file, 2)
    file.spoilt = True
    with pytest.raises(SendingHeld):
        check(world, file)
    file.spoilt = False
    check(world, file)
    assert marks_of(world.ledger).open_gap() is None
    world.ledger = backups.bring_back(backup)
    with pytest.raises(SendingHeld):
        check(world, file)


@pytest.mark.parametrize("then", ["gone", "older", "spoilt", "another folder"])
def test_a_witness_that_goes_away_takes_nothing_back(world, file, backups, then):
    a_day(world, file, 1)
    backup, older = backups.take(world.ledger), file.mark
    a_day(world, file, 2)
    newest = file.mark
    world.ledger = backups.bring_back(backup)
    marks = marks_of(world.ledger)
    with pytest.raises(SendingHeld):
        check(world, file)
    run_id = world.begin(loan(8))
    if then == "another folder":
        file = MarkInMemory()
    elif then == "spoilt":
        file.spoilt = True
    else:
        file.mark = older if then == "older" else None
    for _ in range(2):
        with pytest.raises(SendingHeld):
            send(world, file, run_id)
        make_mark(marks, file, run_id=run_id)
    asked = marks.open_gap()
    assert asked is not None
    assert (asked.gap.mark_id, len(asked.gap.runs)) == (newest.mark_id, 1)
    assert accept(marks, file, who="zoé")
    send(world, file, run_id)
    assert len(world.mailed_to()) == 3
    file.mark = newest  # the accepted mark counts as known
    check(world, file)


def test_a_spoilt_file_that_is_removed_takes_nothing_back(world, file):
    a_day(world, file, 1)
    file.spoilt = True
    with pytest.raises(SendingHeld):
        check(world, file)
    file.spoilt, file.mark = False, None
    with pytest.raises(SendingHeld):
        check(world, file)


def test_a_mark_of_another_installation_is_no_witness_once_ours_is_back(world, file):
    a_day(world, file, 1)
    other = MarkInMemory()
    ours = file.read()
    other.mark = replace(ours, mark_id=ours.mark_id.__class__(int=1), at=ours.at - timedelta(hours=1))
    with pytest.raises(SendingHeld):
        check(world, other)
    check(world, file)
    assert marks_of(world.ledger).open_gap() is None
