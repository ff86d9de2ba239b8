"""What every operator shares: its usual name, settings, the ledger, the clock, and which errors are tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from loan_reminders.domain.clock import of_number
from loan_reminders.domain.dag_ids import library_of
from loan_reminders.domain.errors import ReminderError, SendingHeld, TasksNotDone, TemporaryError, unexpected
from loan_reminders.domain.marks.high_water import RememberedRun
from loan_reminders.domain.runs.books import BOOKS
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.refusals import missing_connection, sentence
from loan_reminders.french.task_names import TASKS
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.services.marks.guard import marked_step
from loan_reminders.services.runs.check_volume import check_approved
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.settings.all_libraries import others_unread, others_with
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import Settings, settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger, LoanSource

OUTSIDE_TIMEOUT = timedelta(minutes=45)
"""The longest a task may read from outside (ILS, mailbox, SMS provider) before it is ended and tried again.

Never for a task that may wait for a person or an hour: Airflow counts the waiting too.
"""

CLOSING = "close_run"
"""The task that counts the books."""

ENDED = ("success", "failed")
"""Airflow's states of a run, or of a task, that ended; what a red run sent has left as well."""

LOOK_AGAIN = timedelta(minutes=5)
"""How long a step that is held back sleeps, without a worker, before it looks whether a person answered."""


@contextmanager
def only_temporary_errors_are_retried() -> Iterator[None]:
    """Let Airflow try again after a TemporaryError; anything else fails the task at once.

    No error is raised from another: Airflow's log would show the message of the first cause, which may hold a reader's
    data. Of an unexpected error only the class and the line are logged.
    """
    try:
        yield
    except TemporaryError as error:
        error.args = (sentence(error),)  # what Airflow's log shows
        raise error from None
    except ReminderError as error:
        raise AirflowFailException(sentence(error)) from None
    except AirflowNotFoundException as error:
        raise AirflowFailException(
            f"{missing_connection(str(error))}. La créer (Administration, Connexions), puis relancer la tâche ;"
            " si elle y est, ce qui garde les connexions n'a pas répondu."
        ) from None
    except Exception as error:
        raise AirflowFailException(f"Erreur inattendue : {unexpected(error)}") from None


def known_run_id(run_id: int | None) -> int:
    """The ledger's number of the run. Raises TasksNotDone when the task « Extraire les prêts » gave none.

    An extraction that was marked as successful by hand returns nothing.
    """
    if run_id is None:
        raise TasksNotDone(
            "L'extraction n'a pas abouti : le registre n'a pas de tournée."
            " Effacer (« Clear ») la tâche « Extraire les prêts » et les suivantes."
        )
    return run_id


class Installed:
    """What an operator knows of its installation; a mix-in, written before the operator of Airflow.

    `usual_id` is the id of its task where the DAG names none; the name that librarians read goes with the id.
    """

    usual_id = ""
    ledger_conn_id = "reminders_ledger"
    dag_id: str
    _zone: tzinfo | None = None

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("task_id", self.usual_id)
        name = TASKS.get(kwargs["task_id"])
        super().__init__(**({"task_display_name": name} if name else {}) | kwargs)

    @property
    def config(self) -> Settings:
        """The settings of the library that the task's DAG is of."""
        with of_library(library_of(self.dag_id)):
            return settings()

    def others_with(self, what: Callable[[Settings], object]) -> tuple[Settings, ...]:
        """The other libraries that share something with this one, such as a connection."""
        with of_library(library_of(self.dag_id)):
            return others_with(what)

    def others_unread(self) -> tuple[str, ...]:
        """The codes of the other libraries whose file is wrong: they may share anything with this one."""
        with of_library(library_of(self.dag_id)):
            return others_unread()

    def now(self) -> datetime:
        """This instant, in the library's time zone: taken once in `execute`; long work is given it as its clock.

        Before each message such work asks it: the settings are looked up the first time only.
        """
        if self._zone is None:
            self._zone = self.config.zone
        return datetime.now(self._zone)

    def ledger(self) -> Ledger:
        """The ledger, for this library."""
        from loan_reminders.hooks.ledger import ledger

        return ledger(self.ledger_conn_id, library=self.config.library.code)

    def loan_source(self) -> LoanSource:
        """What the task's stage reads of the ILS; without a stage, the loans."""
        from loan_reminders.hooks.ils import source_for

        return source_for(self.config, getattr(self, "stage", None), today=self.now().date())


class LibraryOperator(Installed, BaseOperator):
    """An operator of Airflow that knows its installation."""

    def __init__(self, **kwargs: Any) -> None:  # Airflow prepares the `__init__` of operators, not that of a mix-in
        super().__init__(**kwargs)

    def last_try(self, context: Context) -> bool:
        """Whether Airflow will not try this task again by itself."""
        instance = context["ti"]
        return bool(instance.try_number > instance.max_tries)


