"""What the use cases need from the outside world; gateways and the ledger fulfil these."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.email_feedback import MailFeedback
from loan_reminders.domain.ports.letters import LetterBatches, LetterDrafts
from loan_reminders.domain.ports.runs import Planning, Readings, Sender
from loan_reminders.domain.ports.sms_feedback import SmsFeedback
from loan_reminders.domain.ports.statistics import LoanEnds
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck, SmsCredit, SmsReply
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason


class LoanSource(Protocol):
    """The ILS."""

    def loans_due(self, due_date: date, *, today: date) -> Generator[Loan | RejectedRow]:
        """Stream every open loan of one due date; a row that cannot be read comes as RejectedRow.

        Raises IlsUnavailable (retry) or IlsRejected (mend the account or the statement).
        """
        ...

    def loan_ids_due(self, due_date: date, *, today: date) -> Iterator[str]:
        """The ids alone of the same loans, rows that cannot be read included, much sooner. Raises like `loans_due`."""
        ...

    def due_dates_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The present due dates of those of these loans that are still reminded of. Raises like `loans_due`."""
        ...

    def on_loan_now(self, loan_ids: Sequence[str]) -> Mapping[str, date]:
        """The same, and those of loans that are lost or claimed returned and not taken out of the ILS."""
        ...


class MailRelay(Protocol):
    """One open connection to the SMTP server, used by one thread."""

    def send(self, message: RenderedEmail) -> Receipt:
        """Send one message: ACCEPTED, REFUSED (5xx), PLANNED (4xx: later) or IN_DOUBT (no answer after the data).

        Raises MailRelayUnavailable or MailRelayRejected when nothing can be sent to anybody.
        """
        ...

    def close(self) -> None:
        """End the connection as SMTP wants it (QUIT)."""
        ...


class SmsGateway(Protocol):
    """The SMS provider."""

    def send(self, messages: Sequence[RenderedText]) -> Sequence[Receipt]:
        """Send texts in one request; one receipt a message, whatever the answer.

        When no message was sent, raises SmsGatewayUnavailable, or SmsAccountRejected: the account is refused.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class SmsAccount(Protocol):
    """What the SMS provider knows of our account and of what we sent. Raises like `SmsGateway.send`."""

    def credit(self) -> SmsCredit:
        """What is left. Raises SmsAnswerUnreadable when the amount is no number."""
        ...

    def acknowledgements(self, campaign_id: str) -> Sequence[SmsAck]:
        """The receipts of one campaign, as far as they are known."""
        ...

    def replies(self) -> Sequence[SmsReply]:
        """What readers answered since the last call, each once. Raises SmsRepliesLost: some may not have come."""
        ...

    def replies_to(self, campaign_id: str) -> Sequence[SmsReply]:
        """What readers answered to one campaign, however often it is asked."""
        ...

    def blacklist(self) -> Sequence[BlacklistEntry]:
        """Every number that asked the provider to stop, or that it refuses."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class SmsProvider(SmsGateway, SmsAccount, Protocol):
    """The provider as the senders need it: it sends, and says what is left on the account."""

    def simulate(self, messages: Sequence[RenderedText]) -> int:
        """What texts would cost, in segments, without sending them. Raises like `SmsGateway.send`."""
        ...


class LetterStore(Protocol):
    """Where letter batches are kept for printing."""

    def store(self, name: str, files: Iterable[tuple[str, bytes | Path]], *, replace: bool = False) -> Sequence[str]:
        """Write the files of one batch under `name`; a file is there whole or not at all. Returns their locations.

        A file is given as its bytes, or as the path of a local file to copy when it is large. A name that is taken
        gets a number (`name-2`), or with `replace` its files take the place of those of an interrupted try.

        Raises LetterStoreUnavailable: nothing of the batch is then left, whatever an interrupted try had left there
        included, as far as the store lets it be removed.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a batch and all its files; nothing happens when there is none. Raises LetterStoreUnavailable."""
        ...

    def remove_older(self, name: str, *, before: datetime) -> int:
        """Remove folders below `name` not written in since `before`; how many. Raises LetterStoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One passage of a stage over one day, as the ledger knows it. `closed_at`: when its books were last counted."""

    run_id: int
    stage: Stage
    reference_date: date
    due_date: date
    today: date
    dry_run: bool
    planned: bool
    closed_at: datetime | None = None


