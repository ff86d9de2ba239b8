"""« Le registre ne sait pas tout ce qui est parti »: what it lacks, or why nobody knows; may messages leave?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.marks.high_water import Gap
from loan_reminders.domain.ports.marks import OpenGap
from loan_reminders.french.days import when_words
from loan_reminders.french.marks import gap_words
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.services.marks.guard import accept
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed

router = APIRouter(route_class=ActRoute)

ANSWERED = "Quelqu'un a répondu entre-temps, ou le registre est de nouveau complet : rien n'est à décider ici."


@router.get("/registre")
def page(at: At) -> Response:
    """What the ledger lacks."""
    try:
        return _page(at, marks_of(ledger_access.whole()).open_gap())
    except ReminderError as error:
        return at.unavailable(error)


@router.post("/registre")
def answer(at: At, who: Librarian, reponse: Annotated[Typed, Form(max_length=3)] = "") -> Response:
    """Messages may leave, though some of what the ledger lacks may leave again; or nothing is to leave."""
    try:
        ledger = ledger_access.whole()
        marks = marks_of(ledger)
        if reponse == "oui":
            done = accept(marks, mark_file(ledger.library), who=who)
        elif reponse == "non":
            done = marks.refuse(who=who) is not None
        else:
            return _page(at, marks.open_gap(), problem="Il manque la réponse.", status=400)
        if not done:
            return _page(at, None, problem=ANSWERED, status=409)
    except ReminderError as error:
        return at.unavailable(error)
    badge.forget()
    return at.to("registre" if reponse == "non" else "")


def _page(at: Page, found: OpenGap | None, *, problem: str = "", status: int = 200) -> Response:
    zone = settings().zone
    now = datetime.now(zone)
    gap = Gap() if found is None else found.gap
    said = ""
    if found is not None and found.refused and found.answered_at is not None:
        said = f"{found.who}, {when_words(found.answered_at, zone=zone, now=now)} : ne rien envoyer."
    return at.html(
        "registre_incomplet.html.j2",
        status,
        open=found is not None,
        proven=gap.proven,
        lines=list(gap_words(gap)),
        since="" if gap.marked_at is None else when_words(gap.marked_at, zone=zone, now=now),
        answered=said,
        problem=problem,
    )
