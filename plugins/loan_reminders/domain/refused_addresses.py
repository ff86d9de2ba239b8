"""E-mail addresses that a server refused to our face: which of them are not to be written to any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loan_reminders.domain.bounce_verdict import verdict
from loan_reminders.domain.mail_feedback import BounceKind

MOST_OF_A_DOMAIN = 5
"""When more addresses of one domain would die in one reading, none does: a fault of ours looks exactly like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAddress:
    """An address that refused a message, what its server answered, and when the message had left."""

    address: str
    answer: str
    since: datetime


def is_about_the_address(answer: str) -> bool:
    """Whether a server's refusal says that there is no such address, by the rule that bounces are judged by."""
    return verdict(status="", diagnostic=answer) is BounceKind.HARD


def dead_among(refused: Sequence[RefusedAddress]) -> tuple[Sequence[RefusedAddress], Sequence[str]]:
    """Those of these addresses that are dead, each once, and the domains of which too many would be at once."""
    dead = list({one.address: one for one in refused if is_about_the_address(one.answer)}.values())
    by_domain = Counter(_domain(one.address) for one in dead)
    doubtful = sorted(domain for domain, number in by_domain.items() if number > MOST_OF_A_DOMAIN)
    return [one for one in dead if _domain(one.address) not in doubtful], doubtful


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
