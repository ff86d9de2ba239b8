"""The page of readers who said yes or no to SMS: who did, add one, take one off, import a list.

Who is meant travels in the body of a form, out of access logs; a line is named by its own number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response, UploadFile
from fastapi import Path as InPath

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import (
    LONGEST_NAMED,
    ChoiceLine,
    ImportDone,
    LineFault,
    UnusableFile,
    read_choice,
    read_file,
)
from loan_reminders.domain.stages import Basis, PatronCategory
from loan_reminders.french.days import when_words
from loan_reminders.french.pages.choices import (
    FILE_FAULTS,
    SOURCES,
    basis_words,
    fault_words,
    import_words,
)
from loan_reminders.french.words import SMS_CHOICES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import LARGEST_FORM, ActRoute
from loan_reminders.web.lists import LINES, Pages
from loan_reminders.web.page import At, Page, Place, Typed

LARGEST_FILE = 2 * 1024 * 1024
"""Bytes of a list: some hundred thousand lines."""
LINES_SHOWN = 50
"""Lines left out of a file that the page names; the others are counted."""
ASKED = {"oui": SmsChoice.YES, "non": SmsChoice.NO}
NOTED = "C'est noté. À partir de maintenant, ce que dit le lecteur passe avant le SIGB."
KNOWN = "La liste le disait déjà : rien n'a été changé."
REMOVED = "Retiré de la liste : le SIGB et la règle de son public décident de nouveau."


class ImportRoute(ActRoute):
    """A form with a list."""

    largest = LARGEST_FILE + LARGEST_FORM


router = APIRouter(route_class=ActRoute)
imports = APIRouter(route_class=ImportRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceRow:
    """One line of the list, in words."""

    choice_id: int
    reader_number: int | None
    name: str
    card: str
    choice: str
    source: str


@router.get("/accords-sms")
def page(
    at: At,
    dit: Annotated[Typed, Query(max_length=10)] = "",
    tri: Annotated[Typed, Query(max_length=10)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The list, the newest lines first, or with `tri` « jour » the oldest; with `dit`, those who said yes or no."""
    return _page(at, dit=dit, oldest_first=tri == "jour", number=page)


@router.post("/accords-sms/recherche")
def search(at: At, lecteur: Annotated[Typed, Form(max_length=LONGEST_NAMED)] = "") -> Response:
    """The line of one reader, by card or number."""
    return _page(at, searched=lecteur.strip())


@router.post("/accords-sms")
def note(
    at: At,
    who: Librarian,
    lecteur: Annotated[Typed, Form(max_length=LONGEST_NAMED)] = "",
    dit: Annotated[Typed, Form(max_length=10)] = "",
) -> Response:
    """Keep what a reader said."""
    choice = read_choice(dit)
    if choice is None:
        return _page(at, problem="Il faut dire oui ou non.", status=400)
    if not lecteur.strip():
        return _page(at, problem="Il manque la carte ou le numéro du lecteur.", status=400)
    try:
        ours = ledger_access.sms_choices()
        patron_id = ours.reader(lecteur.strip())
        if isinstance(patron_id, LineFault):
            return _page(at, problem=f"Rien n'a été noté : {fault_words(patron_id)}.", status=404)
        changed = ours.note(patron_id, choice, who=who)
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("accords-sms", said=NOTED if changed else KNOWN)


@router.post("/accords-sms/{choice_id}/retrait")
def remove(at: At, choice_id: Annotated[int, InPath(ge=1, lt=2**63)], who: Librarian, ici: Place = "") -> Response:
    """Take one reader off the list."""
    rules = settings().policy().sms
    asks_minors = rules.minors is Basis.OPT_IN  # whoever may be one is asked again by the next run
    opt_in = [one for one in PatronCategory if asks_minors or rules.basis(one) is Basis.OPT_IN]
    try:
        if not ledger_access.sms_choices().remove(choice_id, who=who, opt_in=opt_in):
            return _page(at, problem="Cette ligne n'est pas, ou plus, sur la liste : rien n'a été changé.", status=404)
    except ReminderError as error:
        return at.unavailable(error)
    return at.back("accords-sms", ici, said=REMOVED)


@imports.post("/accords-sms/import")
def import_list(at: At, who: Librarian, fichier: UploadFile) -> Response:
    """Take the lines of a file that can be taken, and say which cannot; taken again, it changes nothing."""
    content = fichier.file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        return _page(at, problem="Le fichier est trop grand : 2 Mo au plus. Rien n'a été pris.", status=413)
    try:
        done = ledger_access.sms_choices().take(read_file(content), who=who)
    except UnusableFile as error:
        return _page(at, problem=f"{FILE_FAULTS[error.fault]} Rien n'a été pris.", status=400)
    except ReminderError as error:
        return at.unavailable(error)
    return _page(at, taken=done, done=import_words(done))


def _page(
    at: Page,
    *,
    dit: str = "",
    oldest_first: bool = False,
    number: int = 1,
    searched: str = "",
    taken: ImportDone | None = None,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    choice = ASKED.get(dit)
    try:
        ours = ledger_access.sms_choices()
        counts = ours.counts()
        asked = {"dit": dit if choice else "", "tri": "jour" if oldest_first else ""}
        pages = Pages(number=number, lines=sum(counts.values()) if choice is None else counts[choice], asked=asked)
        pages = replace(pages, number=min(number, pages.last))
        patron_id = None if not searched else ours.reader(searched)
        nobody = isinstance(patron_id, LineFault)
        # A reader whom a file named by his number need not be known to the ledger.
        wanted = searched if nobody else patron_id
        lines = ours.lines(
            choice=choice,
            patron_id=wanted if isinstance(wanted, str) else None,
            oldest_first=oldest_first,
            limit=LINES,
            offset=0 if searched else pages.offset,
        )
    except ReminderError as error:
        return at.unavailable(error)
    config = settings()
    now = datetime.now(config.zone)
    return at.html(
        "accords.html.j2",
        status,
        rows=[_row(line, now) for line in lines],
        counts={SMS_CHOICES[one]: count for one, count in counts.items()},
        rules=basis_words(config.policy().sms),
        pages=pages,
        oldest_first=oldest_first,
        dit=dit if choice else "",
        searched=searched,
        left_out=_left_out(taken.faults) if taken else (),
        more=max(0, len(taken.faults) - LINES_SHOWN) if taken else 0,
        done=done,
        problem=problem,
    )


def _left_out(faults: Mapping[int, LineFault]) -> list[tuple[int, str]]:
    return [(number, fault_words(fault)) for number, fault in list(faults.items())[:LINES_SHOWN]]


def _row(line: ChoiceLine, now: datetime) -> ChoiceRow:
    unknown = "lecteur effacé (une empreinte reste)" if line.forgotten else "lecteur qu'aucune tournée n'a encore vu"
    return ChoiceRow(
        choice_id=line.choice_id,
        reader_number=line.reader_number,
        name=unknown if line.reader_number is None else line.name or "sans nom dans le SIGB",
        card=line.card or line.patron_id,
        choice=SMS_CHOICES[line.choice],
        source=f"{SOURCES[line.source]}, par {line.who}, {when_words(line.at, now=now, zone=settings().zone)}",
    )


router.include_router(imports)
