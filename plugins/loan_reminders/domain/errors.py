"""Everything that can go wrong, as one tree; the class decides the retry.

ReminderError
├── SettingsError               library.toml is wrong: key, value and what is allowed
├── RecipientError              one recipient cannot be used; has a code
├── RowError                    one ILS row cannot be read; has a code and a column
├── IlsError                    what both errors of the ILS share: a cause, and a remedy that says what to ask whom
├── TemplateError               the words for readers cannot be rendered
├── TextTooLong                 one SMS does not fit the segments allowed
├── LetterStepRefused           a step in the life of a letter cannot be taken; has a code
│   └── TrackingNumberError     what was typed or scanned is no registered number
├── TemporaryError              a later try may succeed: the task is retried
│   ├── IlsUnavailable, MailRelayUnavailable, LetterStoreUnavailable, BounceMailboxUnavailable, SmsAnswerUnreadable
│   ├── SmsGatewayUnavailable   and SmsRepliesLost (`domain.sms.feedback`): replies that are given once
│   ├── LedgerUnavailable       has a code
│   ├── DeliveriesDeferred      some recipients answered "later"
│   ├── SendingWindowClosed     SMS wait for the window to open
│   └── SendingHeld             the ledger may lack what left: a person is asked
│       └── MarkUnreadable      the file that would tell cannot be understood
└── PermanentError              trying again changes nothing: the task fails at once
    ├── LedgerRefused           what is asked of the ledger cannot be; has a code
    │   └── RowRefused          the ledger cannot hold one value
    ├── IlsRejected             wrong password, missing table or column
    ├── MailRelayRejected       wrong password, sender refused
    ├── BounceMailboxRejected   wrong password, no such folder
    ├── SmsAccountRejected      bad key, no credit
    │   └── SmsTextRefused      the text of one stage's messages
    ├── SmsBudgetExceeded       the run costs more than the credit or the caps leave
    ├── LettersNotPrinted       the letters of a batch cannot be laid out
    ├── BooksDoNotBalance       a loan or a delivery is neither done nor explained
    │   └── BooksNotCounted     the run never finished reading the ILS; has a code
    ├── TasksNotDone            one of the tasks of a run failed, whatever its books say
    └── DaysMissed              days without a green run, or runs that stand still
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from traceback import walk_tb

from loan_reminders.domain.states import Refusal

_OURS = "/loan_reminders/"

RETRIED = "Nouvel essai automatique ; si cela dure, prévenir l'administrateur."
"""What to do about a TemporaryError in a task: the end of its message."""

TO_MEND = "Prévenir l'administrateur, puis relancer la tâche."
"""What to do about a PermanentError when the message names no better cure."""


class ReminderError(Exception):
    """Root of the project's errors. `french.refusals.sentence` says any of them to a person."""


class CodedError(ReminderError):
    """An error that says why by a code of a closed list; `french.refusals` has the sentence of each code.

    `facts` are what the sentence names: a day, a number, a letter's reference. They hold no reader's name.
    """

    def __init__(self, code: StrEnum, **facts: object) -> None:
        super().__init__(str(code))
        self.code = code
        self.facts = facts


class SettingsError(ReminderError):
    """library.toml cannot be used; the message names each key, its value and what is allowed."""


class RecipientError(ReminderError):
    """A phone number or an address cannot be used: `code` says why, and the message never repeats the recipient."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(code.value)
        self.code = code


class RowError(ReminderError):
    """A row of the extraction cannot be read: `code` says why, `column` where."""

    def __init__(self, code: str, column: str) -> None:
        super().__init__(f"{code}, colonne {column}")
        self.code = code
        self.column = column


class LedgerRefusal(StrEnum):
    """Why the ledger cannot do what is asked of it.

    Those from `UNAVAILABLE` on are what its database or the driver says; `UNAVAILABLE` and `UNUSABLE` name a
    `LedgerFault`.
    """

    UNKNOWN_RUN = "unknown_run"
    READING_IS_OVER = "reading_is_over"
    NOT_READ_TO_PLAN = "not_read_to_plan"
    NOT_READ_TO_COUNT = "not_read_to_count"
    ALREADY_PLANNED = "already_planned"
    LOAN_LOST = "loan_lost"
    RUN_ERASED = "run_erased"
    LETTER_IN_ANOTHER_BATCH = "letter_in_another_batch"
    NO_TABLES = "no_tables"
    OLDER_TABLES = "older_tables"
    NEWER_TABLES = "newer_tables"
    ANOTHER_TASK_PRINTS = "another_task_prints"
    ANOTHER_TASK_TEXTS = "another_task_texts"
    CONNECTION_CLOSED = "connection_closed"
    ANOTHER_UPGRADE = "another_upgrade"
    UNAVAILABLE = "unavailable"
    UNUSABLE = "unusable"
    NO_ANSWER = "no_answer"
    NO_FREE_CONNECTION = "no_free_connection"
    CONNECTION_LOST = "connection_lost"
    CONNECTION_REFUSED = "connection_refused"
    VALUE_REFUSED = "value_refused"
    STATEMENT_REFUSED = "statement_refused"
    NOTICES_HELD = "notices_held"
    RUN_BEING_OPENED = "run_being_opened"
    NUMBER_JUST_TAKEN = "number_just_taken"
    BATCH_NAME_TAKEN = "batch_name_taken"


class LedgerFault(StrEnum):
    """What the ledger's database lacks, by the state (SQLSTATE) that PostgreSQL gives."""

    CONNECTION_LOST = "connection_lost"
    READ_ONLY = "read_only"
    BLOCKED = "blocked"
    DISK_FULL = "disk_full"
    NO_RESOURCES = "no_resources"
    LOCK_HELD = "lock_held"
    STATEMENT_TOO_LONG = "statement_too_long"
    STARTING_OR_STOPPING = "starting_or_stopping"
    SYSTEM_FAILURE = "system_failure"
    ACCOUNT_REFUSED = "account_refused"
    NO_DATABASE = "no_database"
    NO_RIGHT = "no_right"
    NO_TABLE = "no_table"
    NO_COLUMN = "no_column"
    NO_FUNCTION = "no_function"


