"""What the operators that send share: nothing leaves from a ledger that lacks what has left already."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.ports.marks import AirflowRun
from loan_reminders.domain.runs.books import BOOKS
from loan_reminders.domain.stages import Channel
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.operators.base import RunOperator, known_run_id, only_temporary_errors_are_retried
from loan_reminders.services.marks.guard import marked_step

if TYPE_CHECKING:
    from airflow.sdk import Context

LOOK_AGAIN = timedelta(minutes=5)
"""How long a step that is held back sleeps, without a worker, before it looks whether a person answered."""


class SendingOperator(RunOperator):
    """An operator whose work lets messages leave, or letters be laid out for the printer.

    It is held back, without holding a worker, while a person is asked about what the ledger lacks; the still-true
    messages leave after the answer.
    """

    def execute(self, context: Context) -> Any:
        """Send, once the ledger is known to lack nothing of what left."""
        with ExitStack() as step:
            try:
                with only_temporary_errors_are_retried():
                    self._begin(step, context)
            except SendingHeld as held:
                self.log.warning("%s", held)
                self.defer(trigger=DateTimeTrigger(moment=self.now() + LOOK_AGAIN), method_name="resume")
            return super().execute(context)

    def _begin(self, step: ExitStack, context: Context) -> None:
        """Begin the step, which ends with `step`. Raises SendingHeld."""
        run_id = known_run_id(self.run_id)
        ledger = step.enter_context(self.ledger())
        step.enter_context(
            marked_step(
                ledger,
                marks_of(ledger),
                mark_file(self.config.library.code),
                run_id=run_id,
                channel=self.kind,
                last_run=self._last_run(context),
            )
        )

    def resume(self, context: Context, event: Any) -> Any:
        """Look again; what is no longer true is taken out before anything leaves."""
        return self.execute(context)

    @property
    def kind(self) -> Channel:
        """What leaves by this step."""
        raise TypeError(f"{type(self).__name__} does not say what leaves by it")

    def _last_run(self, context: Context) -> AirflowRun | None:
        """The run of this DAG before this one that Airflow saw end well, if its extraction told a number.

        One that somebody marked as successful by hand never had a number, and is no witness; a dry run is none.
        """
        task_instance: Any = context.get("ti")
        ask = getattr(task_instance, "get_previous_dagrun", None)
        previous = ask(state="success") if ask is not None else None
        if previous is None or previous.start_date is None:
            return None
        of_it = {"dag_id": self.dag_id, "run_id": previous.run_id}
        number = task_instance.xcom_pull(task_ids="extract_loans", **of_it)
        books = task_instance.xcom_pull(task_ids="close_run", key=BOOKS, **of_it) or {}
        if number is None or books.get("dry_run"):
            return None
        moment = previous.logical_date or previous.run_after or previous.start_date
        return AirflowRun(
            dag_run_id=previous.run_id,
            stage=self.stage,
            day=moment.astimezone(self.config.zone).date(),
            started_at=previous.start_date,
            deliveries=int(books.get("deliveries_planned", 0)),
        )
