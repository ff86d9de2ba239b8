"""What somebody types to find a reader: it may be a card, a name, an address, a number of many kinds.

Each kind that the text may be is looked for; those that it cannot be cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from loan_reminders.domain.errors import RecipientError, TrackingNumberError
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.readers.names import searched_words
from loan_reminders.domain.readers.reader import Reader
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Refusal

LONGEST_SEARCH = 200
MOST_WORDS = 6


class FoundBy(StrEnum):
    """By what a reader was found. `OLD_…`: the ILS has another one now, but something was sent there."""

    CARD = "card"
    PATRON_ID = "patron_id"
    EMAIL = "email"
    OLD_EMAIL = "old_email"
    MOBILE = "mobile"
    OLD_MOBILE = "old_mobile"
    ITEM = "item"
    LOAN = "loan"
    REFERENCE = "reference"
    TRACKING_NUMBER = "tracking_number"
    NAME = "name"
    PART_OF_NAME = "part_of_name"
    NEAR_NAME = "near_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSearch:
    """What was typed, as each thing that it may be; empty where it cannot be that.

    `phone_refused` is why what looks like a phone is no mobile that an SMS could have gone to.
    """

    code: str
    email: str = ""
    mobile: str = ""
    phone_refused: Refusal | None = None
    tracking_number: str = ""
    words: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The writings in which the text may be a number of ours: as it is, without its spaces, in capitals or not.

        A card may be typed as it is printed, in groups; a scanner may write capitals as small letters.
        """
        closed_up = self.code.replace(" ", "")
        writings = (self.code, closed_up, closed_up.upper(), closed_up.lower())
        return tuple(dict.fromkeys(one for one in writings if one))

    @classmethod
    def parse(cls, text: str, *, countries: frozenset[str] = FRENCH_COUNTRIES) -> ReaderSearch:
        """Read what was typed or scanned, in any writing. Nothing raises: what is unreadable finds nobody.

        `countries` are the ISO codes of those whose mobiles are kept: where SMS may go.
        """
        code = " ".join(text.split())[:LONGEST_SEARCH]
        if "@" in code:
            return cls(code=code, email=_email(code))
        mobile, refused = _mobile(code, countries)
        words = searched_words(code)[:MOST_WORDS]
        return cls(
            code=code,
            mobile=mobile,
            phone_refused=refused,
            tracking_number=_tracking_number(code),
            words=words if any(not word.isdecimal() for word in words) else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMessage:
    """The message about which a reader was written to last; `at` None: it has not left yet.

    A letter is laid out `at`, then printed `printed_at`; `registered` is how far a registered one came since, and
    `registered_on` the day it was posted, signed for or came back. `redirected`: it went to a test address.
    """

    stage: Stage
    channel: Channel
    state: DeliveryState
    at: datetime | None
    printed_at: datetime | None = None
    registered: RegisteredState | None = None
    registered_on: date | None = None
    redirected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFound:
    """A reader whom a search found, and by what: the surest first."""

    reader: Reader
    by: tuple[FoundBy, ...]

    @property
    def is_exact(self) -> bool:
        """Whether what was typed is the reader's own, as a whole."""
        return self.by[0] not in (FoundBy.PART_OF_NAME, FoundBy.NEAR_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersFound:
    """Whom a search found, the surest first. `more`: there are others, that were not read."""

    readers: tuple[ReaderFound, ...]
    more: bool = False

    @property
    def only(self) -> Reader | None:
        """The one reader to open at once: the only one to whom exactly what was typed belongs."""
        exact = [one for one in self.readers if one.is_exact]
        return exact[0].reader if len(exact) == 1 and not self.more else None


def _email(text: str) -> str:
    try:
        return EmailAddress.parse(text).value.lower()
    except RecipientError:
        return text.lower()


def _mobile(text: str, countries: frozenset[str]) -> tuple[str, Refusal | None]:
    if sum(sign.isdecimal() for sign in text) < 6:
        return "", None
    try:
        return MobileNumber.parse(text, countries=countries).value, None
    except RecipientError as error:
        return "", error.code


def _tracking_number(text: str) -> str:
    try:
        return TrackingNumber.parse(text).value
    except TrackingNumberError:
        return ""
