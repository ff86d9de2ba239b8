"""A red or late run as people are told of it: one sentence to act on, and what makes two of them the same trouble.

And why a task failed, as one word of a closed list, which Airflow keeps for the first page: it is about nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from loan_reminders.domain import errors
from loan_reminders.domain.errors import LedgerFault, LedgerRefusal

_NUMBERS = re.compile(r"(\b\d\d/\d\d(?:/\d{4})?\b)|\d+")
"""Numbers, and days as the first group: another day is another trouble, another number is not."""
LONGEST = 2000
"""Characters of a sentence; what follows is in the task's log."""

CAUSE = "cause"
"""The name under which Airflow keeps the `FailureCause` of a task's last try, as an XCom of it."""


class AlertKind(StrEnum):
    """What is told: a run that failed, or one that should have ended long ago."""

    FAILED = "failed"
    LATE = "late"


class AlertOutcome(StrEnum):
    """What became of an alert.

    `NOBODY`: the settings name no recipient. `TOLD_ALREADY`: its cause was told that day. `NOT_SENT`: the
    server of the alerts did not take it.
    """

    SENT = "sent"
    NOBODY = "nobody"
    TOLD_ALREADY = "told_already"
    NOT_SENT = "not_sent"


class FailureCause(StrEnum):
    """Why a try of a task failed."""

    ILS_SILENT = "ils_silent"
    ILS_REFUSES = "ils_refuses"
    MAIL_SILENT = "mail_silent"
    MAIL_REFUSES = "mail_refuses"
    SENT_LATER = "sent_later"
    SMS_SILENT = "sms_silent"
    SMS_REFUSES = "sms_refuses"
    SMS_BUDGET = "sms_budget"
    SMS_WINDOW = "sms_window"
    MAILBOX_SILENT = "mailbox_silent"
    MAILBOX_REFUSES = "mailbox_refuses"
    STORE_SILENT = "store_silent"
    LEDGER_SILENT = "ledger_silent"
    LEDGER_REFUSES = "ledger_refuses"
    LEDGER_GAP = "ledger_gap"
    SETTINGS = "settings"
    TEMPLATES = "templates"
    LETTERS = "letters"
    BOOKS = "books"
    OTHER_TASK = "other_task"
    STOPPED_HERE = "stopped_here"
    TOO_LONG = "too_long"
    UNEXPECTED = "unexpected"


_CAUSES: tuple[tuple[type[BaseException], FailureCause], ...] = (
    (errors.IlsUnavailable, FailureCause.ILS_SILENT),
    (errors.IlsRejected, FailureCause.ILS_REFUSES),
    (errors.MailRelayUnavailable, FailureCause.MAIL_SILENT),
    (errors.MailRelayRejected, FailureCause.MAIL_REFUSES),
    (errors.DeliveriesDeferred, FailureCause.SENT_LATER),
    (errors.SmsGatewayUnavailable, FailureCause.SMS_SILENT),
    (errors.SmsAnswerUnreadable, FailureCause.SMS_SILENT),
    (errors.SmsTextRefused, FailureCause.TEMPLATES),
    (errors.SmsAccountRejected, FailureCause.SMS_REFUSES),
    (errors.SmsBudgetExceeded, FailureCause.SMS_BUDGET),
    (errors.SendingWindowClosed, FailureCause.SMS_WINDOW),
    (errors.BounceMailboxUnavailable, FailureCause.MAILBOX_SILENT),
    (errors.BounceMailboxRejected, FailureCause.MAILBOX_REFUSES),
    (errors.LetterStoreUnavailable, FailureCause.STORE_SILENT),
    (errors.LedgerUnavailable, FailureCause.LEDGER_SILENT),
    (errors.LedgerRefused, FailureCause.LEDGER_REFUSES),
    (errors.SendingHeld, FailureCause.LEDGER_GAP),
    (errors.SettingsError, FailureCause.SETTINGS),
    (errors.TemplateError, FailureCause.TEMPLATES),
    (errors.TextTooLong, FailureCause.TEMPLATES),
    (errors.LettersNotPrinted, FailureCause.LETTERS),
    (errors.BooksDoNotBalance, FailureCause.BOOKS),
    (errors.TasksNotDone, FailureCause.OTHER_TASK),
    (errors.ReminderError, FailureCause.STOPPED_HERE),
)
"""The first class that an error is of says its cause; the last one is the program's own refusal to go on."""


_OF_EVERY_RUN = frozenset(
    {
        FailureCause.ILS_SILENT,
        FailureCause.ILS_REFUSES,
        FailureCause.MAIL_SILENT,
        FailureCause.MAIL_REFUSES,
        FailureCause.SMS_SILENT,
        FailureCause.SMS_REFUSES,
        FailureCause.MAILBOX_SILENT,
        FailureCause.MAILBOX_REFUSES,
        FailureCause.STORE_SILENT,
        FailureCause.LEDGER_SILENT,
        FailureCause.LEDGER_REFUSES,
        FailureCause.LEDGER_GAP,
        FailureCause.SETTINGS,
    }
)
"""A service or a setting that all stages share: the same sentence in two of them is the same trouble."""

