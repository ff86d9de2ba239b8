"""The page of those who are not written to any more: who unsubscribed, and do we still pay for them?"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi import Path as InPath

from loan_reminders.domain.errors import RecipientError, ReminderError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.suppressions.table_rows import question_answered, row_of

MOST_LINES = 500
MOST_YEARS = 20
"""How far away the end of a line may be."""

router = APIRouter(route_class=ActRoute)


@router.get("/desinscriptions")
def page(at: At) -> Response:
    """The list."""
    return _page(at)


@router.post("/desinscriptions/recherche")
def search(at: At, numero: Annotated[Typed, Form(max_length=320)] = "") -> Response:
    """The lines of one number or address; what is searched travels in the body, out of access logs."""
    return _page(at, numero=numero.strip())


@router.post("/desinscriptions")
def add(
    at: At,
    who: Librarian,
    numero: Annotated[Typed, Form(max_length=100)] = "",
    jusqu_au: Annotated[Typed, Form(max_length=10)] = "",
    note: Annotated[Typed, Form(max_length=200)] = "",
) -> Response:
    """Put a number on the list, at a reader's request."""
    config = settings()
    try:
        number = MobileNumber.parse(numero, countries=frozenset(config.sms.countries))
    except RecipientError:
        return _page(at, problem="Ce n'est pas un numéro de mobile où des SMS peuvent partir.", status=400)
    try:
        last_day = date.fromisoformat(jusqu_au) if jusqu_au else None
    except ValueError:
        return _page(at, problem="La date de fin n'est pas une date.", status=400)
    today = datetime.now(config.zone).date()
    if last_day is not None and last_day.year > today.year + MOST_YEARS:
        return _page(
            at, problem=f"La date de fin est à plus de {MOST_YEARS} ans : la laisser vide pour toujours.", status=400
        )
    until = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time(), config.zone)
    if until is not None and until <= datetime.now(config.zone):
        return _page(at, problem="La date de fin est déjà passée.", status=400)
    try:
        ledger_access.sms_feedback().suppress(number, who=who, until=until, detail=note.strip())
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("desinscriptions")


@router.post("/desinscriptions/{suppression_id}/levee")
def lift(at: At, suppression_id: Annotated[int, InPath(ge=1, lt=2**63)], who: Librarian) -> Response:
    """End one line; who did is kept with it. A line that is no more in force, or never was, is told as such."""
    try:
        if not ledger_access.sms_feedback().lift(suppression_id, who=who):
            return _page(at, problem="Cette ligne n'est pas, ou plus, en vigueur : rien n'a été changé.", status=404)
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("desinscriptions")


def _page(at: Page, *, numero: str = "", problem: str = "", status: int = 200) -> Response:
    try:
        recipient = _searched(numero)
        feedback = ledger_access.sms_feedback()
        lines, summary = feedback.suppressions(recipient=recipient, limit=MOST_LINES), feedback.summary()
    except ReminderError as error:
        return at.unavailable(error)
    zone = settings().zone
    return at.html(
        "desinscriptions.html.j2",
        status,
        rows=[row_of(line, zone=zone) for line in lines],
        answer=question_answered(summary),
        paid=bool(summary.sms_since),
        numero=numero,
        problem=problem,
        cut=len(lines) == MOST_LINES,
    )


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
