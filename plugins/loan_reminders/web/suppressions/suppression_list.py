"""The page of those who are not written to any more: who unsubscribed, and do we still pay for them?"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi import Path as InPath

from loan_reminders.domain.errors import RecipientError, ReminderError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSummary
from loan_reminders.french.days import written_day
from loan_reminders.french.pages.corrections import number_words
from loan_reminders.french.words import SUPPRESSIONS
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.lists import LINES, Number, Order, Pages, asked_at, number_asked
from loan_reminders.web.page import At, Page, Place, Typed
from loan_reminders.web.readers import corrections
from loan_reminders.web.shared_answers import SharedAnswer
from loan_reminders.web.suppressions.table_rows import question_answered, row_of

ENDED = "finies"
SHORTEST_REASON = 3
LAST_PAGE = 10_000
ADDED = "Le numéro est désinscrit : les SMS qui l'attendaient sont annulés."
THERE_ALREADY = "Ce numéro était déjà désinscrit : rien n'a été changé."
LIFTED = "Réinscrit : on lui écrit de nouveau."

MOST_YEARS = 20
"""How far away the end of a line may be."""

_summary: SharedAnswer[SuppressionSummary] = SharedAnswer()

router = APIRouter(route_class=ActRoute)


Word = Annotated[Typed, Query(max_length=40)]


@router.get("/desinscriptions")
def page(
    at: At,
    motif: Word = "",
    etat: Word = "",
    tri: Word = "",
    sens: Word = "",
    page: Number = 0,
    reponse: Annotated[int, Query(ge=1, lt=2**63)] | None = None,
) -> Response:
    """The lines in force, or with `etat` « finies » those that ended, of one reason or of all.

    With `reponse` the form to put a number on the list has the one that this answer came from: no address holds it.
    """
    try:
        to_add = ledger_access.desk().phone_of_reply(reponse) if reponse else ""
    except ReminderError as error:
        return at.unavailable(error)
    return _page(at, motif=motif, etat=etat, oldest_first=_oldest_first(tri, sens), number=page, to_add=to_add)


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
        last_day = written_day(jusqu_au) if jusqu_au else None
    except ValueError:
        return _page(at, problem="La date de fin n'est pas une date.", status=400)
    now = datetime.now(config.zone)
    if last_day is not None and last_day.year > now.year + MOST_YEARS:
        return _page(
            at, problem=f"La date de fin est à plus de {MOST_YEARS} ans : la laisser vide pour toujours.", status=400
        )
    until = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time(), config.zone)
    if until is not None and until <= now:
        return _page(at, problem="La date de fin est déjà passée.", status=400)
    try:
        added = ledger_access.sms_feedback().suppress(number, who=who, until=until, detail=note.strip())
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("desinscriptions", said=ADDED if added else THERE_ALREADY)


@router.post("/desinscriptions/{suppression_id}/levee")
def lift(
    at: At,
    suppression_id: Annotated[int, InPath(ge=1, lt=2**63)],
    who: Librarian,
    raison: Annotated[Typed, Form(max_length=200)] = "",
    retour: Annotated[Typed, Form(max_length=20)] = "",
    ici: Place = "",
) -> Response:
    """End one line, for a reason; who did is kept with it. A line that is not in force any more is told as such."""
    from_corrections = retour == corrections.PAGE
    refused = corrections.refused if from_corrections else _refused
    if len(raison.strip()) < SHORTEST_REASON:
        return refused(at, ici, "Pour réinscrire, il faut dire pourquoi : rien n'a été changé.", 400)
    try:
        if not ledger_access.sms_feedback().lift(suppression_id, who=who, why=raison.strip()):
            return refused(at, ici, "Cette ligne n'est pas, ou plus, en vigueur : rien n'a été changé.", 404)
    except ReminderError as error:
        return at.unavailable(error)
    return at.back(corrections.PAGE if from_corrections else "desinscriptions", ici, said=LIFTED)


def _refused(at: Page, place: str, problem: str, status: int) -> Response:
    """The list again, as it was at the place of a form that was refused, with what is wrong."""
    asked = asked_at(at.returning(place))
    return _page(
        at,
        motif=asked.get("motif", ""),
        etat=asked.get("etat", ""),
        oldest_first=_oldest_first(asked.get("tri", ""), asked.get("sens", "")),
        number=number_asked(asked),
        problem=problem,
        status=status,
    )


def _oldest_first(tri: str, sens: str) -> bool:
    return tri == "depuis" and sens != "desc"


def _page(
    at: Page,
    *,
    numero: str = "",
    motif: str = "",
    etat: str = "",
    oldest_first: bool = False,
    number: int = 0,
    to_add: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    reason = SuppressionReason(motif) if motif in set(SuppressionReason) else None
    ended = etat == ENDED
    number = max(1, min(number, LAST_PAGE))
    if at.said:  # another process of the web server may have taken the form
        _summary.forget()
    try:
        feedback = ledger_access.sms_feedback()
        summary = _summary.get(settings().library.code, feedback.summary)
        lines = feedback.suppressions(
            recipient=_searched(numero),
            limit=LINES + 1,
            offset=(number - 1) * LINES,
            reason=reason,
            in_force=None if numero else not ended,
            oldest_first=oldest_first,
        )
    except ReminderError as error:
        return at.unavailable(error)
    zone = settings().zone
    now = datetime.now(zone)
    filters = {"motif": motif, "etat": etat}
    asked = {**filters, "tri": "depuis" if oldest_first else ""}
    if number > 1 and not lines:
        return at.nearest("desinscriptions", asked, number)
    return at.html(
        "desinscriptions.html.j2",
        status,
        rows=[row_of(line, now=now, zone=zone) for line in lines[:LINES]],
        answer=question_answered(summary),
        paid=bool(summary.sms_since),
        reasons=[(one.value, SUPPRESSIONS[one], summary.in_force.get(one, 0)) for one in SuppressionReason],
        order=Order(column="depuis", descending=not oldest_first, asked=filters),
        motif=motif,
        ended=ended,
        numero=numero,
        to_add=number_words(to_add),
        problem=problem,
        pages=Pages.uncounted(number, len(lines), asked=asked),
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
