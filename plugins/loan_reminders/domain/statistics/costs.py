"""What reminders cost: SMS, paper and postage by month and stage, and what was saved by who is not written to.

Money is Decimal, in euros. A price that nobody gave makes what hangs on it unknown, never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from loan_reminders.domain.stages import Channel, Stage

NOTHING = Decimal(0)


class Spared(StrEnum):
    """Why an SMS did not leave that would have been paid for."""

    OPTED_OUT = "opted_out"
    DEAD_NUMBER = "dead_number"


class Price(StrEnum):
    """A price that a library may give."""

    SEGMENT = "segment"
    SHEET = "sheet"
    ENVELOPE = "envelope"
    LETTER = "letter"
    REGISTERED = "registered"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The postage of one letter that weighs at most so many grams, in euros."""

    up_to_grams: int
    euros: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The library's prices in euros, None where it gave none, and the day they are of.

    `segment` is for SMS of which the provider told no euros. `both_sides`: two pages on a sheet. `letter` and
    `registered` are in the order of their weights.
    """

    as_of: date | None = None
    segment: Decimal | None = None
    sheet: Decimal | None = None
    envelope: Decimal | None = None
    both_sides: bool = True
    sheet_grams: Decimal = Decimal(5)
    envelope_grams: Decimal = Decimal(5)
    letter: tuple[Tariff, ...] = ()
    registered: tuple[Tariff, ...] = ()
    acknowledgement: Decimal | None = None

    def sms(self, *, told: Decimal, unpriced: int) -> Decimal | None:
        """What SMS cost: the euros that the provider told, and the segments of which it told none at their price."""
        rest = _times(unpriced, self.segment)
        return None if rest is None else told + rest

    def paper(self, pages: int) -> Decimal | None:
        """What the paper and the envelope of one letter cost."""
        if self.sheet is None or self.envelope is None:
            return None
        return self.sheet * self.sheets(pages) + self.envelope

    def sheets(self, pages: int) -> int:
        """How many sheets so many pages take."""
        return (pages + 1) // 2 if self.both_sides else pages

    def postage(self, channel: Channel, pages: int) -> Decimal | None:
        """What posting one letter costs; None where the library gave no price for its weight."""
        grams = self.envelope_grams + self.sheet_grams * self.sheets(pages)
        is_registered = channel is Channel.REGISTERED_LETTER
        tariffs = self.registered if is_registered else self.letter
        found = next((one.euros for one in tariffs if grams <= one.up_to_grams), None)
        if found is None or not is_registered:
            return found
        return None if self.acknowledgement is None else found + self.acknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersOf:
    """Letters of one channel and length that were printed, and how many of them were posted."""

    channel: Channel
    pages: int
    printed: int
    posted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the ledger counted of one month and stage. `told`: readers told, once a message.

    The provider told `told_by_provider` euros for its SMS, and no price for `unpriced` of their `segments`.
    """

    month: date
    stage: Stage
    told: int = 0
    segments: int = 0
    unpriced: int = 0
    told_by_provider: Decimal = NOTHING
    letters: Sequence[LettersOf] = ()
    spared: Mapping[Spared, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one month and stage, or several together, cost in euros; None where a price is missing.

    `spared` counts the SMS that did not leave, `saved` is what they would have cost, each at one segment.
    """

    told: int
    segments: int
    letters: int
    sms: Decimal | None
    paper: Decimal | None
    postage: Decimal | None
    spared: Mapping[Spared, int]
    saved: Mapping[Spared, Decimal | None]

    @property
    def total(self) -> Decimal | None:
        """All of it; None where a part is not known."""
        return _sum((self.sms, self.paper, self.postage))

    @property
    def per_reader(self) -> Decimal | None:
        """What a reader who was told cost; None where nobody was, or a part is not known."""
        total = self.total
        return None if total is None or not self.told else total / self.told

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            told=self.told + other.told,
            segments=self.segments + other.segments,
            letters=self.letters + other.letters,
            sms=_sum((self.sms, other.sms)),
            paper=_sum((self.paper, other.paper)),
            postage=_sum((self.postage, other.postage)),
            spared={why: self.spared[why] + other.spared[why] for why in Spared},
            saved={why: _sum((self.saved[why], other.saved[why])) for why in Spared},
        )


def cost_of(counted: Counted, prices: Prices) -> Cost:
    """What one month and stage cost at these prices."""
    return Cost(
        told=counted.told,
        segments=counted.segments,
        letters=sum(one.printed for one in counted.letters),
        sms=prices.sms(told=counted.told_by_provider, unpriced=counted.unpriced),
        paper=_sum(_times(one.printed, prices.paper(one.pages)) for one in counted.letters),
        postage=_sum(_times(one.posted, prices.postage(one.channel, one.pages)) for one in counted.letters),
        spared={why: counted.spared.get(why, 0) for why in Spared},
        saved={why: _times(counted.spared.get(why, 0), prices.segment) for why in Spared},
    )


def all_together(costs: Sequence[Cost]) -> Cost:
    """Several costs as one."""
    none = dict.fromkeys(Spared, 0)
    start = Cost(
        told=0, segments=0, letters=0, sms=NOTHING, paper=NOTHING, postage=NOTHING,
        spared=none, saved=dict.fromkeys(Spared, NOTHING),
    )  # fmt: skip
    return sum(costs, start=start)


def missing(counted: Sequence[Counted], prices: Prices) -> tuple[Price, ...]:
    """The prices without which a part of these costs is not known, in their order."""
    letters = [one for each in counted for one in each.letters]
    paper = any(one.printed for one in letters)
    posted = [one for one in letters if one.posted]
    registered = [one for one in posted if one.channel is Channel.REGISTERED_LETTER]
    bare = _with_acknowledgement(prices)
    wanted = {
        Price.SEGMENT: prices.segment is None and any(each.unpriced or each.spared for each in counted),
        Price.SHEET: paper and prices.sheet is None,
        Price.ENVELOPE: paper and prices.envelope is None,
        Price.LETTER: any(bare.postage(one.channel, one.pages) is None for one in posted if one not in registered),
        Price.REGISTERED: any(bare.postage(one.channel, one.pages) is None for one in registered),
        Price.ACKNOWLEDGEMENT: bool(registered) and prices.acknowledgement is None,
    }
    return tuple(price for price, is_missing in wanted.items() if is_missing)


def _with_acknowledgement(prices: Prices) -> Prices:
    return replace(prices, acknowledgement=prices.acknowledgement or NOTHING)


def _times(number: int, price: Decimal | None) -> Decimal | None:
    if not number:
        return NOTHING
    return None if price is None else price * number


def _sum(parts: Iterable[Decimal | None]) -> Decimal | None:
    total = NOTHING
    for part in parts:
        if part is None:
            return None
        total += part
    return total
