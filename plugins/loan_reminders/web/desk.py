"""The page of what the desk has to do: whom nothing reached, which addresses are bad, what nobody can answer for."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loan_reminders.domain.desk import ASIDE, NotReached, StuckDelivery, explained
from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.french import STAGES
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.tracking_number import clean_reference
from loan_reminders.settings import settings
from loan_reminders.web import access, books

MOST_LINES = 500
LAST_DAYS = 30
A_YEAR = timedelta(days=366)
"""How far back the page looks for deliveries that did not arrive: their loans are long given up then."""

_CHANNELS = {
    Channel.EMAIL: "e-mail",
    Channel.SMS: "SMS",
    Channel.LETTER: "lettre",
    Channel.REGISTERED_LETTER: "recommandé",
}
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}

router = APIRouter(dependencies=[Depends(access.may_read)])
Librarian = Annotated[str, Depends(access.librarian)]


@router.get("/bureau", response_class=HTMLResponse)
def page(npai: str = "") -> Response:
    """The desk's lists; `npai` names the letter that was just said to have come back."""
    return _page(up="", done=npai[:100])


@router.post("/bureau/npai", dependencies=[Depends(access.may_change)])
def came_back(who: Librarian, reference: Annotated[str, Form(max_length=100)] = "") -> Response:
    """An ordinary letter came back as undeliverable: no letter goes to its address any more."""
    try:
        asked = clean_reference(reference)
        if not asked:
            return _page(up="../", problem="Il manque la référence de la lettre.", status=400)
        taken = books.desk().bring_back(asked, since=datetime.now(settings().zone), who=who)
    except LetterStepRefused as refused:
        return _page(up="../", problem=str(refused), reference=reference, status=400)
    except ReminderError as error:
        return _unavailable(error, up="../")
    if not taken.changed:
        return _page(up="../", problem=f"Le retour de la lettre {asked} était déjà noté.")
    return RedirectResponse(f"../bureau?npai={taken.reference}", 303)


@router.post("/bureau/retours", dependencies=[Depends(access.may_change)])
def decide(
    who: Librarian, domaine: Annotated[str, Form(max_length=255)] = "", mortes: Annotated[str, Form(max_length=3)] = ""
) -> Response:
    """Bounces that came too many at once are believed (`mortes` is « oui ») or not (« non »)."""
    if not domaine or mortes not in ("oui", "non"):
        return _page(up="../", problem="Il manque le domaine, ou la réponse.", status=400)
    try:
        decided = books.mail_feedback().decide(
            domaine, dead=mortes == "oui", who=who, failures=settings().bounces.soft_failures
        )
    except ReminderError as error:
        return _unavailable(error, up="../")
    if not decided:
        return _page(up="../", problem="Plus aucun retour n'attend de réponse pour ce domaine.")
    return RedirectResponse("../bureau", 303)


@router.post("/bureau/regle", dependencies=[Depends(access.may_change)])
def settled(who: Librarian, envoi: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Somebody saw to the reader of a delivery that did not arrive: it leaves the list."""
    try:
        changed = books.desk().settle(uuid.UUID(envoi), who=who)
    except ValueError:
        return _page(up="../", problem="Cet envoi est inconnu.", status=400)
    except ReminderError as error:
        return _unavailable(error, up="../")
    if not changed:
        return _page(up="../", problem="Cet envoi est inconnu, arrivé depuis, ou déjà réglé.")
    return RedirectResponse("../bureau", 303)


def _page(*, up: str, done: str = "", problem: str = "", reference: str = "", status: int = 200) -> Response:
    zone = settings().zone
    now = datetime.now(zone)
    try:
        work = books.desk().work(
            since=now - timedelta(days=LAST_DAYS),
            doubtful_before=now - timedelta(days=1),
            limit=MOST_LINES,
            sent_since=now - A_YEAR,
        )
        held = books.mail_feedback().held()
    except ReminderError as error:
        return _unavailable(error, up=up)
    return _html(
        "bureau.html.j2",
        status,
        up=up,
        held=[(one.domain, one.addresses, f"{one.since.astimezone(zone):%d/%m/%Y}", one.said) for one in held],
        not_reached=[
            (_number(one), one.patron_name, explained(one.reason, one.detail), STAGES[one.stage], f"{one.day:%d/%m/%Y}")
            for one in work.not_reached[:MOST_LINES]
        ],
        bad_addresses=[
            (", ".join(one.address.lines), f"{one.since.astimezone(zone):%d/%m/%Y}", one.detail)
            for one in work.bad_addresses[:MOST_LINES]
        ],
        in_doubt=[_stuck(one) for one in work.in_doubt[:MOST_LINES]],
        not_rendered=[_stuck(one) for one in work.not_rendered[:MOST_LINES]],
        put_aside=[
            (ASIDE[one.kind], one.about, one.said, f"{one.at.astimezone(zone):%d/%m/%Y}", one.why)
            for one in work.put_aside[:MOST_LINES]
        ],
        not_arrived=[_stuck(one) for one in work.not_arrived[:MOST_LINES]],
        cut={
            name: len(getattr(work, name)) > MOST_LINES
            for name in ("not_reached", "bad_addresses", "in_doubt", "not_rendered", "not_arrived", "put_aside")
        },
        most=MOST_LINES,
        days=LAST_DAYS,
        done=done,
        problem=problem,
        reference=reference,
    )


def _number(one: NotReached | StuckDelivery) -> str:
    return one.patron_barcode or one.patron_id


def _stuck(one: StuckDelivery) -> dict[str, str]:
    return {
        "delivery_id": str(one.delivery_id),
        "number": _number(one),
        "name": one.patron_name,
        "channel": _CHANNELS[one.channel],
        "stage": STAGES[one.stage],
        "day": f"{one.day:%d/%m/%Y}",
        "what": one.what_happened,
    }


def _unavailable(error: ReminderError, *, up: str) -> Response:
    return _html("indisponible.html.j2", 503, up=up, problem=str(error))


def _html(name: str, status: int, **context: Any) -> HTMLResponse:
    return HTMLResponse(_PAGES.get_template(name).render(context), status, headers=_NO_STORE)
