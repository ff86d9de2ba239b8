"""Does the mail server refuse one recipient, or everybody?

Only the answers to the next messages can tell, whatever the code of a refusal: a server that sends no more for us says
so for each recipient in turn. The rules:

* A refusal leaves the delivery planned, with its reason, until something decides.
* The next acceptance decides: the server serves us, so those refused until then are refused for good. Those whose
  words are about us (our address, account, rate) are not: they wait for another try. A message that another connection
  had begun before a refusal ends the row and decides nothing of it: the server may have changed its mind since.
* Three domains in a row, or ten recipients in a row, without any acceptance between them: the server refuses
  everybody. The run stops, and all of them stay planned. A refusal that says « no such address » in words that
  cannot be mistaken counts among the ten, not among the three: dead addresses often follow one another.
* At the end of the run those that name a dead address or a mailbox are refused for good, the others wait for another
  try; unless no message was accepted at all, and too many were refused for all of them to be dead.
* After the last try those who were put off are given up; unless three domains or ten recipients were first put off
  after the run's last acceptance: the server says « later » to everybody, and all stay planned. A « later » that names
  the recipient (Postfix says 450 of a domain that is not found) counts among the ten, not among the three.

Each sender of a run judges by its own answers: a server that serves one machine may refuse another. One that was served
nobody also counts what the run's other senders were refused, of those that were served nobody either: together they
condemn no more readers than one sender would.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from loan_reminders.domain.email.bounce_verdict import Cause, cause, is_about_one_recipient
from loan_reminders.domain.email.put_off import PutOff
from loan_reminders.domain.email.refused_elsewhere import RefusedElsewhere
from loan_reminders.domain.email.return_path import without_addresses
from loan_reminders.domain.errors import TO_MEND, MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.plurals import many

DOMAINS_IN_A_ROW = 3
RECIPIENTS_IN_A_ROW = 10
DEAD_DOMAINS = 5
DEAD_OF_ONE_DOMAIN = 5
"""How many addresses may be dead in a run of which no e-mail was accepted; more than that is our own fault."""
SPEAK_OF_US = 3
_BY_THE_SERVER = frozenset({Reason.RECIPIENT_REFUSED, Reason.MESSAGE_REFUSED})
_ABOUT_THE_RECIPIENT = frozenset({Cause.NO_SUCH_ADDRESS, Cause.MAILBOX})
NOTHING_BESIDE: Mapping[uuid.UUID, frozenset[uuid.UUID]] = MappingProxyType({})
"""One connection alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Receipts to record, one a delivery, and those of them that are decided for this try."""

    record: tuple[Receipt, ...]
    decided: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    receipt: Receipt
    cause: Cause
    domain: str
    beside: frozenset[uuid.UUID]


@dataclass(slots=True)
class RefusalsInARow:
    """The refusals not yet known to be personal: never more than ten, and those in flight beside them.

    `_open` are in a row; the row of those `_overtaken` was ended by a message that left before them.
    """

    _open: list[_Refused] = field(default_factory=list)
    _overtaken: list[_Refused] = field(default_factory=list)
    _put_off_for_us: list[Receipt] = field(default_factory=list)
    _served: bool = False

    def settle(
        self,
        receipts: Sequence[Receipt],
        domains: Mapping[uuid.UUID, str],
        beside: Mapping[uuid.UUID, frozenset[uuid.UUID]] = NOTHING_BESIDE,
    ) -> Settled:
        """Take in what came back, in its order.

        By delivery, `domains` are the recipients' domains, and `beside` what other connections had begun by its answer.
        """
        record: dict[uuid.UUID, Receipt] = {}
        decided: list[Receipt] = []
        for receipt in receipts:
            if _refused_by_the_server(receipt):
                receipt = replace(receipt, state=DeliveryState.PLANNED)
                why = cause(receipt.raw)
                domain = domains.get(receipt.delivery_id, "").lower()
                others = beside.get(receipt.delivery_id, frozenset())
                self._open.append(_Refused(receipt=receipt, cause=why, domain=domain, beside=others))
            else:
                if receipt.state is DeliveryState.ACCEPTED and not self.everybody:
                    decided += self._accepted(receipt.delivery_id)
                elif receipt.reason is Reason.RECIPIENT_DEFERRED and cause(receipt.raw) is Cause.OURS:
                    self._put_off_for_us = [*self._put_off_for_us, receipt][-SPEAK_OF_US:]
                decided.append(receipt)
            record |= {one.delivery_id: one for one in (*decided, receipt)}
        return Settled(record=tuple(record.values()), decided=tuple(decided))

    def finish(self, elsewhere: Callable[[], Sequence[RefusedElsewhere]] = tuple) -> Settled:
        """What becomes of those still open when no answer is to come. Raises MailRelayRejected.

        `elsewhere` says what the run's other senders were refused; it is asked only when that counts.
        """
        if self.everybody or self._too_many_for_chance(elsewhere):
            raise self.error()
        left, self._open, self._overtaken = [*self._overtaken, *self._open], [], []
        decided = tuple(_decided(one, for_good=one.cause in _ABOUT_THE_RECIPIENT) for one in left)
        return Settled(record=decided, decided=decided)

    def before_giving_up(
        self,
        elsewhere: Callable[[], Sequence[RefusedElsewhere]] = tuple,
        put_off_since: Callable[[], Sequence[PutOff]] = tuple,
    ) -> None:
        """Raise an error when it is the server's or our fault that recipients were put off to the end.

        `put_off_since` says who was first put off after the run's last acceptance. Raises MailRelayRejected when no
        message was accepted and recipients were put off because of us, MailRelayUnavailable when everybody was.
        """
        if self._put_off_for_us and not self._served:
            for_us = len(self._put_off_for_us)
            if for_us < SPEAK_OF_US:
                for_us += sum(one.put_off and cause(one.raw) is Cause.OURS for one in elsewhere())
            if for_us >= SPEAK_OF_US:
                raise self.error()
        put_off = put_off_since()
        domains = {one.domain for one in put_off if not is_about_one_recipient(one.raw)}
        if len(domains) >= DOMAINS_IN_A_ROW or len(put_off) >= RECIPIENTS_IN_A_ROW:
            raise MailRelayUnavailable(
                "Le serveur de messagerie dit « plus tard » à tous jusqu'au dernier essai"
                f" ({many(len(put_off), 'e-mail', 'e-mails')}, aucun message accepté depuis) et répond"
                f" « {without_addresses(put_off[-1].raw)} ». Ces e-mails attendent, aucun n'est abandonné. {TO_MEND}"
            )

    @property
    def everybody(self) -> bool:
        """Whether the server refuses everybody."""
        doubtful = {one.domain for one in self._open if one.cause is not Cause.NO_SUCH_ADDRESS}
        return len(doubtful) >= DOMAINS_IN_A_ROW or len(self._open) >= RECIPIENTS_IN_A_ROW

    def error(self) -> MailRelayRejected:
        """The error that stops the run, with what the server said."""
        last = self._open[-1].receipt if self._open else self._put_off_for_us[-1]
        count = len(self._open) or len(self._put_off_for_us)
        return MailRelayRejected(
            f"Le serveur de messagerie refuse nos messages à tous ({count} refus de suite, aucun message accepté"
            f" entre-temps) et répond « {without_addresses(last.raw)} ». Aucun lecteur n'est tenu pour injoignable."
            f" {TO_MEND}"
        )

    def _accepted(self, delivery_id: uuid.UUID) -> list[Receipt]:
        """What an acceptance decides: of those refused before its message was begun."""
        left = [*self._overtaken, *self._open]
        self._open, self._served = [], True
        self._overtaken = [one for one in left if delivery_id in one.beside]
        return [_decided(one, for_good=one.cause is not Cause.OURS) for one in left if delivery_id not in one.beside]

    def _too_many_for_chance(self, elsewhere: Callable[[], Sequence[RefusedElsewhere]]) -> bool:
        if self._served or not self._open:
            return False
        others = [one for one in elsewhere() if not one.put_off]
        of_domain = Counter(one.domain for one in self._open) + Counter(one.domain for one in others)
        for_us = sum(one.cause is Cause.OURS for one in self._open)
        for_us += sum(cause(one.raw) is Cause.OURS for one in others)
        return for_us >= SPEAK_OF_US or len(of_domain) >= DEAD_DOMAINS or max(of_domain.values()) > DEAD_OF_ONE_DOMAIN


def _decided(one: _Refused, *, for_good: bool) -> Receipt:
    return replace(one.receipt, state=DeliveryState.REFUSED) if for_good else one.receipt


def _refused_by_the_server(receipt: Receipt) -> bool:
    refused = receipt.state in {DeliveryState.PLANNED, DeliveryState.REFUSED}
    return refused and receipt.reason in _BY_THE_SERVER
