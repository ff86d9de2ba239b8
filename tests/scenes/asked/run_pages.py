"""The pages about runs: what waits for a person, one run, its questions, a day that is caught up."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.journal import PostgresFormKeys
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.run_pages.catching_up import PostgresCatchingUp
from loan_reminders.ledger.run_pages.foreseeing import PostgresForeseeing
from loan_reminders.ledger.run_pages.questions import PostgresQuestions
from loan_reminders.ledger.run_pages.run_page import PostgresRunPages
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from loan_reminders.ledger.run_pages.waiting_now import PostgresQueue
from tests.scenes.ledger_runs import keys, planned, some_deliveries


def run_pages(ledger: PostgresLedger) -> None:
    """What waits for a person, one run, its questions, a day that is caught up."""
    now = datetime.now(UTC)
    starts = {stage: time(10) for stage in Stage}
    ledger.part(PostgresToDo).items(
        now=now, starts=starts, posted_before=now.date(), sent_since=now - timedelta(days=366), sms_floor=100
    )
    deliveries = some_deliveries(2, prefix="page")
    run = planned(ledger, deliveries, dag_run_id="run page")
    ours, questions = ledger.part(PostgresRunPages), ledger.part(PostgresQuestions)
    assert ours.number_of(run.stage, "run page") == run.run_id
    assert ours.run(run.run_id, names=True) is not None
    waiting = ledger.part(PostgresQueue)
    assert waiting.now().waiting
    assert waiting.of_run(run.stage, "run page").channels
    for question in Question:
        questions.asking(run.run_id, question)
        questions.answered(run.run_id, question, agreed=True, who="zoé")
    foreseen = replace(run, run_id=0, dry_run=True)
    with PostgresForeseeing(ledger.engine, foreseen, library=ledger.library) as planning:
        planning.history(keys(deliveries))
        planning.refused(keys(deliveries))
        planning.suppressed([one.recipient for one in deliveries])
    ledger.part(PostgresCatchingUp).started(run.stage, run.reference_date, who="zoé")
    ledger.desk().settle_aside(1, who="zoé")
    forms, key = ledger.part(PostgresFormKeys), uuid.uuid4()
    for led_to in ("", "/bureau"):
        assert forms.take(key, who="zoé", what="POST/bureau/regle").first
        forms.done(key, led_to=led_to)
    assert forms.take(key, who="zoé", what="POST/bureau/regle").led_to == "/bureau"
