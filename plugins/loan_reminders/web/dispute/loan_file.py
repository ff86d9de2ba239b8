"""The page of disputes: everything sent about a loan, as one PDF."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.errors import ReminderError
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.dispute.loan_file import (
    FILE_NAME,
    NOT_FOUND,
    SEVERAL,
    choice_words,
    find_loans,
    make_dispute_file,
)
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed

router = APIRouter(route_class=ActRoute)


@router.get("/dossier")
def page(at: At) -> Response:
    """The form."""
    return _page(at)


@router.post("/dossier")
def make(
    at: At,
    who: Librarian,
    recherche: Annotated[Typed, Form(max_length=100)] = "",
    pret: Annotated[Typed, Form(max_length=200)] = "",
) -> Response:
    """The PDF of the loan chosen (`pret`), or of the only one that the search finds; otherwise the choice.

    What is searched travels in the body, so that no log of a web server holds it.
    """
    search = LoanSearch(loan_id=pret) if pret else LoanSearch.anything(recherche.strip())
    if not search.loan_id:
        return _page(at, problem="Saisir un numéro de prêt, un code-barres, une référence ou un numéro de recommandé.")
    config = settings()
    try:
        ledger = ledger_access.dispute()
        found = find_loans(ledger, search)
        if len(found) > 1:
            choices = [(one.loan_id, one.loan.title if one.loan else "", choice_words(one)) for one in found]
            return _page(at, recherche=recherche, choices=choices)
        made = found and make_dispute_file(
            ledger,
            letter_store(),
            config.identity(),
            found[0].loan_id,
            who=who,
            made_at=datetime.now(config.zone),
            zone=config.zone,
            templates=config.templates,
        )
    except ReminderError as error:
        return at.unavailable(error)
    if not made:
        return _page(at, recherche=recherche, problem=NOT_FOUND, status=404)
    headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return Response(made.content, media_type="application/pdf", headers=headers)


def _page(
    at: Page,
    *,
    recherche: str = "",
    problem: str = "",
    choices: list[tuple[str, str, str]] | None = None,
    status: int = 200,
) -> Response:
    status = 400 if problem and status == 200 else status
    context = {"recherche": recherche, "problem": problem, "choices": choices or [], "several": SEVERAL}
    return at.html("dossier.html.j2", status, **context)
