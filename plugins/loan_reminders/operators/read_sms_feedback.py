"""Lire les accusés, les réponses, la liste noire, le crédit: four operators, each asks the provider one question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.marks.guard import check_complete
from loan_reminders.services.sms import feedback as sms_feedback
from loan_reminders.watching.metrics import give_credit

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger, SmsAccount
    from loan_reminders.domain.ports.sms_feedback import SmsFeedback


class ReadSmsFeedback(LibraryOperator):
    """Asks the SMS provider one question; only a TemporaryError lets Airflow try again. Returns counts."""

    needs_all_messages = False
    """Whether its answers are about messages that left, and are given once: then the ledger must know them all."""

    def __init__(self, *, sms_conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sms_conn_id = sms_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Ask the question, record the answer, and act on it."""
        from loan_reminders.hooks.allmysms import sms_account

        conn_id = self.sms_conn_id or self.config.sms.connection
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            if self.needs_all_messages:
                check_complete(marks_of(ledger), mark_file(self.config.library.code))
            ours = self.config.sms
            account = sms_account(conn_id, api=ours.api, zone=ZoneInfo(ours.provider_zone))
            return self.ask_for(ledger, account, context)

    def ask_for(self, ledger: Ledger, account: SmsAccount, context: Context) -> dict[str, int]:
        """The question, with the whole ledger; most need the part about SMS alone."""
        return self.ask(ledger.feedback(), account)

    def ask(self, feedback: SmsFeedback, account: SmsAccount) -> dict[str, int]:
        """The operator's question."""
        raise TypeError(f"{type(self).__name__} does not say what it asks")


class ReadReceipts(ReadSmsFeedback):
    """Reads the delivery receipts of the SMS of the last days."""

    usual_id = "read_receipts"
    needs_all_messages = True

    def ask(self, feedback: SmsFeedback, account: SmsAccount) -> dict[str, int]:
        """Ask for receipts."""
        failures = self.config.sms.dead_after_failures
        return sms_feedback.read_receipts(feedback, account, now=self.now(), failures=failures)


class ReadReplies(ReadSmsFeedback):
    """Reads what readers answered by SMS, STOP above all."""

    usual_id = "read_replies"
    needs_all_messages = True

    def ask_for(self, ledger: Ledger, account: SmsAccount, context: Context) -> dict[str, int]:
        """Ask for replies, for all libraries of the account: the provider gives each once."""
        from loan_reminders.hooks.ledger import sms_feedback_of

        sharing = self.others_with(lambda one: one.sms.connection)
        others = sms_feedback_of(ledger, [one.library.code for one in sharing])
        unread = sms_feedback_of(ledger, self.others_unread())
        tries = {"tried_before": context["ti"].try_number > 1, "last_try": self.last_try(context)}
        now, failures = self.now(), self.config.sms.dead_after_failures
        return sms_feedback.read_replies(
            ledger.feedback(), account, now=now, failures=failures, others=others, unread=unread, **tries
        )


class ReadBlacklist(ReadSmsFeedback):
    """Reads the numbers that the provider does not write to any more."""

    usual_id = "read_blacklist"

    def ask(self, feedback: SmsFeedback, account: SmsAccount) -> dict[str, int]:
        """Ask for the blacklist."""
        return sms_feedback.read_blacklist(feedback, account)


class ReadCredit(ReadSmsFeedback):
    """Reads what is left on the SMS account."""

    usual_id = "read_credit"

    def ask_for(self, ledger: Ledger, account: SmsAccount, context: Context) -> dict[str, int]:
        """Ask for the credit."""
        found = sms_feedback.read_credit(ledger, account, now=self.now())
        give_credit(self.config.library.code, found["segments"])
        return found
