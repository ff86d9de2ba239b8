"""The ledger of the months, which lives a hundred tasks a second in one process: it reads the row of a run once.

In Airflow each task is a process of its own, and asks for its run a few times in its life. Its senders do not share the
connections of a mail server, for there is none: the relay is in memory.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.planning import PostgresPlanning
from loan_reminders.ledger.sender import PostgresSender


class RunsReadOnce(PostgresLedger):
    """What a run is changes when it is begun, begun again, and planned; never else."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._known: dict[int, Run] = {}

    def run(self, run_id: int) -> Run:
        """One run of this library."""
        if run_id not in self._known:
            self._known[run_id] = super().run(run_id)
        return self._known[run_id]

    def open_run(
        self, *, stage: Stage, reference_date: date, due_date: date, today: date, dag_run_id: str, dry_run: bool
    ) -> Run:
        """Begin a run."""
        run = super().open_run(
            stage=stage,
            reference_date=reference_date,
            due_date=due_date,
            today=today,
            dag_run_id=dag_run_id,
            dry_run=dry_run,
        )
        self._known[run.run_id] = run
        return run

    def sender(self, run_id: int, channel: Channel, *, share: Share = WHOLE) -> PostgresSender:
        """Become a sender of this run."""
        sender = super().sender(run_id, channel, share=share)
        sender.take_mail_connections = lambda *, of, wanted: wanted  # type: ignore[method-assign]
        return sender

    def planning(self, run_id: int) -> PostgresPlanning:
        """Plan a run, which is another one afterwards."""
        planning = super().planning(run_id)
        del self._known[run_id]
        return planning
