"""The part « Droits du lecteur » of a reader's page: what he refuses, what was put right, and what may be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from loan_reminders.domain.readers.amendments import AmendedField, Amendment
from loan_reminders.domain.suppressions.objections import MAY_OBJECT, Objection
from loan_reminders.french.days import when_words
from loan_reminders.french.pages.reader_rights import FIELDS, REFUSED_CHANNELS
from loan_reminders.services.reader_rights.give_data import DataForm


@dataclass(frozen=True, slots=True, kw_only=True)
class RightRow:
    """One objection or amendment in force, in words."""

    number: int
    what: str
    reason: str
    noted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderRights:
    """The part of the page. `channels` are those that may still be refused, `fields` what can be put right."""

    objections: tuple[RightRow, ...]
    channels: tuple[tuple[str, str], ...]
    amendments: tuple[RightRow, ...]
    fields: tuple[tuple[str, str], ...]
    forms: tuple[str, ...]


def rights_of(
    objections: Sequence[Objection], amendments: Sequence[Amendment], *, now: datetime, zone: tzinfo
) -> ReaderRights:
    """The part of a reader's page; of what is over nothing is shown."""
    refused = {one.channel for one in objections if one.in_force}

    def noted(one: Objection | Amendment) -> str:
        return f"par {one.who}, {when_words(one.at, now=now, zone=zone)}"

    return ReaderRights(
        objections=tuple(
            RightRow(
                number=one.objection_id,
                what=_capital(REFUSED_CHANNELS[one.channel]),
                reason=one.reason,
                noted=noted(one),
            )
            for one in objections
            if one.in_force
        ),
        channels=tuple((one.value, _capital(REFUSED_CHANNELS[one])) for one in MAY_OBJECT if one not in refused),
        amendments=tuple(
            RightRow(number=one.amendment_id, what=_capital(FIELDS[one.field]), reason=one.reason, noted=noted(one))
            for one in amendments
            if one.in_force
        ),
        fields=tuple((one.value, FIELDS[one]) for one in AmendedField),
        forms=tuple(one.value for one in DataForm),
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
