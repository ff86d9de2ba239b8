"""What the use cases about one reader need from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.messages import Receipt, SentWords
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.readers.resend import LastMessage
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.runs.holds import Held
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.objections import Objections
from loan_reminders.domain.suppressions.suppression import Suppressed


class Resends(Protocol):
    """The part of the ledger where messages sent once more are kept. Raises LedgerUnavailable."""

    def last(self, patron_id: str, channel: Channel) -> LastMessage | None:
        """The last message that left, or may have left, for a reader by a channel; None when there is none."""
        ...

    def resent_on(self, patron_id: str, channel: Channel, day: date) -> bool:
        """Whether a message was sent once more to a reader by a channel on a day."""
        ...

    def held(self, patron_ids: Sequence[str], *, today: date) -> Held:
        """What a librarian said not to write about today."""
        ...

    def suppressed(self, recipients: Sequence[Recipient]) -> Suppressed:
        """Those of these recipients that are not written to any more."""
        ...

    def objected(self, patron_ids: Sequence[str]) -> Objections:
        """The channels that these readers refuse."""
        ...

    def sms_choices(self, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
        """What those of these readers who are on the librarians' list said about SMS."""
        ...

    def never_reached(self, number: str) -> bool:
        """Whether no SMS of the library has reached a number."""
        ...

    def segments_since(self, since: datetime) -> int:
        """Segments of the SMS that left, or may have left, since a moment."""
        ...

    def keep_sms_credit(self, segments: int, *, at: datetime) -> None:
        """Keep how many segments the SMS account still pays for, as it was said at a moment."""
        ...

    def texting_alone(self) -> AbstractContextManager[None]:
        """Be the library's only sender of SMS. Raises LedgerUnavailable at once when another texts."""
        ...

    def begin(
        self,
        delivery: Delivery,
        *,
        again: LastMessage,
        words: SentWords,
        who: str,
        today: date,
        redirected: bool,
        segments: int = 0,
    ) -> None:
        """Keep, in one committed transaction, that this message is about to leave: from here on it may have left.

        One that is `redirected` goes to a test address, and never counts as having told its reader; `segments` are
        what an SMS costs if its answer never comes. Raises ResendRefused when the reader had one today
        already, was held or suppressed meanwhile.
        """
        ...

    def end(self, receipt: Receipt) -> None:
        """Keep what became of it. CANCELLED: nothing left, and it may be tried again the same day."""
        ...