class TemplateError(ReminderError):
    """A template is missing, has a syntax error, or names a variable that does not exist."""


class TextTooLong(ReminderError):
    """An SMS needs more segments than the settings allow."""


class LetterStepRefused(CodedError):
    """A step in the life of a letter cannot be taken; the code is of a `…Refusal` list of the letters."""


class TrackingNumberError(LetterStepRefused):
    """What was typed, scanned or imported is no number of a registered letter."""


class TemporaryError(ReminderError):
    """A later try may succeed."""


class IlsError(ReminderError):
    """`cause` and `remedy` (what to ask whom) are its halves for an administrator, if any, without data of the ILS."""

    def __init__(self, message: str = "", *, cause: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.remedy = remedy


class IlsUnavailable(IlsError, TemporaryError):
    """The ILS database does not answer, or stopped answering during the extraction."""


class MailRelayUnavailable(TemporaryError):
    """The SMTP server does not answer, or asks to come back later."""


class SmsGatewayUnavailable(TemporaryError):
    """The SMS provider cannot be reached, or one of its answers never came: nothing left after that."""


class SmsAnswerUnreadable(TemporaryError):
    """The SMS provider answered a question about the account in a way that says nothing."""


class LetterStoreUnavailable(TemporaryError):
    """The folder or bucket of letter batches cannot be written."""


class BounceMailboxUnavailable(TemporaryError):
    """The mailbox of bounces does not answer, or stopped answering."""


class LedgerUnavailable(CodedError, TemporaryError):
    """The ledger's database does not answer, or another task holds what is asked for; the code is a `LedgerRefusal`."""


class DeliveriesDeferred(TemporaryError):
    """Some recipients were refused for the moment; they are planned again."""


class SendingWindowClosed(TemporaryError):
    """SMS wait and none may leave before `opens_at`, an aware moment."""

    def __init__(self, opens_at: datetime) -> None:
        super().__init__(f"Les SMS attendent l'ouverture de la plage d'envoi : {opens_at:%d/%m/%Y à %H h %M}")
        self.opens_at = opens_at


class SendingHeld(TemporaryError):
    """The ledger may lack something that has left already: nothing leaves before a person has answered."""


class MarkUnreadable(SendingHeld):
    """The file of the newest mark is there, and is spoilt or of another version: nobody knows what it told."""


class PermanentError(ReminderError):
    """Trying again changes nothing until somebody mends the cause."""


class LedgerRefused(CodedError, PermanentError):
    """The ledger cannot do what is asked of it; the code is a `LedgerRefusal`."""


class RowRefused(LedgerRefused):
    """The ledger cannot hold one value: too long, too large, no date. The other rows are as good as before."""


class IlsRejected(IlsError, PermanentError):
    """The ILS database refuses the account or the statement."""


class MailRelayRejected(PermanentError):
    """The SMTP server refuses the account or the sender address."""


class BounceMailboxRejected(PermanentError):
    """The mailbox of bounces refuses the account, or has not the folder asked for."""


class SmsAccountRejected(PermanentError):
    """The SMS provider refuses the account: key, credit or flow. `code` is the provider's."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class SmsTextRefused(SmsAccountRejected):
    """The SMS provider refuses what the messages say, whose template is to be corrected; the account is sound."""


class SmsBudgetExceeded(PermanentError):
    """The SMS of a run cost more than the credit, its floor or the caps allow; none was sent."""


class LettersNotPrinted(PermanentError):
    """The letters of a batch cannot be laid out; no file was stored."""


class BooksDoNotBalance(PermanentError):
    """Loans or deliveries of a run are neither done nor explained."""


class BooksNotCounted(CodedError, BooksDoNotBalance):
    """The books of a run cannot be counted; the code is a `LedgerRefusal`."""


class TasksNotDone(PermanentError):
    """A task of the run did not succeed: the run is not green, even when its books balance."""


class DaysMissed(PermanentError):
    """Some stages have days without a green run, or runs that stand still; the message says what to do about each."""


def unexpected(error: BaseException) -> str:
    """What an unexpected error is and where it arose: `KeyError (services/plan.py:12)`.

    Its words are left out: they may be a reader's. The place is the last line of our own that it passed.
    """
    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    ours = [place for place in places if _OURS in place[0]] or places
    if not ours:
        return type(error).__name__
    file, line = ours[-1]
    place = file.rpartition(_OURS if _OURS in file else "/")[2]
    return f"{type(error).__name__} ({place}:{line})"
