"""« Effacer » : what would go of a reader and what stays with why; then, with one more click, it goes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.reader_rights.erasure import Erasure, ErasureRefused
from loan_reminders.french.pages.reader_rights import complete_words, stays_words
from loan_reminders.french.refusals import sentence
from loan_reminders.french.retention import removed_words
from loan_reminders.services.reader_rights.erase_reader import erase_reader
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ReaderRoute
from loan_reminders.web.page import At, Page, Typed

ERASED_IN_PART = "Ce qui pouvait l'être est effacé. Ce qui reste, et pourquoi, est sur la page « Effacer »."

router = APIRouter(route_class=ReaderRoute)


@router.get("/lecteurs/{number}/effacement")
def page(at: At, who: Librarian, number: int) -> Response:
    """What an erasure would remove, and what stays."""
    try:
        reader = ledger_access.readers().reader(number)
        if reader is None:
            return at.problem("Le registre ne connaît pas, ou plus, ce lecteur : il n'y a rien à effacer.", 404)
        ledger_access.journal().keep(who=who, act=JournalAct.READER_SEEN, patron_id=reader.patron_id)
        erasure = _erase(reader.patron_id, who=who, rehearse=True)
    except ErasureRefused as error:
        return at.problem(sentence(error), 404)
    except ReminderError as error:
        return at.unavailable(error)
    return _shown(at, erasure, done=False, reader=reader)


@router.post("/lecteurs/effacement")
def erase(at: At, who: Librarian, lecteur: Annotated[Typed, Form(min_length=1, max_length=200)]) -> Response:
    """Erase what can be; the answer says what went and what stays."""
    try:
        number = ledger_access.readers().number_of(lecteur)
        erasure = _erase(lecteur, who=who, rehearse=False)
    except ErasureRefused as error:
        return at.problem(sentence(error), 404)
    except ReminderError as error:
        return at.unavailable(error)
    if not erasure.complete and number is not None:
        return at.to(f"lecteurs/{number}", said=ERASED_IN_PART)
    return _shown(at, erasure, done=True, reader=None)


def _erase(patron_id: str, *, who: str, rehearse: bool) -> Erasure:
    today = datetime.now(settings().zone).date()
    return erase_reader(
        ledger_access.erasure(), ledger_access.loan_ends(), patron_id, today=today, who=who, rehearse=rehearse
    )


def _shown(at: Page, erasure: Erasure, *, done: bool, reader: object) -> Response:
    return at.html(
        "effacement.html.j2",
        reader=reader,
        removed=removed_words(erasure.removed),
        outcome=complete_words(erasure, done=done),
        nothing=not any(erasure.removed.counts().values()),
        stays=[stays_words(one) for one in erasure.stays],
        done=done,
    )
