"""What the desk has to do: readers whom nothing reached, answers to read, bad addresses, messages in doubt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReached:
    """A reader whom nothing reached, by the newest run that tried. The name is empty when it is not known any more.

    `reader_number` is the number of his page, None when he was erased.
    """

    patron_id: str
    patron_name: str
    patron_barcode: str
    reader_number: int | None
    stage: Stage
    day: date
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadAddress:
    """A postal address from which a letter came back. `detail` names the letter."""

    suppression_id: int
    address: PostalAddress
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckDelivery:
    """A delivery that did not arrive, or of which nobody knows whether it left; `reader_number` as above."""

    delivery_id: uuid.UUID
    patron_id: str
    patron_name: str
    patron_barcode: str
    reader_number: int | None
    stage: Stage
    channel: Channel
    state: DeliveryState
    reason: Reason | None
    day: date
    at: datetime | None


class AsideKind(StrEnum):
    """What of the things that come back could not be kept or settled."""

    RECEIPT = "receipt"
    REPLY = "reply"
    BLACKLIST = "blacklist"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAside:
    """Something that came back and that the program could make nothing of. `about` is a number or an address."""

    put_aside_id: int
    kind: AsideKind
    about: str
    said: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToRead:
    """What a reader answered to an SMS, and is for a person to read. `number` is as the ledger writes it, or empty.

    `readers` are those who have this number, or to whom an SMS to it was sent: the number of the page, and the name.
    """

    reply_number: int
    number: str
    text: str
    at: datetime
    readers: Sequence[tuple[int, str]]


class DeskList(StrEnum):
    """The lists of the desk, as they stand in the address of its page."""

    REPLIES = "reponses"
    NOT_REACHED = "non-joints"
    NOT_ARRIVED = "non-aboutis"
    IN_DOUBT = "en-doute"
    NOT_RENDERED = "non-composees"
    PUT_ASIDE = "mis-de-cote"
    BAD_ADDRESSES = "npai"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAsked:
    """Which lists are asked for: `only` one or all, lines of one stage or all, the oldest first or not, from which on.

    Stages are of runs: replies, what was put aside, and bad addresses are of none.
    """

    only: DeskList | None = None
    stage: Stage | None = None
    oldest_first: bool = False
    offset: int = 0


EVERYTHING = DeskAsked()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskWork:
    """The desk's lists, the newest line first; one that was not asked for is empty."""

    replies: Sequence[ReplyToRead] = ()
    not_reached: Sequence[NotReached] = ()
    bad_addresses: Sequence[BadAddress] = ()
    in_doubt: Sequence[StuckDelivery] = ()
    not_rendered: Sequence[StuckDelivery] = ()
    not_arrived: Sequence[StuckDelivery] = ()
    put_aside: Sequence[PutAside] = ()