class ReminderOperator(LibraryOperator):
    """Runs `work`; only a TemporaryError lets Airflow try again, anything else fails the task at once."""

    def __init__(self, *, stage: Stage, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage = stage

    def execute(self, context: Context) -> Any:
        """Do the work, turning the class of an error into Airflow's decision to retry."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            return self.work(context, ledger, self.now())

    def work(self, context: Context, ledger: Ledger, now: datetime) -> Any:
        """The operator's verb, begun at `now`; returns identifiers and counts only."""
        raise TypeError(f"{type(self).__name__} does not say what its work is")


class RunOperator(ReminderOperator):
    """An operator about a run already begun; `run_id` comes from ExtractLoans."""

    template_fields: Sequence[str] = ("run_id",)

    def __init__(self, *, run_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def execute(self, context: Context) -> Any:
        """Do the work on a run that was begun."""
        with only_temporary_errors_are_retried():
            known_run_id(self.run_id)
        return super().execute(context)

    def check_approved(self, ledger: Ledger) -> None:
        """Raise PermanentError, which says what to do, unless the run is planned and its volume usual or approved."""
        past_runs = self.config.volume_guard.runs
        check_approved(ledger, run_id=self.run_id, guard=self.config.guard(), past_runs=past_runs)

    def still_due(self, ledger: Ledger, *, expires_after_days: int | None = None) -> StillDue:
        """What asks the ILS again just before sending; `expires_after_days` counts from the due date."""
        return StillDue(
            source=self.loan_source(),
            policy=self.config.policy(),
            run=ledger.run(self.run_id),
            clock=self.now,
            expires_after_days=expires_after_days,
        )


class SendingOperator(RunOperator):
    """An operator whose work lets messages leave, or letters be laid out for the printer.

    It is held back, without holding a worker, while a person is asked about what the ledger lacks; the still-true
    messages leave after the answer.
    """

    def execute(self, context: Context) -> Any:
        """Send, once the ledger is known to lack nothing of what left; nothing when a person said so."""
        with ExitStack() as step:
            try:
                with only_temporary_errors_are_retried():
                    if not self._begin(step, context):
                        return {}
            except SendingHeld as held:
                self.log.warning("%s", held)
                self.defer(trigger=DateTimeTrigger(moment=self.now() + LOOK_AGAIN), method_name="resume")
            return super().execute(context)

    def _begin(self, step: ExitStack, context: Context) -> bool:
        """Begin the step, which ends with `step`; whether there is work to do. Raises SendingHeld."""
        run_id = known_run_id(self.run_id)
        ledger = step.enter_context(self.ledger())
        work = step.enter_context(
            marked_step(
                ledger,
                marks_of(ledger),
                mark_file(self.config.library.code),
                run_id=run_id,
                channel=self.kind,
                last_runs=tuple(self._remembered(context)),
            )
        )
        if not work:
            self.clear_away(ledger)
        return work

    def clear_away(self, ledger: Ledger) -> None:
        """Remove what was prepared of messages that a person said are not to leave; of most kinds nothing is."""

    def resume(self, context: Context, event: Any) -> Any:
        """Look again; what is no longer true is taken out before anything leaves."""
        return self.execute(context)

    @property
    def kind(self) -> Channel:
        """What leaves by this step."""
        raise TypeError(f"{type(self).__name__} does not say what leaves by it")

    def _remembered(self, context: Context) -> Iterator[RememberedRun]:
        """The last run of this DAG before this one that Airflow saw end well, and the last that it saw end badly.

        One whose extraction told no number is no witness: somebody marked it by hand, or it never read the ILS. A dry
        run is none either.
        """
        task_instance: Any = context.get("ti")
        ask = getattr(task_instance, "get_previous_dagrun", None)
        ended = [ask(state=state) for state in ENDED] if ask is not None else []
        for previous in ended:
            if previous is None or previous.start_date is None:
                continue
            of_it = {"dag_id": self.dag_id, "run_id": previous.run_id}
            number = task_instance.xcom_pull(task_ids="extract_loans", **of_it)
            books = task_instance.xcom_pull(task_ids=CLOSING, key=BOOKS, **of_it) or {}
            if number is None or books.get("dry_run"):
                continue
            if books.get("run") != number or not self._ended_closing(task_instance, previous.run_id):
                books = {}
            moment = previous.logical_date or previous.run_after or previous.start_date
            yield RememberedRun(
                dag_run_id=previous.run_id,
                run_id=int(number),
                stage=self.stage,
                day=moment.astimezone(self.config.zone).date(),
                started_at=previous.start_date,
                closed_at=of_number(books["closed_at"]) if books.get("closed_at") else None,
                left={channel: books[channel.value] for channel in Channel if books.get(channel.value)},
            )

    def _ended_closing(self, task_instance: Any, dag_run_id: str) -> bool:
        """Whether the task that counts the books came to its end in a run of this DAG.

        What a task told stays in Airflow until the task begins again: of a run that was cleared, and ended without
        coming that far, it is of an earlier end.
        """
        asked = {"dag_id": self.dag_id, "task_ids": [CLOSING], "run_ids": [dag_run_id]}
        return task_instance.get_task_states(**asked).get(dag_run_id, {}).get(CLOSING) in ENDED
