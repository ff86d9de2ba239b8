"""The journal page: who did what when, in words, by person, kind of act, reader and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated

from fastapi import APIRouter, Query, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.journal import JournalAct, JournalAsked, JournalLine
from loan_reminders.french.days import second_words, when_words, written_day
from loan_reminders.french.pages.journal import KINDS, Words, sentence_of
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.lists import Number, address
from loan_reminders.web.page import At, Typed

router = APIRouter(route_class=ActRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One act, in words: `in_full` is its moment to the second, `exact` the same for programs."""

    when: str
    in_full: str
    exact: str
    who: str
    said: Sequence[Words]


@router.get("/journal")
def page(
    at: At,
    par: Number = 0,
    acte: Annotated[Typed, Query(max_length=40)] = "",
    lecteur: Number = 0,
    jour: Annotated[Typed, Query(max_length=10)] = "",
    avant: Number = 0,
    apres: Number = 0,
) -> Response:
    """The newest acts, or those asked for. `avant` and `apres` are lines: the page goes on from there."""
    if acte and acte not in set(JournalAct):
        return at.problem("Ce genre d'acte n'existe pas : revenir au journal et en choisir un dans la liste.", 400)
    try:
        day = written_day(jour) if jour else None
    except ValueError:
        return at.problem("Ce jour n'est pas une date : revenir au journal et le choisir de nouveau.", 400)
    asked = JournalAsked(
        person=par, act=JournalAct(acte) if acte else None, reader=lecteur, day=day, before=avant, after=apres
    )
    zone = settings().zone
    try:
        journal = ledger_access.journal_pages()
        found = journal.page(asked, zone=zone)
        persons = journal.persons()
        reader = journal.reader(lecteur) if lecteur else None
    except ReminderError as error:
        return at.unavailable(error)
    if lecteur and reader is None:
        return at.problem("Le registre ne connaît aucun lecteur de ce numéro.", 404)
    now = datetime.now(zone)
    filters = {
        "par": str(par or ""),
        "acte": acte,
        "lecteur": str(lecteur or ""),
        "jour": day.isoformat() if day else "",
    }
    lines = found.lines
    return at.html(
        "journal.html.j2",
        rows=[_row(line, now, zone) for line in lines],
        persons=[(person.number, person.name) for person in persons],
        kinds=sorted(((str(act), words) for act, words in KINDS.items()), key=lambda kind: kind[1]),
        asked=filters,
        person=next((one.number for one in persons if one.number == par), par),
        reader=" ".join(filter(None, reader)) if reader else "",
        without_reader=address({**filters, "lecteur": ""}),
        filtered=any(filters.values()),
        newer=address({**filters, "apres": str(lines[0].entry_id)}) if lines and found.newer else "",
        older=address({**filters, "avant": str(lines[-1].entry_id)}) if lines and found.older else "",
        newest=address(filters) if avant or apres else "",
    )


def _row(line: JournalLine, now: datetime, zone: tzinfo) -> JournalRow:
    moment = line.entry.at.astimezone(zone)
    return JournalRow(
        when=when_words(moment, now=now, zone=zone),
        in_full=second_words(moment, zone=zone),
        exact=moment.isoformat(timespec="seconds"),
        who=line.entry.who,
        said=sentence_of(line),
    )
