"""The search for a reader: one box for anything that a librarian may have; an exact match opens the page at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.readers.search import LONGEST_SEARCH, FoundBy, LastMessage, ReaderFound, ReaderSearch
from loan_reminders.domain.states import Refusal
from loan_reminders.french.pages.readers import category_words, last_words, message_title, phone_refused_words
from loan_reminders.settings.library_toml import Settings, settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import AskRoute
from loan_reminders.web.lists import LINES, Pages
from loan_reminders.web.page import At, Page, Typed

router = APIRouter(route_class=AskRoute)

MOST_FOUND = 200
"""Readers that a search shows at most: whoever finds more has to say more."""

FOUND_BY = {
    FoundBy.CARD: "sa carte",
    FoundBy.PATRON_ID: "son numéro de lecteur",
    FoundBy.EMAIL: "son e-mail",
    FoundBy.OLD_EMAIL: "un e-mail d'avant",
    FoundBy.MOBILE: "son mobile",
    FoundBy.OLD_MOBILE: "un mobile d'avant",
    FoundBy.ITEM: "un document emprunté",
    FoundBy.LOAN: "un prêt",
    FoundBy.REFERENCE: "une lettre",
    FoundBy.TRACKING_NUMBER: "un recommandé",
    FoundBy.NAME: "son nom",
    FoundBy.PART_OF_NAME: "une partie de son nom",
    FoundBy.NEAR_NAME: "un nom voisin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """One reader of the list, in the words that tell them from the others."""

    number: int
    name: str
    card: str
    category: str
    by: str
    last: str


@router.get("/lecteurs")
def page(at: At) -> Response:
    """The box."""
    return search_page(at)


@router.post("/lecteurs")
def search(
    at: At,
    recherche: Annotated[Typed, Form(max_length=LONGEST_SEARCH)] = "",
    page: Annotated[int, Form(ge=1, le=1000)] = 1,
) -> Response:
    """Who was found: their page when it is one reader, the list of them when it is several.

    What is searched travels in the body, so that no address and no log holds it.
    """
    config = settings()
    asked = ReaderSearch.parse(recherche, countries=frozenset(config.sms.countries))
    if not asked.code:
        return search_page(at, problem="Saisir ou scanner ce que l'on a du lecteur.", status=400)
    try:
        with ledger_access.reader_pages().opened() as ledger:
            found = ledger.readers.find(asked, limit=MOST_FOUND)
            if found.only is not None:
                return at.to(f"lecteurs/{found.only.number}")
            pages = Pages(number=page, lines=len(found.readers))
            pages = replace(pages, number=min(page, pages.last))
            shown = found.readers[pages.offset : pages.offset + LINES]
            last = ledger.readers.last_messages([one.reader.patron_id for one in shown]) if shown else {}
    except ReminderError as error:
        return at.unavailable(error)
    rows = [_row(one, last.get(one.reader.patron_id), config) for one in shown]
    return search_page(
        at,
        recherche=recherche,
        rows=rows,
        pages=pages,
        more=found.more,
        near=any(FoundBy.NEAR_NAME in one.by for one in shown),
        tried=() if rows else tried_words(asked),
    )


def search_page(at: Page, *, status: int = 200, **shown: object) -> Response:
    """The page of the search, with what is said of it."""
    usual = {"recherche": "", "rows": (), "pages": None, "more": False, "near": False, "tried": (), "problem": ""}
    return at.html("lecteurs.html.j2", status, **{**usual, **shown}, most=MOST_FOUND)


def tried_words(search: ReaderSearch) -> tuple[str, ...]:
    """As what the text was looked for, so that whoever typed it sees what was not understood."""
    if search.email:
        return ("comme adresse e-mail, celle d'aujourd'hui et celles à qui un message est parti",)
    tried = [
        "comme numéro de carte ou de lecteur",
        "comme code-barres d'un document, numéro de prêt ou référence d'une lettre",
    ]
    if search.tracking_number:
        tried.append("comme numéro de recommandé")
    if search.mobile:
        tried.append("comme numéro de mobile, celui d'aujourd'hui et ceux à qui un SMS est parti")
    elif search.phone_refused is not None and search.phone_refused is not Refusal.NOT_A_NUMBER:
        tried.append(f"comme téléphone, mais {phone_refused_words(search.phone_refused)}")
    if search.words:
        tried.append("comme nom, sans accents, dans tout ordre, en partie, et à une faute de frappe près")
    return tuple(tried)


def _row(found: ReaderFound, last: LastMessage | None, config: Settings) -> FoundRow:
    reader = found.reader
    return FoundRow(
        number=reader.number,
        name=reader.name or "sans nom dans le SIGB",
        card=reader.card or reader.patron_id,
        category=category_words(reader.category),
        by=FOUND_BY[found.by[0]],
        last="aucun" if last is None else _last_words(last, config),
    )


def _last_words(last: LastMessage, config: Settings) -> str:
    return f"{message_title(last.stage, last.channel)} : {last_words(last, now=datetime.now(config.zone))}"
