"""What planning a run and sending its deliveries need from the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from loan_reminders.domain.email.put_off import PutOff
from loan_reminders.domain.email.refused_elsewhere import RefusedElsewhere
from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.letters.batches import EarlierReminder
from loan_reminders.domain.loans import Loan, SmsChoice
from loan_reminders.domain.messages import LetterBatch, Receipt, SentWords
from loan_reminders.domain.notices import Delivery, History, LoanKey, Refused, Skip
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.runs.holds import Held
from loan_reminders.domain.runs.reading.doubts import PastReading
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.states import Reason
from loan_reminders.domain.suppressions.objections import Objections
from loan_reminders.domain.suppressions.suppression import Suppressed


class Planning(Protocol):
    """The transaction that plans a run: all or nothing."""

    def __enter__(self) -> Planning: ...

    def __exit__(self, *exc: Any) -> None: ...

    def patrons(self) -> Iterator[Sequence[Sequence[Loan]]]:
        """Pages of readers, each reader with all the loans this run saw and has not planned yet."""
        ...

    def history(self, keys: Sequence[LoanKey]) -> History:
        """The live claims on these loans at this run's stage."""
        ...

    def refused(self, keys: Sequence[LoanKey]) -> Refused:
        """The recipients that refused this stage's message about these loans, or bounced it."""
        ...

    def suppressed(self, recipients: Sequence[Recipient]) -> Suppressed:
        """Those of these recipients that are not written to any more, and how a loan is skipped for each."""
        ...

    def sms_choices(self, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
        """What those of these readers who are on the librarians' list said about SMS."""
        ...

    def held(self, patron_ids: Sequence[str]) -> Held:
        """What a librarian said not to write about, of these readers, on the day of this run."""
        ...

    def objected(self, patron_ids: Sequence[str]) -> Objections:
        """The channels that these readers refuse."""
        ...

    def adopt(self, keys: Sequence[LoanKey]) -> int:
        """Take over the deliveries that an earlier run planned for these loans and never attempted."""
        ...

    def record(self, deliveries: Sequence[Delivery], skips: Sequence[Skip]) -> None:
        """Write notices, deliveries, claims and skips, in bulk."""
        ...

    def keep_holdback(self, holdback: Holdback) -> None:
        """Keep that SMS were held back at random on the day of this run; a dry run keeps nothing."""
        ...


class Sender(Protocol):
    """One process sending the deliveries of one run by one channel, or a share of them. A context manager."""

    def __enter__(self) -> Sender: ...

    def __exit__(self, *exc: Any) -> None: ...

    def waiting(self, page_size: int = 500) -> Iterator[Sequence[Delivery]]:
        """Deliveries that wait, page by page, each once; nothing is claimed yet."""
        ...

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Record what came back, in one committed transaction."""
        ...

    def claim(
        self,
        deliveries: Sequence[uuid.UUID],
        words: Sequence[SentWords] = (),
        *,
        redirected: Sequence[uuid.UUID] = (),
        segments: int = 0,
    ) -> frozenset[uuid.UUID]:
        """Mark deliveries as attempted, in one committed transaction: after it, their messages may leave.

        `words` are what these messages say; the words of a delivery that is not ours are not kept. Those `redirected`
        go to a test address, so that they tell their readers nothing. `segments` are what each SMS costs if its answer
        never comes. Returns the deliveries that are ours; another
        sender may have taken the rest. In a dry run nothing is ever ours.
        """
        ...

    def record_and_claim(
        self,
        receipts: Sequence[Receipt],
        deliveries: Sequence[uuid.UUID],
        words: Sequence[SentWords] = (),
        *,
        redirected: Sequence[uuid.UUID] = (),
    ) -> frozenset[uuid.UUID]:
        """Do `record`, then `claim`, in one transaction instead of two. Returns what `claim` returns."""
        ...

    def waiting_loans(self) -> frozenset[LoanKey]:
        """The loans of what waits in this run by this channel."""
        ...

    def drop(self, gone: Mapping[LoanKey, Reason]) -> int:
        """Take loans out of what waits; deliveries without any left are cancelled. Returns how many were."""
        ...

    def drop_held(self, today: date) -> int:
        """Take out of what waits what a librarian said not to write about today; returns how many loans.

        From here on `claim` takes nothing that is held that day, and `waiting` offers again, without its held loans,
        what was left for that.
        """
        ...

    def cancel_waiting(self, reason: Reason) -> int:
        """Cancel everything that waits in this run by this channel; returns how many deliveries."""
        ...

    def numbers_texted_since(self, since: datetime) -> frozenset[str]:
        """The mobile numbers that were, or may have been, written to since a moment, by any run of the library."""
        ...

    def earlier_reminders(
        self, deliveries: Sequence[Delivery], *, zone: str, trial: bool = False
    ) -> Mapping[uuid.UUID, tuple[EarlierReminder, ...]]:
        """For each of these deliveries, the reminders of this cycle about its loans that left before, oldest first.

        The day each left is that of `zone`, an IANA name; a letter left on the day its batch was printed. What was
        redirected told nobody, and is named by the letters of a `trial` alone.
        """
        ...

    def record_batch(self, batch: LetterBatch, receipts: Sequence[Receipt] = ()) -> int:
        """Record a stored batch of letters, in one transaction with its receipts (a draft has none); its number."""
        ...

    def take_mail_connections(self, *, of: int, wanted: int) -> int:
        """Take at most `wanted` of the `of` SMTP connections that the library may keep open, until this sender ends.

        All senders of the library share them. Returns how many are now this sender's, 0 when none is free.
        """
        ...

    def refused_elsewhere(self) -> Sequence[RefusedElsewhere]:
        """What other senders of this run were refused, of those that the server has served nobody."""
        ...

    def put_off_since_last_accepted(self) -> Sequence[PutOff]:
        """Those of this run, of whatever share, that wait because the server put them off, all of them since its last
        acceptance: nothing that left after the first such answer to them was accepted. 100 at most.
        """
        ...

    def others_at_work(self) -> bool:
        """Whether anything of this run and channel is under way or waits outside this sender's share."""
        ...

    def fail_deferred(self) -> int:
        """Give up those that were refused for the moment and still wait: FAILED, retries exhausted."""
        ...


class MailPace(Protocol):
    """What holds e-mails back, so that so many leave in a minute. May be shared between threads."""

    def wait(self) -> None:
        """Return when the next message may leave. Raises a TemporaryError when that cannot be known."""
        ...


class Readings(Protocol):
    """What runs read of the ILS."""

    def of(self, run_id: int) -> Reading | None:
        """What a run read, None where it was not counted: not read to the end, or before this was kept."""
        ...

    def before(self, run_id: int, *, since: date) -> Sequence[PastReading]:
        """The readings of this run's stage about earlier due dates, of runs about days from `since` on.

        Those that a person refused, or was asked about and did not answer, are left out; so are dry runs.
        """
        ...

    def doubted(self, run_id: int) -> bool:
        """Whether a person was asked about the reading of this run, the last time anything was asked."""
        ...
