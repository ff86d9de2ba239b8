"""Marks of what left, and gaps."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from loan_reminders.domain.marks.high_water import Gap, RememberedRun
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.marks.marks import PostgresMarks
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import opened


def marks(ledger: PostgresLedger) -> None:
    run = opened(ledger, dag_run_id="run of marks")
    part = ledger.part(PostgresMarks)
    begun = part.make(run_id=run.run_id, channel=Channel.EMAIL).mark_id
    part.make(run_id=run.run_id, channel=Channel.EMAIL, ends=begun)
    part.knows(begun)
    part.runs([run.run_id])
    part.broken_steps()
    moment = datetime(2026, 11, 30, 8, tzinfo=UTC)
    day = date(2026, 11, 30)
    part.lacks(RememberedRun(dag_run_id="r", run_id=7, stage=Stage.OVERDUE_NOTICE, day=day, started_at=moment))
    for answer in (lambda: part.refuse(who="zoé"), lambda: part.accept(who="zoé", mark_id=uuid.uuid4()), part.settle):
        part.find(Gap(mark_id=uuid.uuid4()))
        part.open_gap()
        answer()
