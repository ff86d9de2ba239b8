"""What the use case about bounces needs from the mailbox and from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from loan_reminders.domain.email.feedback import Bounce, ReadMessage
from loan_reminders.domain.email.mass_bounces import HeldBounces


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettled:
    """What settling the kept bounces changed.

    `moved`: deliveries that became BOUNCED; `unknown`: bounces that are about no e-mail of ours, or not about the
    address it went to; `dead_addresses`: addresses newly on the list; `held`: definite bounces that came too many at
    once and wait for a librarian's decision.
    """

    bounces: int = 0
    moved: int = 0
    unknown: int = 0
    dead_addresses: int = 0
    held: int = 0

    def __add__(self, other: MailSettled) -> MailSettled:
        return MailSettled(**{name: getattr(self, name) + getattr(other, name) for name in MailSettled.__slots__})


class MailFeedback(Protocol):
    """The part of the ledger where bounces are kept. Raises LedgerUnavailable."""

    def keep(self, bounces: Sequence[Bounce]) -> int:
        """Keep bounces as they came, each once, before they are settled; returns how many are new."""
        ...

    def put_aside(self) -> int:
        """How many bounces could not be kept or settled, and were put aside, since this was last asked."""
        ...

    def settle(self, *, failures: int) -> MailSettled:
        """Settle the bounces that were kept: e-mails become BOUNCED, dead addresses are written to no more.

        An address is dead after one definite bounce, or when the last `failures` e-mails to it, counted back from
        the latest that bounced, all did; unless too many would die at once (`domain.email.mass_bounces`).
        """
        ...

    def held(self) -> Sequence[HeldBounces]:
        """Definite bounces that came too many at once and wait for a librarian, a line a domain."""
        ...

    def decide(self, domain: str, *, dead: bool, who: str, failures: int) -> int:
        """Believe the held bounces of a domain, or not, and settle them; returns how many."""
        ...


class SharedMailbox(Protocol):
    """The other libraries whose e-mails come back to the same mailbox. Raises LedgerUnavailable."""

    def keep_theirs(self, bounces: Sequence[Bounce]) -> Sequence[Bounce]:
        """Keep what is about an e-mail of another library, for that one to settle; returns what is about none."""
        ...


class BounceMailbox(Protocol):
    """The mailbox where bounces arrive. Raises BounceMailboxUnavailable or BounceMailboxRejected."""

    def waiting(self) -> int:
        """How many messages are in the mailbox."""
        ...

    def pages(self) -> Iterator[Sequence[ReadMessage]]:
        """Every message, the oldest first, page by page; reading leaves no trace in the mailbox."""
        ...

    def put_away(self, uids: Sequence[int]) -> None:
        """Move messages to the folder of what was read; none is ever lost."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
