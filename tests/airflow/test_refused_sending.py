"""« Ne rien envoyer » and the real tasks: each ends without any work, and what was laid out for the printer goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.runs.to_do import ToDoKind
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_readers import by_post
from tests.scenes.operators_at_work import AtWork
from tests.scenes.world import DUE, loan


@pytest.fixture
def at_work(world, monkeypatch, tmp_path):
    return AtWork(world, monkeypatch, tmp_path)


def refused(at_work):
    """The file of the mark cannot be read, and somebody said that nothing is to leave; how much was cancelled."""
    (at_work.letters / "registre").mkdir(parents=True, exist_ok=True)
    (at_work.letters / "registre/demo.json").write_text("{")
    marks_of(at_work.world.ledger).find(Gap(unreadable=True))
    return marks_of(at_work.world.ledger).refuse(who="zoé")


def answered(option):
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": datetime(2026, 12, 17, 9, tzinfo=UTC),
        "responded_by_user": {"id": "3", "name": "biblio"},
        "timedout": False,
    }


@pytest.mark.parametrize("option", ["Valider", "Ne rien imprimer"])
def test_after_a_refusal_the_question_about_registered_letters_is_asked_on_and_ends_the_run(
    at_work, world, monkeypatch, option
):
    from airflow.providers.standard.operators import hitl
    from airflow.sdk.exceptions import TaskAwaitingInput

    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.begin(by_post(1))
    world.ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who="biblio")
    assert at_work.execute("PrepareLetters", run_id) == {"drafts": 1, "letters": 1}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **_: None)
    with pytest.raises(TaskAwaitingInput):
        at_work.execute("ApproveLetters", run_id)
    assert refused(at_work) == 1
    now = datetime.combine(world.today, datetime.min.time(), UTC)
    asked = {"now": now, "starts": {}, "posted_before": world.today, "sent_since": now}
    waiting = [one.kind for one in world.ledger.part(PostgresToDo).items(**asked)]
    assert ToDoKind.APPROVAL in waiting
    assert at_work.operator("ApproveLetters", run_id).execute_complete({}, answered(option)) == 0
    assert at_work.pdfs()
    assert at_work.execute("PrintLetters", run_id) == {}
    assert at_work.pdfs() == []
    assert [one.kind for one in world.ledger.part(PostgresToDo).items(**asked)] == [ToDoKind.LEDGER_GAP]
    at_work.execute("CloseRun", run_id)


def test_what_an_interrupted_try_stored_of_letters_goes_after_a_refusal(at_work, world):
    from loan_reminders.services.letters.batches import batch_name

    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    run_id = world.begin(by_post(1))
    folder = at_work.letters / batch_name(world.ledger.run(run_id), 1)
    folder.mkdir(parents=True)
    (folder / "lettres.pdf").write_text("Camille Martin")
    assert refused(at_work) == 1
    assert at_work.execute("PrintLetters", run_id) == {}
    assert not folder.exists()


def test_after_a_refusal_no_letter_takes_over_and_none_is_laid_out(at_work, world):
    """The e-mail of this run was refused before the backup: its letter would be planned by the task that prints."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    run_id = world.begin(loan(1))
    world.ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who="biblio")
    rows(world.ledger, "UPDATE deliveries SET state = 'refused', reason = 'recipient_refused'")
    assert refused(at_work) == 0
    for name in ("SendEmails", "PrintLetters"):
        assert at_work.execute(name, run_id) == {}
    assert at_work.left() == 0
    assert [row.channel for row in rows(world.ledger, "SELECT channel FROM deliveries")] == ["email"]
    at_work.execute("CloseRun", run_id)
    world.ledger.close_run(run_id)
