"""Many addresses that would be marked dead at once: a fault of ours looks like that, so a person is asked first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

MOST_OF_ONE_DOMAIN = 5
"""Addresses of one domain that may be marked dead in one reading of the mailbox; of more, none is."""
MOST_OF_A_DAY = 0.05
"""The share of a day's e-mails that may come back for good; of more, none of the addresses is marked dead."""
FEWEST_OF_A_DAY = 20
"""Below so many e-mails a day the share says nothing and is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadCandidate:
    """An address that a definite bounce would mark as dead: the bounce's number, and the day its e-mail was sent."""

    bounce_id: int
    address: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfMail:
    """A day's e-mails: how many left, and how many addresses they have already put on the list."""

    sent: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBounces:
    """Definite bounces of one domain that wait for a librarian's word. `said` is what the server said of one."""

    domain: str
    addresses: int
    said: str
    since: datetime


def domain_of(address: str) -> str:
    """The part behind the @, lower case."""
    return address.rpartition("@")[2].lower()


def of_crowded_domains(addresses: Collection[str]) -> frozenset[str]:
    """Those of these addresses that share their domain with too many others to be all dead."""
    of_domain: dict[str, set[str]] = defaultdict(set)
    for address in addresses:
        of_domain[domain_of(address)].add(address)
    crowded = (some for some in of_domain.values() if len(some) > MOST_OF_ONE_DOMAIN)
    return frozenset(address for some in crowded for address in some)


def bounces_to_hold(candidates: Sequence[DeadCandidate], days: Mapping[date, DayOfMail]) -> frozenset[int]:
    """The bounces of one reading that are too many to be believed: of one domain, or of one day's e-mails."""
    crowded = of_crowded_domains({one.address for one in candidates})
    of_day: dict[date, set[str]] = defaultdict(set)
    for one in candidates:
        of_day[one.day].add(one.address)
    bad_days = {day for day, addresses in of_day.items() if _too_many(len(addresses), days.get(day))}
    return frozenset(one.bounce_id for one in candidates if one.address in crowded or one.day in bad_days)


def _too_many(candidates: int, day: DayOfMail | None) -> bool:
    return day is not None and day.sent >= FEWEST_OF_A_DAY and candidates + day.dead > MOST_OF_A_DAY * day.sent
