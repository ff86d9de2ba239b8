"""E-mail addresses that a server refused while we were sending: which of them are not to be written to any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from loan_reminders.domain.email.bounce_verdict import Cause, cause
from loan_reminders.domain.email.mass_bounces import DayOfMail, DeadCandidate, bounces_to_hold, domain_of

REFUSED_AT_ONCE = "refusée à l'envoi"
"""What is kept of such an address, before what the server answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAddress:
    """An address that refused a message, what its server answered, when the message had left, and its run's day."""

    address: str
    answer: str
    since: datetime
    day: date


def is_about_the_address(answer: str) -> bool:
    """Whether a server's refusal says that there is no such address; the rule is that of bounces."""
    return cause(answer) is Cause.NO_SUCH_ADDRESS


def dead_among(
    refused: Sequence[RefusedAddress], days: Mapping[date, DayOfMail]
) -> tuple[Sequence[RefusedAddress], Sequence[str]]:
    """The dead among these addresses, each once, and the domains of which too many would be dead at once.

    `days` are the days' e-mails, as for bounces.
    """
    said = list({one.address: one for one in refused if is_about_the_address(one.answer)}.values())
    candidates = [DeadCandidate(bounce_id=number, address=one.address, day=one.day) for number, one in enumerate(said)]
    held = bounces_to_hold(candidates, days)
    dead = [one for number, one in enumerate(said) if number not in held]
    return dead, sorted({domain_of(said[number].address) for number in held})
