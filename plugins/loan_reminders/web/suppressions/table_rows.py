"""Lines of the suppression list as a librarian reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import tzinfo

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import Suppression, SuppressionReason, SuppressionSummary
from loan_reminders.french.days import minute_words
from loan_reminders.french.words import SOURCES, SUPPRESSIONS

_ADDRESSES = frozenset({SuppressionReason.HARD_BOUNCE, SuppressionReason.RETURNED_UNDELIVERABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionRow:
    """One line, in words. `ended` is empty for a line in force without an end."""

    suppression_id: int
    number: str
    reason: str
    source: str
    since: str
    ended: str
    detail: str
    in_force: bool
    sms_since: int


def row_of(line: Suppression, *, zone: tzinfo) -> SuppressionRow:
    """One line of the list."""
    if line.lifted_at is not None:
        who = f" par {line.lifted_by}" if line.lifted_by not in ("échéance", "remplacé") else f" ({line.lifted_by})"
        ended = f"levée le {minute_words(line.lifted_at, zone=zone)}{who}"
    else:
        ended = "" if line.until is None else f"jusqu'au {minute_words(line.until, zone=zone)}"
    return SuppressionRow(
        suppression_id=line.suppression_id,
        number=who_is_meant(line.channel, line.recipient),
        reason=SUPPRESSIONS[line.reason],
        source=SOURCES[line.source],
        since=minute_words(line.since, zone=zone),
        ended=ended,
        detail=line.detail,
        in_force=line.in_force,
        sms_since=line.sms_since,
    )


def who_is_meant(channel: Channel, recipient: str) -> str:
    """A number, an e-mail address, or the lines of a postal address: `MME MARTIN, 12 RUE DES LILAS, 06000 NICE`."""
    if channel is Channel.SMS:
        return shown(recipient)
    if channel is Channel.EMAIL:
        return recipient
    try:
        return ", ".join(json.loads(recipient)["lines"])
    except (ValueError, KeyError, TypeError):
        return recipient


def question_answered(summary: SuppressionSummary) -> str:
    """Who unsubscribed, and do we still pay for them?"""
    total = sum(summary.in_force.values())
    if not total:
        return "Personne n'est désinscrit."
    parts = ", ".join(f"{SUPPRESSIONS[reason]} : {number}" for reason, number in sorted(summary.in_force.items()))
    dead = sum(number for reason, number in summary.in_force.items() if reason in _ADDRESSES)
    counted = [(total - dead, "numéro désinscrit", "numéros désinscrits"), (dead, "adresse morte", "adresses mortes")]
    numbers = " et ".join(f"{number} {one if number == 1 else several}" for number, one, several in counted if number)
    if dead == total:
        return f"{numbers} ({parts}). Aucun numéro n'est désinscrit des SMS."
    if not summary.sms_since:
        paid = "Aucun SMS n'est parti vers eux depuis : rien n'est plus payé pour eux."
    else:
        left = "1 SMS est parti" if summary.sms_since == 1 else f"{summary.sms_since} SMS sont partis"
        paid = f"{left} vers eux depuis leur désinscription."
    return f"{numbers} ({parts}). {paid}"


def shown(number: str) -> str:
    """A number as it is written in France, `06 39 98 00 01`; one from elsewhere with its country code."""
    if number.startswith("33") and len(number) == 11:
        national = f"0{number[2:]}"
        return " ".join(national[start : start + 2] for start in range(0, 10, 2))
    return f"+{number}" if number.isdigit() else number
