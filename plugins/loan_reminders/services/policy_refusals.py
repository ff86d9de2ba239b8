"""Refusals for policy's sake: one reader's lot, or everybody's?

A server that refuses a message by 5.7.x says that somebody may not send, not that the recipient does not exist. Whether
that is about one recipient or about all is known only by what the next ones are told. The rule: such a refusal leaves
the delivery planned, with its reason. Once another message is accepted, those refused until then are refused for good.
When three recipient domains in a row, or ten recipients in a row, are refused so without any acceptance between them,
the server refuses everybody: the run stops, and all of them stay planned.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from loan_reminders.domain.errors import TO_MEND, MailRelayRejected
from loan_reminders.domain.mail_words import without_addresses
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.states import DeliveryState, Reason

DOMAINS_IN_A_ROW = 3
RECIPIENTS_IN_A_ROW = 10
_REFUSED = frozenset({Reason.RECIPIENT_REFUSED, Reason.MESSAGE_REFUSED})


@dataclass(slots=True)
class PolicyRefusals:
    """Those that nobody knows yet how to take; never more than ten."""

    _open: list[Receipt] = field(default_factory=list)
    _domains: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._open)

    def settle(self, receipts: Sequence[Receipt], domains: Mapping[uuid.UUID, str]) -> tuple[Receipt, ...]:
        """Take in what came back, in its order; returns the refusals that an acceptance proves to be one reader's.

        `domains` are the recipients' domains by delivery.
        """
        settled: list[Receipt] = []
        for receipt in receipts:
            if receipt.state is DeliveryState.ACCEPTED:
                settled += [replace(one, state=DeliveryState.REFUSED) for one in self._open]
                self._open.clear()
                self._domains.clear()
            elif undecided(receipt) and not self.everybody:
                self._open.append(receipt)
                self._domains.add(domains.get(receipt.delivery_id, ""))
        return tuple(settled)

    @property
    def everybody(self) -> bool:
        """Whether the server refuses everybody."""
        return len(self._domains) >= DOMAINS_IN_A_ROW or len(self._open) >= RECIPIENTS_IN_A_ROW

    def error(self) -> MailRelayRejected:
        """The error that stops the run, with what the server said."""
        raw = without_addresses(self._open[-1].raw) if self._open else ""
        return MailRelayRejected(
            f"Le serveur de messagerie refuse nos messages à tous ({len(self._open)} refus de suite, aucun message"
            f" accepté entre-temps) et répond « {raw} ». Aucun lecteur n'est tenu pour injoignable. {TO_MEND}"
        )


def undecided(receipt: Receipt) -> bool:
    """Whether a receipt says « refused for policy's sake »: planned again, with the reason of a refusal."""
    return receipt.state is DeliveryState.PLANNED and receipt.reason in _REFUSED