class Ledger(Protocol):
    """The ledger: what was seen, planned, attempted and answered. A context manager. Raises LedgerUnavailable."""

    def __enter__(self) -> Ledger: ...

    def __exit__(self, *exc: Any) -> None: ...

    def open_run(
        self, *, stage: Stage, reference_date: date, due_date: date, today: date, dag_run_id: str, dry_run: bool
    ) -> Run:
        """Begin a run. A first try that did not finish reading the ILS is begun afresh under its number."""
        ...

    def run(self, run_id: int) -> Run:
        """One run."""
        ...

    def unfinished_runs(self, run_id: int) -> Sequence[Run]:
        """The runs of the last month of this run's stage, begun before it, that never came to a green end."""
        ...

    def record_loans(self, run_id: int, rows: Sequence[Loan | RejectedRow]) -> None:
        """Write rows as they are read, in bulk; a row that repeats one already read is recorded as a duplicate."""
        ...

    def finish_extraction(self, run_id: int, loans_extracted: int, reading: Reading | None = None) -> None:
        """Say that every row was read, how many loans there are to tell of, and what the ILS gave."""
        ...

    def readings(self) -> Readings:
        """The part of the ledger that knows what runs read of the ILS."""
        ...

    def planning(self, run_id: int) -> Planning:
        """Open the one transaction in which a run is planned."""
        ...

    def taking_over(self, run_id: int) -> Planning:
        """Open the one transaction in which letters are planned for a run's e-mails that did not arrive.

        Its `patrons` are the readers of these e-mails, with the loans that nothing holds any more.
        """
        ...

    def planned_count(self, run_id: int, channel: Channel) -> int:
        """Deliveries of this run that wait to leave by this channel."""
        ...

    def sender(self, run_id: int, channel: Channel, *, share: Share = WHOLE) -> Sender:
        """Become a sender of this run, or of a share of it; claims left by a sender that died become IN_DOUBT."""
        ...

    def planned_volume(self, run_id: int) -> Mapping[Channel, int]:
        """Deliveries of this run that wait to leave, by channel."""
        ...

    def sample(self, run_id: int, channel: Channel, *, size: int) -> Sequence[Delivery]:
        """Some of the deliveries of this run that wait to leave by this channel, `size` at most; for reading only."""
        ...

    def alone(self, run_id: int, channel: Channel) -> AbstractContextManager[None]:
        """Hold the lock on this run's letters of this kind: nobody lays them out, prints or approves them meanwhile.

        Raises LedgerUnavailable on entering when another task holds it.
        """
        ...

    def past_volumes(self, run_id: int, *, runs: int) -> Sequence[Mapping[Channel, int]]:
        """Deliveries by channel of the last green runs of this run's stage, the newest first, this one left out."""
        ...

    def record_volume_answer(self, run_id: int, answer: VolumeAnswer, *, who: str = "", reading: bool = False) -> None:
        """Keep what was said of a run's volume, or of its `reading`, for the senders to look it up."""
        ...

    def volume_answer(self, run_id: int) -> VolumeAnswer | None:
        """The newest answer about a run's volume, None when nobody looked at it yet."""
        ...

    def days_to_watch(self, *, since: date, until: date, stages: Collection[Stage] = ...) -> Sequence[WatchedDay]:
        """Days of these stages, from one to another, both included, that have no green run."""
        ...

    def cancel_waiting(self, run_id: int, reason: Reason, channels: Sequence[Channel]) -> int:
        """Cancel everything that waits in this run by these channels; returns how many deliveries."""
        ...

    def segments_since(self, since: datetime) -> int:
        """Segments of the SMS that left, or may have left, since a moment."""
        ...

    def keep_sms_credit(self, segments: int, *, at: datetime) -> None:
        """Keep what the provider said is left on the account, in segments, at a moment."""
        ...

    def missed_days(self, run_id: int, *, within_days: int) -> Sequence[date]:
        """Days before this run's own without any green run of its stage, back to the first green one at most."""
        ...

    def letters(self) -> LetterBatches:
        """The part of the ledger where batches of letters are kept."""
        ...

    def drafts(self) -> LetterDrafts:
        """The part of the ledger where drafts of registered letters wait for approval."""
        ...

    def feedback(self) -> SmsFeedback:
        """The part of the ledger where the SMS provider's answers are kept."""
        ...

    def mail_feedback(self) -> MailFeedback:
        """The part of the ledger where e-mails that came back are kept."""
        ...

    def loans_of_failed_emails(self, run_id: int, *, since: datetime) -> Sequence[Loan]:
        """Loans of other days whose e-mail of this run's stage failed since, and that no run has taken up again."""
        ...

    def remember_refused_addresses(self) -> int:
        """Write no more to the e-mail addresses whose servers said lately that they do not exist; how many are new."""
        ...

    def loan_ends(self) -> LoanEnds:
        """The part of the ledger where the ends of loans are kept."""
        ...

    def close_run(self, run_id: int) -> Books:
        """Count the books, keep them with the run and return them."""
        ...


__all__ = [
    "Ledger",
    "LetterStore",
    "LoanSource",
    "MailRelay",
    "Planning",
    "Run",
    "Sender",
    "SmsGateway",
]
