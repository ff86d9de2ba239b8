"""The page of disputes: everything sent about a loan, as one PDF."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loan_reminders.domain.dispute import LoanSearch
from loan_reminders.domain.errors import ReminderError
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.dispute_file import (
    FILE_NAME,
    NOT_FOUND,
    SEVERAL,
    choice_words,
    find_loans,
    make_dispute_file,
)
from loan_reminders.settings import settings
from loan_reminders.web import access, books

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}

router = APIRouter(dependencies=[Depends(access.may_read)])
Librarian = Annotated[str, Depends(access.librarian)]


@router.get("/dossier", response_class=HTMLResponse)
def page() -> HTMLResponse:
    """The form."""
    return _page()


@router.post("/dossier")
def make(
    who: Librarian,
    recherche: Annotated[str, Form(max_length=100)] = "",
    pret: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The PDF of the loan chosen (`pret`), or of the only one that the search finds; otherwise the choice.

    What is searched travels in the body, so that no log of a web server holds it.
    """
    search = LoanSearch(loan_id=pret) if pret else LoanSearch.anything(recherche.strip())
    if not search.loan_id:
        return _page(problem="Saisir un numéro de prêt, un code-barres, une référence ou un numéro de recommandé.")
    config = settings()
    try:
        ledger = books.dispute()
        found = find_loans(ledger, search)
        if len(found) > 1:
            choices = [(one.loan_id, one.loan.title if one.loan else "", choice_words(one)) for one in found]
            return _page(recherche=recherche, choices=choices)
        made = found and make_dispute_file(
            ledger,
            letter_store(),
            config.identity(),
            found[0].loan_id,
            who=who,
            made_at=datetime.now(config.zone),
            zone=config.zone,
        )
    except ReminderError as error:
        html = _PAGES.get_template("indisponible.html.j2").render(problem=str(error))
        return HTMLResponse(html, 503, headers=_NO_STORE)
    if not made:
        return _page(recherche=recherche, problem=NOT_FOUND, status=404)
    headers = {**_NO_STORE, "Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return Response(made.content, media_type="application/pdf", headers=headers)


def _page(
    *, recherche: str = "", problem: str = "", choices: list[tuple[str, str, str]] | None = None, status: int = 200
) -> HTMLResponse:
    html = _PAGES.get_template("dossier.html.j2").render(
        recherche=recherche, problem=problem, choices=choices or [], several=SEVERAL
    )
    return HTMLResponse(html, 400 if problem and status == 200 else status, headers=_NO_STORE)
