"""A reader's addresses on a page: masked, until somebody asks to see them and is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loan_reminders.domain.dispute.loan_file import Dispute, SuppressionRecord
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Refusal
from loan_reminders.french.pages.readers import MessageWords, contact_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to reach a reader: what it is, its lines, and what stands in the way since when, empty when nothing."""

    name: str
    lines: tuple[str, ...]
    trouble: str = ""
    since: str = ""


def newest_patron(disputes: Sequence[Dispute]) -> Patron | None:
    """The reader as the newest of these loans describes them."""
    cycles = [cycle for dispute in disputes for cycle in dispute.cycles]
    return max(cycles, key=lambda cycle: cycle.last_seen).loan.patron if cycles else None


def contacts(disputes: Sequence[Dispute], *, now: datetime, shown: bool, words: MessageWords) -> tuple[Contact, ...]:
    """The ways to reach a reader as the ILS gives them, and whether they are used any more."""
    patron = newest_patron(disputes)
    if patron is None:
        return ()
    in_force = {
        one.recipient: one
        for dispute in disputes
        for one in dispute.suppressions
        if one.lifted_at is None and (one.until is None or one.until > now)
    }
    ways = ((Channel.EMAIL, patron.email), (Channel.SMS, patron.mobile), (Channel.LETTER, patron.address))
    return tuple(_contact(channel, value, in_force, shown=shown, words=words) for channel, value in ways)


def _contact(
    channel: Channel,
    value: Recipient | Refusal,
    in_force: dict[Recipient, SuppressionRecord],
    *,
    shown: bool,
    words: MessageWords,
) -> Contact:
    name = contact_words(channel)
    if isinstance(value, Refusal):
        return Contact(name=name, lines=(), trouble=contact_words(channel, value))
    stopped = in_force.get(value)
    lines = lines_of(value) if shown else masked(value)
    if stopped is None:
        return Contact(name=name, lines=lines)
    return Contact(name=name, lines=lines, trouble=words.suppression(stopped), since=words.when(stopped.since))


def lines_of(recipient: Recipient) -> tuple[str, ...]:
    """An address as it is, line by line; a French number as it is dialled in France."""
    match recipient:
        case PostalAddress():
            return recipient.lines
        case MobileNumber():
            return (_dialled(recipient.value),)
        case EmailAddress():
            return (recipient.value,)


def masked(recipient: Recipient) -> tuple[str, ...]:
    """Enough of an address for whoever knows it to say that it is the right one, and no more."""
    match recipient:
        case PostalAddress():
            return (f"… {recipient.lines[-1]}",)
        case MobileNumber():
            return (f"•• •• •• •• {recipient.value[-2:]}",)
        case EmailAddress():
            name, _, domain = recipient.value.partition("@")
            return (f"{name[:1]}•••@{domain}",)


def _dialled(number: str) -> str:
    if not number.startswith("33") or len(number) != 11:
        return f"+{number}"
    digits = f"0{number[2:]}"
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))
