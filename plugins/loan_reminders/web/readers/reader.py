"""A reader's page: whether they were told, and all that was said and not said about each of their loans.

Whoever looks is recorded, each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.french.days import day_words
from loan_reminders.french.pages.readers import MessageWords, category_words
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ReaderRoute
from loan_reminders.web.lists import Pages
from loan_reminders.web.page import At, Page
from loan_reminders.web.readers.contacts import contacts
from loan_reminders.web.readers.in_dispute import kept
from loan_reminders.web.readers.loan_lines import LoanLines
from loan_reminders.web.readers.offered import acts_offered, loans_out, with_next
from loan_reminders.web.readers.replies import replies_shown
from loan_reminders.web.readers.rights import rights_of
from loan_reminders.web.readers.search import search_page
from loan_reminders.web.readers.ways import ways_to_reader

router = APIRouter(route_class=ReaderRoute)

LOANS = 8
"""Loans of a page: a reader of three years has forty."""
Fields = Mapping[str, Mapping[str, str]]
NOTHING_TYPED: Fields = {}
_FORMS = {
    "suspension": ("pret", "jusqu_au", "motif"),
    "litige": ("pret", "jusqu_au", "motif"),
    "opposition": ("canal", "motif"),
    "rectification": ("quoi", "valeur", "motif"),
}
"""The forms of the page that are shown again as they were typed when they are refused, and their fields."""
UNKNOWN = (
    "Le registre ne connaît pas ce lecteur : il a été effacé, ou l'adresse de la page est fausse. Le chercher par sa"
    " carte ou par son nom."
)


@router.get("/lecteurs/{number}")
def page(
    at: At,
    who: Librarian,
    number: int,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The page, with addresses masked."""
    return reader_page(at, who, number, page=page)


@router.post("/lecteurs/{number}/coordonnees")
def show_contacts(at: At, who: Librarian, number: int, page: Annotated[int, Form(ge=1, le=10_000)] = 1) -> Response:
    """The page once with the addresses as they are; the next time they are masked again."""
    return _page(at, who, number, page=page, act=JournalAct.CONTACTS_SHOWN)


def reader_page(
    at: Page,
    who: str,
    number: int,
    *,
    page: int = 1,
    problem: str = "",
    status: int = 200,
    typed: Fields = NOTHING_TYPED,
) -> Response:
    """The page, with addresses masked; `typed` are the fields of a form that was refused, by the name of the form."""
    act = JournalAct.READER_SEEN
    return _page(at, who, number, page=page, act=act, problem=problem, status=status, typed=typed)


def _page(
    at: Page,
    who: str,
    number: int,
    *,
    page: int,
    act: JournalAct,
    problem: str = "",
    status: int = 200,
    typed: Fields = NOTHING_TYPED,
) -> Response:
    config = settings()
    now = datetime.now(config.zone)
    shown = act is JournalAct.CONTACTS_SHOWN
    try:
        with ledger_access.reader_pages().opened() as ledger:
            reader = ledger.readers.reader(number)
            if reader is None:
                return search_page(at, problem=UNKNOWN, status=404)
            patron_id = reader.patron_id
            ledger.journal.keep(who=who, act=act, patron_id=patron_id)
            known = ledger.readers.loans_of(patron_id)
            loans = [one.loan_id for one in known]
            pages = Pages(number=page, lines=len(loans), size=LOANS)
            pages = replace(pages, number=min(page, pages.last))
            here = loans[pages.offset : pages.offset + LOANS]
            disputes = ledger.files.files(here, patron_id=patron_id) if here else ()
            # Old loans know old addresses: those of today are with the newest ones.
            newest = disputes if pages.number == 1 else ledger.files.files(loans[:LOANS], patron_id=patron_id)
            lines = LoanLines(config.identity(), now=now, zone=config.zone, shown=shown)
            holds = [one for one in ledger.holds.of_reader(patron_id) if one.in_force(now.date())]
            objections = ledger.objections.of_reader(patron_id)
            out = loans_out(ledger, disputes, policy=config.policy())
            ways = ways_to_reader(
                ledger, patron_id, objections=objections, loans=list(out.out.values()), today=now.date()
            )
            loan_lines = with_next(
                ledger,
                [lines.line(dispute) for dispute in disputes],
                disputes,
                loans=out,
                holds=holds,
                ways=ways,
                policy=config.policy(),
                today=now.date(),
            )
            amendments = ledger.amendments.of_reader(patron_id)
            open_disputes = ledger.disputes.of_reader(patron_id, today=now.date())
            doing = acts_offered(
                patron_id, disputes, loans=out, known=known, holds=holds, ways=ways, now=now, zone=config.zone
            )
    except ReminderError as error:
        return at.unavailable(error)
    words = MessageWords(now=now, zone=config.zone)
    return at.html(
        "lecteur.html.j2",
        status,
        problem=problem,
        typed={form: {**dict.fromkeys(names, ""), **typed.get(form, {})} for form, names in _FORMS.items()},
        refused_form=next(iter(typed), ""),
        offered=doing,
        rights=rights_of(objections, amendments, now=now, zone=config.zone),
        in_dispute=kept(open_disputes, known, now=now, zone=config.zone),
        reader=reader,
        category=category_words(reader.category),
        last_seen=day_words(max((cycle.last_seen for one in newest for cycle in one.cycles), default=None)),
        contacts=contacts(newest, now=now, shown=shown, words=words),
        replies=replies_shown((*disputes, *newest), shown=shown, words=words),
        shown=shown,
        first=loan_lines[0] if loan_lines else None,
        others=loan_lines[1:] if pages.number == 1 else loan_lines,
        total=len(loans),
        pages=pages,
    )
