"""What every operator shares: settings, the ledger, today, and which errors are worth another try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from loan_reminders.domain.errors import ReminderError, TemporaryError
from loan_reminders.domain.stages import Stage
from loan_reminders.settings import Settings, settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class ReminderOperator(BaseOperator):
    """Runs `work`; only a TemporaryError lets Airflow try again, anything else fails the task at once."""

    ledger_conn_id = "reminders_ledger"

    def __init__(self, *, stage: Stage, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage = stage

    def execute(self, context: Context) -> Any:
        """Do the work, turning the class of an error into Airflow's decision to retry."""
        try:
            with self.ledger() as ledger:
                return self.work(context, ledger)
        except TemporaryError:
            raise
        except ReminderError as error:
            raise AirflowFailException(str(error)) from error
        except Exception as error:
            raise AirflowFailException(f"Erreur inattendue : {type(error).__name__}") from error

    def work(self, context: Context, ledger: Ledger) -> Any:
        """The operator's verb; returns identifiers and counts only."""
        raise TypeError(f"{type(self).__name__} does not say what its work is")

    @property
    def config(self) -> Settings:
        """The library's settings."""
        return settings()

    def now(self) -> datetime:
        """This instant, in the library's time zone; what is below the operators gets it as an argument."""
        return datetime.now(self.config.zone)

    def ledger(self) -> Ledger:
        """The ledger, for this library."""
        from loan_reminders.hooks.ledger import ledger

        return ledger(self.ledger_conn_id, library=self.config.library.code)


class RunOperator(ReminderOperator):
    """An operator about a run already begun; `run_id` comes from ExtractLoans."""

    template_fields: Sequence[str] = ("run_id",)

    def __init__(self, *, run_id: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id

    def last_try(self, context: Context) -> bool:
        """Whether Airflow will not try this task again by itself."""
        instance = context["ti"]
        return bool(instance.try_number > instance.max_tries)
