"""Rows of the suppression list, in the words that a librarian reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from loan_reminders.domain.email.refused_addresses import REFUSED_AT_ONCE
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import (
    HIDDEN,
    Suppression,
    SuppressionReason,
    SuppressionSummary,
)
from loan_reminders.french.days import minute_words, when_words
from loan_reminders.french.pages.corrections import address_words, number_words
from loan_reminders.french.plurals import many
from loan_reminders.french.words import SOURCES, SUPPRESSIONS

_HIDDEN = {
    Channel.EMAIL: "e-mail effacé (une empreinte reste)",
    Channel.SMS: "numéro effacé (une empreinte reste)",
    Channel.LETTER: "adresse effacée (une empreinte reste)",
    Channel.REGISTERED_LETTER: "adresse effacée (une empreinte reste)",
}
_ADDRESSES = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.RETURNED_UNDELIVERABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionRow:
    """One line, in words. `ended` is empty for a line in force without an end; `answer` is in a server's own words."""

    suppression_id: int
    number: str
    reason: str
    source: str
    since: str
    ended: str
    because: str
    detail: str
    answer: str
    in_force: bool
    sms_since: int


def row_of(line: Suppression, *, now: datetime, zone: tzinfo) -> SuppressionRow:
    """One line of the list."""
    if line.lifted_at is not None:
        who = f" par {line.lifted_by}" if line.lifted_by not in ("échéance", "remplacé") else f" ({line.lifted_by})"
        ended = f"levée {when_words(line.lifted_at, now=now, zone=zone)}{who}"
    else:
        ended = "" if line.until is None else f"jusqu'au {minute_words(line.until, zone=zone)}"
    detail, _, answer = line.detail.partition(f"{REFUSED_AT_ONCE} : ")
    return SuppressionRow(
        suppression_id=line.suppression_id,
        number=who_is_meant(line.channel, line.recipient),
        reason=SUPPRESSIONS[line.reason],
        source=SOURCES[line.source],
        since=when_words(line.since, now=now, zone=zone),
        ended=ended,
        because=line.lifted_because,
        detail=detail or (REFUSED_AT_ONCE if answer else ""),
        answer=answer,
        in_force=line.in_force,
        sms_since=line.sms_since,
    )


def who_is_meant(channel: Channel, recipient: str) -> str:
    """A number, an e-mail address, or the lines of a postal address: `MME MARTIN, 12 RUE DES LILAS, 06000 NICE`.

    Of a reader who was removed only a hash is kept: nothing can be shown, and nothing is written to it all the same.
    """
    if recipient.startswith(HIDDEN):
        return _HIDDEN[channel]
    if channel is Channel.SMS:
        return shown(recipient)
    if channel is Channel.EMAIL:
        return recipient
    return address_words(recipient)


def question_answered(summary: SuppressionSummary) -> str:
    """Who unsubscribed, and do we still pay for them?"""
    total = sum(summary.in_force.values())
    if not total:
        return "Personne n'est désinscrit."
    parts = ", ".join(f"{SUPPRESSIONS[reason]} : {number}" for reason, number in sorted(summary.in_force.items()))
    dead = sum(number for reason, number in summary.in_force.items() if reason in _ADDRESSES)
    counted = [(total - dead, "numéro désinscrit", "numéros désinscrits"), (dead, "adresse morte", "adresses mortes")]
    numbers = " et ".join(many(*one) for one in counted if one[0])
    if dead == total:
        return f"{numbers} ({parts}). Aucun numéro n'est désinscrit des SMS."
    if not summary.sms_since:
        paid = "Aucun SMS n'est parti vers eux depuis : rien n'est plus payé pour eux."
    else:
        left = many(summary.sms_since, "SMS est parti", "SMS sont partis")
        paid = f"{left} vers eux depuis leur désinscription."
    return f"{numbers} ({parts}). {paid}"


def shown(number: str) -> str:
    """A number as it is written in France, `06 39 98 00 01`; one from elsewhere with its country code."""
    return number_words(number)
