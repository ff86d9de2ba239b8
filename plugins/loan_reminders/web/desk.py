"""The page of what the desk has to do: readers whom nothing reached, bad addresses, messages in doubt."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.desk import DeskWork, NotReached, StuckDelivery
from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.registered.tracking_number import clean_reference
from loan_reminders.french.days import day_words
from loan_reminders.french.desk import ASIDE, not_reached_words, stuck_words
from loan_reminders.french.refusals import sentence
from loan_reminders.french.words import ONE_CHANNEL, STAGES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Place, Typed, by_hand
from loan_reminders.web.shared_answers import SharedAnswer

MOST_LINES = 100
LAST_DAYS = 30
A_YEAR = timedelta(days=366)
"""How far back the page looks for deliveries that did not arrive: their loans are long given up then."""

_work: SharedAnswer[DeskWork] = SharedAnswer()

router = APIRouter(route_class=ActRoute)


@router.get("/bureau")
def page(at: At) -> Response:
    """The desk's lists."""
    return _page(at)


@router.post("/bureau/npai")
def came_back(at: At, who: Librarian, reference: Annotated[Typed, Form(max_length=100)] = "") -> Response:
    """An ordinary letter came back as undeliverable: no letter goes to its address any more."""
    try:
        asked = clean_reference(reference)
        if not asked:
            return _page(at, problem="Il manque la référence de la lettre.", status=400)
        taken = ledger_access.desk().note_return(asked, since=datetime.now(settings().zone), who=who)
    except LetterStepRefused as refused:
        return _page(at, problem=sentence(refused), reference=reference, status=400)
    except ReminderError as error:
        return at.unavailable(error)
    if not taken.changed:
        return _page(at, problem=f"Le retour de la lettre {asked} était déjà noté.")
    said = f"Retour noté : plus aucune lettre ne part à l'adresse de {taken.reference}."
    return at.back("bureau", "#npai", said=said)


@router.post("/bureau/retours")
def decide(
    at: At,
    who: Librarian,
    domaine: Annotated[Typed, Form(max_length=255)] = "",
    mortes: Annotated[Typed, Form(max_length=3)] = "",
    ici: Place = "",
) -> Response:
    """Bounces that came too many at once are believed (`mortes` is « oui ») or not (« non »)."""
    if not domaine or mortes not in ("oui", "non"):
        return _page(at, problem="Il manque le domaine, ou la réponse.", status=400)
    try:
        decided = ledger_access.mail_feedback().decide(
            domaine, dead=mortes == "oui", who=who, failures=settings().bounces.soft_failures
        )
    except ReminderError as error:
        return at.unavailable(error)
    if not decided:
        return _page(at, problem="Plus aucun retour n'attend de réponse pour ce domaine.")
    badge.forget()
    return at.back("bureau", ici, said="Réponse notée : ces retours sont traités.")


@router.post("/bureau/regle")
def settled(at: At, who: Librarian, envoi: Annotated[Typed, Form(max_length=100)] = "", ici: Place = "") -> Response:
    """Somebody saw to the reader of a delivery that did not arrive: it leaves the list."""
    try:
        changed = ledger_access.desk().settle(uuid.UUID(envoi), who=who)
    except ValueError:
        return _page(at, problem="Cet envoi est inconnu.", status=400)
    except ReminderError as error:
        return at.unavailable(error)
    if not changed:
        return _page(at, problem="Cet envoi est inconnu, arrivé depuis, ou déjà réglé.")
    badge.forget()
    return at.back("bureau", ici, said="Réglé : l'envoi a quitté la liste.")


@router.post("/bureau/lu")
def aside_settled(at: At, who: Librarian, retour: Annotated[int, Form(ge=1, lt=2**63)], ici: Place = "") -> Response:
    """Somebody read what could not be kept, and saw to it: it leaves the list."""
    try:
        changed = ledger_access.desk().settle_aside(retour, who=who)
    except ReminderError as error:
        return at.unavailable(error)
    if not changed:
        return _page(at, problem="Ce retour est inconnu, ou déjà réglé.")
    return at.back("bureau", ici, said="Réglé : le retour a quitté la liste.")


def _page(at: Page, *, problem: str = "", reference: str = "", status: int = 200) -> Response:
    zone = settings().zone
    now = datetime.now(zone)
    if at.said:  # another process of the web server may have taken the form
        _work.forget()
    try:
        work = _work.get((settings().library.code, now.date()), lambda: _lists(now))
        held = ledger_access.mail_feedback().held()
    except ReminderError as error:
        return at.unavailable(error)
    return at.html(
        "bureau.html.j2",
        status,
        not_reached=[
            (
                _number(one),
                one.reader_number,
                one.patron_name,
                not_reached_words(one.reason, one.detail),
                STAGES[one.stage],
                day_words(one.day),
            )
            for one in work.not_reached[:MOST_LINES]
        ],
        bad_addresses=[
            (", ".join(one.address.lines), f"{one.since.astimezone(zone):%d/%m/%Y}", one.detail)
            for one in work.bad_addresses[:MOST_LINES]
        ],
        in_doubt=[_stuck(one) for one in work.in_doubt[:MOST_LINES]],
        not_rendered=[_stuck(one) for one in work.not_rendered[:MOST_LINES]],
        put_aside=[
            {
                "id": one.put_aside_id,
                "kind": ASIDE[one.kind],
                "about": one.about,
                "said": one.said,
                "day": f"{one.at.astimezone(zone):%d/%m/%Y}",
                "why": by_hand(one.why),
            }
            for one in work.put_aside[:MOST_LINES]
        ],
        not_arrived=[_stuck(one) for one in work.not_arrived[:MOST_LINES]],
        cut={
            name: len(getattr(work, name)) > MOST_LINES
            for name in ("not_reached", "bad_addresses", "in_doubt", "not_rendered", "not_arrived", "put_aside")
        },
        most=MOST_LINES,
        days=LAST_DAYS,
        problem=problem,
        held=[(one.domain, one.addresses, f"{one.since.astimezone(zone):%d/%m/%Y}", one.said) for one in held],
        reference=reference,
    )


def _lists(now: datetime) -> DeskWork:
    return ledger_access.desk().work(
        since=now - timedelta(days=LAST_DAYS),
        doubtful_before=now - timedelta(days=1),
        limit=MOST_LINES,
        sent_since=now - A_YEAR,
    )


def _number(one: NotReached | StuckDelivery) -> str:
    return one.patron_barcode or one.patron_id


def _stuck(one: StuckDelivery) -> dict[str, str | int | None]:
    return {
        "delivery_id": str(one.delivery_id),
        "number": _number(one),
        "reader": one.reader_number,
        "name": one.patron_name,
        "channel": ONE_CHANNEL[one.channel],
        "stage": STAGES[one.stage],
        "day": day_words(one.day),
        "what": stuck_words(one),
    }
