"""Marks in a real server: which server and timeline they are of, also after a standby took over."""

from __future__ import annotations

from loan_reminders.domain.stages import Channel
from loan_reminders.hooks.marks import marks_of
from tests.scenes.ledger_runs import opened, rows


def test_a_mark_says_on_which_server_and_timeline_it_was_made(ledger):
    marks_of(ledger).make(run_id=None, channel=None)
    [row] = rows(ledger, "SELECT server, (SELECT system_identifier FROM pg_control_system())::text AS here FROM marks")
    assert row.server == f"{row.here}/00000001"


def test_a_server_that_keeps_its_identity_to_itself_suspects_nobody(ledger, monkeypatch):
    from sqlalchemy import text

    from loan_reminders.ledger.marks import marks as module

    monkeypatch.setattr(module, "_SERVER", text("SELECT no_such_function()"))
    run = opened(ledger)
    marks = marks_of(ledger)
    marks.make(run_id=run.run_id, channel=Channel.EMAIL)
    assert marks.broken_steps() == ()
    assert rows(ledger, "SELECT server FROM marks")[0].server == ""


def test_a_question_is_asked_once_and_both_answers_are_in_the_journal(ledger):
    import uuid

    from loan_reminders.domain.marks.high_water import Gap

    marks = marks_of(ledger)
    lost = uuid.uuid4()
    for _ in range(3):
        marks.find(Gap(mark_id=lost))
    assert len(rows(ledger, "SELECT gap_id FROM gaps")) == 1
    assert not marks.knows(lost)
    assert marks.refuse(who="zoé") == 0
    assert marks.accept(who="bob", mark_id=lost)
    assert marks.knows(lost)
    assert marks.refuse(who="zoé") is None
    told = rows(ledger, "SELECT act, who FROM journal ORDER BY entry_id")
    assert [(row.act, row.who) for row in told] == [("gap_refused", "zoé"), ("gap_accepted", "bob")]
