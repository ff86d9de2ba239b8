"""The page of those who are not written to any more: who unsubscribed, and do we still pay for them?"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loan_reminders.domain.errors import RecipientError, ReminderError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.settings import settings
from loan_reminders.web import access, books
from loan_reminders.web.suppression_rows import question_answered, row_of

MOST_LINES = 500
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}

router = APIRouter(dependencies=[Depends(access.may_read)])
Librarian = Annotated[str, Depends(access.librarian)]


@router.get("/desinscriptions", response_class=HTMLResponse)
def page(numero: str = "") -> HTMLResponse:
    """The list, or the lines of one number."""
    return _page(numero=numero.strip())


@router.post("/desinscriptions", dependencies=[Depends(access.may_change)])
def add(
    who: Librarian,
    numero: Annotated[str, Form(max_length=100)] = "",
    jusqu_au: Annotated[str, Form(max_length=10)] = "",
    note: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Put a number on the list, at a reader's request."""
    config = settings()
    try:
        number = MobileNumber.parse(numero, countries=frozenset(config.sms.countries))
    except RecipientError:
        return _page(problem="Ce n'est pas un numéro de mobile où des SMS peuvent partir.", status=400)
    try:
        last_day = date.fromisoformat(jusqu_au) if jusqu_au else None
    except ValueError:
        return _page(problem="La date de fin n'est pas une date.", status=400)
    until = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time(), config.zone)
    if until is not None and until <= datetime.now(config.zone):
        return _page(problem="La date de fin est déjà passée.", status=400)
    try:
        books.feedback().suppress(number, who=who, until=until, detail=note.strip())
    except ReminderError as error:
        return _unavailable(error)
    return RedirectResponse("desinscriptions", 303)


@router.post("/desinscriptions/{suppression_id}/levee", dependencies=[Depends(access.may_change)])
def lift(suppression_id: int, who: Librarian) -> Response:
    """End one line; who did is kept with it."""
    try:
        books.feedback().lift(suppression_id, who=who)
    except ReminderError as error:
        return _unavailable(error)
    return RedirectResponse("../../desinscriptions", 303)


def _page(*, numero: str = "", problem: str = "", status: int = 200) -> HTMLResponse:
    try:
        recipient = _searched(numero)
        feedback = books.feedback()
        lines, summary = feedback.suppressions(recipient=recipient, limit=MOST_LINES), feedback.summary()
    except ReminderError as error:
        return _unavailable(error)
    zone = settings().zone
    html = _PAGES.get_template("desinscriptions.html.j2").render(
        rows=[row_of(line, zone=zone) for line in lines],
        answer=question_answered(summary),
        paid=bool(summary.sms_since),
        numero=numero,
        problem=problem,
        cut=len(lines) == MOST_LINES,
    )
    return HTMLResponse(html, status, headers=_NO_STORE)


def _searched(numero: str) -> str:
    """The number as the ledger writes it; what is no number is looked for as it is, and found nowhere."""
    if not numero:
        return ""
    if "@" in numero:
        name, _, domain = numero.rpartition("@")
        return f"{name}@{domain.lower()}"
    try:
        return MobileNumber.parse(numero, countries=frozenset(settings().sms.countries)).value
    except RecipientError:
        digits = "".join(filter(str.isdecimal, numero)).removeprefix("00")
        return f"33{digits[1:]}" if digits.startswith("0") else digits or numero


def _unavailable(error: ReminderError) -> HTMLResponse:
    html = _PAGES.get_template("indisponible.html.j2").render(problem=str(error))
    return HTMLResponse(html, 503, headers=_NO_STORE)
