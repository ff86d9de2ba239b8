"""A ledger that lacks what left lets nothing leave; one that lacks nothing is never suspected."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable, SendingHeld
from loan_reminders.domain.stages import Channel
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.marks.marks import PostgresMarks
from loan_reminders.services.marks.guard import check_complete, make_mark
from tests.scenes.backups import MarkInMemory, a_day, check, send, step
from tests.scenes.ledger_runs import rows
from tests.scenes.outside import Killed
from tests.scenes.world import DUE, loan, loans

EMAIL = Channel.EMAIL


def test_a_restored_ledger_sends_nothing_again_and_goes_on_after_the_answer(world, file, backups):
    a_day(world, file, 1)
    last_night = backups.take(world.ledger)
    a_day(world, file, 2)
    assert len(world.mailed_to()) == 2
    world.ledger = backups.bring_back(last_night)
    again = world.extract_day(DUE + timedelta(days=2), loan(2, due_date=DUE + timedelta(days=2)))
    world.plan(again)
    for _ in range(2):  # however often it looks
        with pytest.raises(SendingHeld, match="Rien ne part"):
            send(world, file, again)
    assert len(world.mailed_to()) == 2
    marks = marks_of(world.ledger)
    asked = marks.open_gap()
    assert asked is not None
    assert [(run.day, run.lost) for run in asked.gap.runs] == [(DUE + timedelta(days=3), {EMAIL: 1})]
    assert marks.accept(who="zoé", mark_id=None)
    assert not marks.accept(who="bob", mark_id=None)
    send(world, file, again)
    assert len(world.mailed_to()) == 3
    assert check(world, file) is not None
    a_day(world, file, 3)
    assert len(world.mailed_to()) == 4
    assert marks.open_gap() is None


def test_numbers_that_have_caught_up_hide_nothing(world, file, backups):
    """The restored ledger opens as many runs as it lost before anything is to leave."""
    a_day(world, file, 1)
    backup = backups.take(world.ledger)
    a_day(world, file, 2)
    a_day(world, file, 3)
    world.ledger = backups.bring_back(backup)
    opened = [world.extract_day(DUE + timedelta(days=4), loan(4, due_date=DUE + timedelta(days=4))) for _ in range(5)]
    world.plan(opened[-1])
    with pytest.raises(SendingHeld):
        send(world, file, opened[-1])
    assert len(world.mailed_to()) == 3


def test_the_answer_no_cancels_what_waits_and_goes_on_holding(world, file, backups):
    a_day(world, file, 1)
    backup = backups.take(world.ledger)
    a_day(world, file, 2)
    world.ledger = backups.bring_back(backup)
    run_id = world.begin(*loans(3))
    with pytest.raises(SendingHeld):
        send(world, file, run_id)
    assert marks_of(world.ledger).refuse(who="zoé") == 6  # three e-mails, three SMS
    assert not send(world, file, run_id)  # there is nothing to hold back, nor to do
    assert world.close(run_id).deliveries_planned == 6
    world.today = DUE + timedelta(days=6)
    after = world.extract_day(DUE + timedelta(days=5), loan(9, due_date=DUE + timedelta(days=5)))
    world.plan(after)
    with pytest.raises(SendingHeld):
        send(world, file, after)
    assert len(world.mailed_to()) == 2
    gap = marks_of(world.ledger).open_gap()
    assert gap is not None
    assert (gap.refused, gap.who) == (True, "zoé")
    acts = rows(world.ledger, "SELECT act, who FROM journal ORDER BY entry_id")
    assert [(row.act, row.who) for row in acts] == [("gap_refused", "zoé")]


def test_a_better_backup_ends_the_question_by_itself(world, file, backups):
    a_day(world, file, 1)
    old = backups.take(world.ledger)
    a_day(world, file, 2)
    fresh = backups.take(world.ledger)
    world.ledger = backups.bring_back(old)
    with pytest.raises(SendingHeld):
        check(world, file)
    world.ledger = backups.bring_back(fresh)
    check(world, file)
    a_day(world, file, 3)
    assert len(world.mailed_to()) == 3


def test_a_wrong_folder_of_letters_that_is_put_right_ends_the_question(world, file, backups):
    a_day(world, file, 1)
    other = MarkInMemory()
    other.mark = replace(file.read(), mark_id=file.read().mark_id.__class__(int=1))
    with pytest.raises(SendingHeld):
        check(world, other)
    assert marks_of(world.ledger).open_gap() is not None
    check(world, file)
    assert marks_of(world.ledger).open_gap() is None


@pytest.mark.parametrize("when", ["before the commit", "after the commit", "while sending"])
def test_kill_9_is_no_reason_to_hold(world, file, when, monkeypatch):
    run_id = world.begin(*loans(2))
    with suppress(Killed):
        if when == "before the commit":
            monkeypatch.setattr(PostgresMarks, "make", _killed)
        elif when == "after the commit":
            monkeypatch.setattr(MarkInMemory, "write", _killed)
        with step(world, file, run_id):
            monkeypatch.setattr(PostgresMarks, "make", _killed)
            raise Killed
    monkeypatch.undo()
    send(world, file, run_id)
    assert len(world.mailed_to()) == 2
    assert marks_of(world.ledger).open_gap() is None


def _killed(*_args, **_kwargs):
    raise Killed


def test_the_mark_is_written_after_the_commit_never_before(world, file, monkeypatch):
    known_when_written = []
    write = MarkInMemory.write

    def seen(self, mark):
        known_when_written.append(marks_of(world.ledger).knows(mark.mark_id))
        write(self, mark)

    monkeypatch.setattr(MarkInMemory, "write", seen)
    a_day(world, file, 1)
    assert known_when_written == [True] * 3


def test_the_first_day_and_a_lost_storage_are_told_and_hold_nothing(world, file, caplog):
    with caplog.at_level(logging.WARNING, "loan_reminders.services.marks.guard"):
        a_day(world, file, 1)
        assert "premier jour" in caplog.text
        caplog.clear()
        a_day(world, file, 2)
        assert caplog.text == ""
        file.mark = None
        a_day(world, file, 3)
        assert "premier jour" in caplog.text
    assert len(world.mailed_to()) == 3


def test_a_storage_restored_from_yesterday_is_behind_and_holds_nothing(world, file):
    a_day(world, file, 1)
    yesterday = file.mark
    a_day(world, file, 2)
    file.mark = yesterday
    a_day(world, file, 3)
    assert len(world.mailed_to()) == 3
    assert marks_of(world.ledger).open_gap() is None


def test_a_storage_that_cannot_be_written_is_told_and_stops_nothing(world, file, caplog):
    a_day(world, file, 1)
    file.read_only = True
    with caplog.at_level(logging.WARNING, "loan_reminders.services.marks.guard"):
        a_day(world, file, 2)
    assert "n'a pas pu être tenu à jour" in caplog.text
    file.read_only = False
    a_day(world, file, 3)
    assert len(world.mailed_to()) == 3


def test_while_the_storage_cannot_be_read_nothing_leaves(world, file):
    a_day(world, file, 1)
    run_id = world.begin(loan(8))
    file.silent = True
    with pytest.raises(LetterStoreUnavailable):
        send(world, file, run_id)
    assert len(world.mailed_to()) == 1
    file.silent = False
    send(world, file, run_id)
    assert len(world.mailed_to()) == 2


def test_clocks_that_jump_change_nothing(world, file, backups):
    a_day(world, file, 1)
    file.mark = replace(file.mark, at=datetime(2099, 1, 1, tzinfo=UTC))
    a_day(world, file, 2)
    rows(world.ledger, "UPDATE marks SET at = at + interval '30 years'")
    a_day(world, file, 3)
    backup = backups.take(world.ledger)
    a_day(world, file, 4)
    file.mark = replace(file.mark, at=datetime(2000, 1, 1, tzinfo=UTC))
    world.ledger = backups.bring_back(backup)
    with pytest.raises(SendingHeld):
        check(world, file)


def test_a_dry_run_asks_nothing_and_marks_nothing(world, file, backups):
    a_day(world, file, 1)
    backup = backups.take(world.ledger)
    a_day(world, file, 2)
    world.ledger = backups.bring_back(backup)
    run_id = world.begin(loan(8), dry_run=True)
    before = file.mark
    with step(world, file, run_id):
        pass
    assert file.mark is before
    assert marks_of(world.ledger).open_gap() is None


def test_two_libraries_in_one_ledger_do_not_meet(world, file, backups, postgres_server):
    from loan_reminders.ledger.connect import connect

    a_day(world, file, 1)
    other_file = MarkInMemory()
    with connect(postgres_server.url(str(world.ledger.engine.url.database)), library="autre") as other:
        make_mark(marks_of(other), other_file)
        check_complete(marks_of(other), other_file)
        with pytest.raises(SendingHeld):  # each knows its own marks alone
            check_complete(marks_of(other), file)
        assert marks_of(world.ledger).open_gap() is None
        assert marks_of(other).accept(who="zoé", mark_id=None)
    check(world, file)


def test_two_ledgers_on_one_storage_hold_each_other(world, file, backups):
    """A copy of an installation that was given the letters of the first."""
    a_day(world, file, 1)
    copy = backups.bring_back(backups.take(world.ledger))
    ours = world.ledger
    a_day(world, file, 2)
    world.ledger = copy
    with pytest.raises(SendingHeld):
        check(world, file)
    world.ledger = ours
    a_day(world, file, 3)