_OF_THE_LEDGER = frozenset(
    {
        LedgerRefusal.NO_TABLES,
        LedgerRefusal.OLDER_TABLES,
        LedgerRefusal.NEWER_TABLES,
        LedgerRefusal.CONNECTION_CLOSED,
        LedgerRefusal.CONNECTION_LOST,
        LedgerRefusal.CONNECTION_REFUSED,
        LedgerRefusal.NO_ANSWER,
        LedgerRefusal.UNAVAILABLE,
        LedgerRefusal.UNUSABLE,
    }
)
"""What is wrong with the ledger itself; its other refusals are about one run, or one process."""

_OF_ONE_STATEMENT = frozenset({LedgerFault.BLOCKED, LedgerFault.LOCK_HELD, LedgerFault.STATEMENT_TOO_LONG})
"""What the ledger's database says of one statement, though it serves the others."""

_SAID_IN_MANY_WAYS = frozenset(
    {
        FailureCause.ILS_SILENT,
        FailureCause.MAIL_SILENT,
        FailureCause.MAIL_REFUSES,
        FailureCause.SMS_SILENT,
        FailureCause.SMS_REFUSES,
        FailureCause.MAILBOX_SILENT,
        FailureCause.STORE_SILENT,
        FailureCause.LEDGER_SILENT,
    }
)
"""What each task says in its own words: it names its question, its batch, one of several servers, a session."""


def cause_of(error: BaseException | None) -> FailureCause:
    """Why a task failed, by the class of its error and never by its words, which may be a reader's."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), FailureCause.UNEXPECTED)


def of_every_run(error: BaseException | None, cause: FailureCause) -> bool:
    """Whether all runs that meet this error have the same trouble: a service or a setting, nothing of one run."""
    if isinstance(error, (errors.LedgerUnavailable, errors.LedgerRefused)):
        return error.code in _OF_THE_LEDGER and error.facts.get("fault") not in _OF_ONE_STATEMENT
    return cause in _OF_EVERY_RUN


def trouble_of(error: BaseException | None, cause: FailureCause) -> str:
    """The word for a trouble that each task says in its own way; empty where the sentence tells two troubles apart.

    A doubt about what the ILS answers is no silence, though a later try may end it: it has no cause of the ILS's own.
    """
    doubted = isinstance(error, errors.IlsError) and not error.cause
    return cause.value if cause in _SAID_IN_MANY_WAYS and not doubted else ""


def follows_another(error: BaseException | None) -> bool:
    """Whether a task failed because another of its run had: « Clore et vérifier » looks at all of them."""
    return isinstance(error, (errors.TasksNotDone, errors.BooksNotCounted))


class Scope(StrEnum):
    """Which runs an alert stands for, of those that say the same on one day.

    `BESIDE`: all of what runs beside the stages. It gives up after minutes, a stage after hours: a short outage
    at night, told there, does not keep a stage's own from being told.
    """

    RUN = "run"
    DAG = "dag"
    BESIDE = "beside"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One run of a DAG that people should look at.

    `sentence` is what the failed task said: it names what to do and nobody's data. `task` is the task's French name,
    empty when the run failed as a whole. `link` leads to the run in Airflow. `trouble` is what `trouble_of` says.
    `follows`: it says no more than what was told of its run, if anything was.
    """

    kind: AlertKind
    library: str
    dag_id: str
    dag_name: str
    run_id: str
    sentence: str
    task: str = ""
    link: str = ""
    hours: int = 0
    scope: Scope = Scope.RUN
    trouble: str = ""
    follows: bool = False

    def of_run(self, day: date) -> str:
        """The same for whatever is said of this run, on one day."""
        return f"run {day} {self.kind} {self.library} {self.dag_id} {self.run_id}"

    def of_cause(self, day: date) -> str:
        """The same for every run of the scope with this trouble, or with these words but for numbers, on one day."""
        return self._of_cause(day, self.scope)

    def told_with_it(self, day: date) -> tuple[str, ...]:
        """What need not be told any more that day: its run, and what runs beside the stages and meets the same."""
        beside = (self._of_cause(day, Scope.BESIDE),) if self.scope is Scope.LIBRARY else ()
        return (self.of_run(day), *beside)

    def _of_cause(self, day: date, scope: Scope) -> str:
        places = {Scope.RUN: f"{self.dag_id} {self.run_id}", Scope.DAG: self.dag_id, Scope.BESIDE: "beside"}
        what = self.trouble or _NUMBERS.sub(r"\1", self.sentence)
        return f"cause {day} {self.kind} {self.library} {places.get(scope, '')} {what}"
