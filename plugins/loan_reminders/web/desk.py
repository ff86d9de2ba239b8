"""The page of what the desk has to do: answers to read, readers whom nothing reached, bad addresses, doubts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response

from loan_reminders.domain.desk import (
    EVERYTHING,
    BadAddress,
    DeskAsked,
    DeskList,
    DeskWork,
    NotReached,
    PutAside,
    ReplyToRead,
    StuckDelivery,
)
from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.registered.tracking_number import clean_reference
from loan_reminders.domain.stages import Stage
from loan_reminders.french.days import day_words, when_words
from loan_reminders.french.desk import ASIDE, not_reached_words, stuck_words
from loan_reminders.french.refusals import sentence
from loan_reminders.french.words import ONE_CHANNEL, STAGES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.lists import LINES, Number, Order, Pages, asked_at
from loan_reminders.web.page import At, Page, Place, Typed, by_hand
from loan_reminders.web.readers.contacts import masked
from loan_reminders.web.shared_answers import SharedAnswer

PAGE_DIGITS = 6
"""Digits of the number of a page at most."""
LAST_DAYS = 30
A_YEAR = timedelta(days=366)
"""How far back the page looks for deliveries that did not arrive: their loans are long given up then."""

_work: SharedAnswer[DeskWork] = SharedAnswer()

router = APIRouter(route_class=ActRoute)
Word = Annotated[Typed, Query(max_length=40)]


@router.get("/bureau")
def page(at: At, liste: Word = "", etape: Word = "", tri: Word = "", sens: Word = "", page: Number = 0) -> Response:
    """The desk's lists, the first lines of each; or with `liste` one of them, of one stage or all, page by page."""
    asked = _wanted({"liste": liste, "etape": etape, "tri": tri, "sens": sens, "page": str(page)})
    if asked is None:
        return at.problem("Le bureau n'a pas cette liste : revenir à la page entière.", 404)
    return _page(at, asked=asked)


def _wanted(said: Mapping[str, str]) -> DeskAsked | None:
    """What an address, or the place of a form, asks for; None for a list or a stage that there is not."""
    only, stage, page = said.get("liste", ""), said.get("etape", ""), said.get("page", "")
    if (only and only not in set(DeskList)) or (stage and stage not in set(settings().all_stages)):
        return None
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= PAGE_DIGITS else 1
    return DeskAsked(
        only=DeskList(only) if only else None,
        stage=Stage(stage) if stage else None,
        oldest_first=said.get("tri") == "jour" and said.get("sens") != "desc",
        offset=max(0, number - 1) * LINES if only else 0,
    )


def _there(at: Page, place: str) -> DeskAsked:
    """What was shown where a form was sent from, to be shown again with what is wrong."""
    return _wanted(asked_at(at.returning(place))) or EVERYTHING


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
        problem = "Cet envoi est inconnu, arrivé depuis, ou déjà réglé."
        return _page(at, asked=_there(at, ici), problem=problem)
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
        return _page(at, asked=_there(at, ici), problem="Ce retour est inconnu, ou déjà réglé.")
    return at.back("bureau", ici, said="Réglé : le retour a quitté la liste.")


@router.post("/bureau/reponse")
def reply_settled(at: At, who: Librarian, reponse: Annotated[int, Form(ge=1, lt=2**63)], ici: Place = "") -> Response:
    """Somebody read what a reader answered, and saw to it: it leaves the list."""
    try:
        changed = ledger_access.desk().settle_reply(reponse, who=who)
    except ReminderError as error:
        return at.unavailable(error)
    if not changed:
        return _page(at, asked=_there(at, ici), problem="Cette réponse est inconnue, ou déjà réglée.")
    badge.forget()
    return at.back("bureau", ici, said="Réglé : la réponse a quitté la liste.")


def _page(
    at: Page,
    *,
    asked: DeskAsked = EVERYTHING,
    problem: str = "",
    reference: str = "",
    status: int = 200,
) -> Response:
    now = datetime.now(settings().zone)
    if at.said:  # another process of the web server may have taken the form
        _work.forget()
    try:
        if asked == EVERYTHING:
            work = _work.get((settings().library.code, now.date()), lambda: _lists(now))
        else:
            work = _lists(now, asked)
        held = ledger_access.mail_feedback().held() if asked.only is None else ()
    except ReminderError as error:
        return at.unavailable(error)
    lists: dict[DeskList, list[Any]] = {
        DeskList.REPLIES: [_reply(one, now) for one in work.replies],
        DeskList.NOT_REACHED: [_not_reached(one) for one in work.not_reached],
        DeskList.NOT_ARRIVED: [_stuck(one) for one in work.not_arrived],
        DeskList.IN_DOUBT: [_stuck(one) for one in work.in_doubt],
        DeskList.NOT_RENDERED: [_stuck(one) for one in work.not_rendered],
        DeskList.PUT_ASIDE: [_aside(one) for one in work.put_aside],
        DeskList.BAD_ADDRESSES: [_bad_address(one) for one in work.bad_addresses],
    }
    number = asked.offset // LINES + 1
    filters = {"liste": asked.only or "", "etape": asked.stage or ""}
    here = {**filters, **({"tri": "jour"} if asked.oldest_first else {})}
    if asked.only is not None and number > 1 and not lists[asked.only]:
        if problem:
            return _page(at, asked=replace(asked, offset=0), problem=problem, reference=reference, status=status)
        return at.nearest("bureau", here, number)
    found = len(lists[asked.only]) if asked.only else 0
    return at.html(
        "bureau.html.j2",
        status,
        lists={name.value: rows[:LINES] for name, rows in lists.items()},
        cut={name.value: len(rows) > LINES for name, rows in lists.items()},
        only=asked.only or "",
        stage=asked.stage or "",
        stages=[(one.value, STAGES[one]) for one in settings().all_stages],
        pages=Pages.uncounted(number, found, asked=here),
        order=Order(column="jour", descending=not asked.oldest_first, asked=filters),
        most=LINES,
        days=LAST_DAYS,
        problem=problem,
        held=[(one.domain, one.addresses, _day(one.since), one.said) for one in held],
        reference=reference,
    )


def _lists(now: datetime, asked: DeskAsked = EVERYTHING) -> DeskWork:
    return ledger_access.desk().work(
        since=now - timedelta(days=LAST_DAYS),
        doubtful_before=now - timedelta(days=1),
        limit=LINES,
        sent_since=now - A_YEAR,
        asked=asked,
    )


def _day(moment: datetime) -> str:
    return day_words(moment.astimezone(settings().zone).date())


def _not_reached(one: NotReached) -> dict[str, Any]:
    return {
        "number": _number(one),
        "reader": one.reader_number,
        "name": one.patron_name,
        "why": not_reached_words(one.reason, one.detail),
        "stage": STAGES[one.stage],
        "day": day_words(one.day),
    }


def _reply(one: ReplyToRead, now: datetime) -> dict[str, Any]:
    return {
        "id": one.reply_number,
        "number": masked(MobileNumber(value=one.number))[0] if one.number else "",
        "readers": one.readers,
        "said": one.text,
        "day": when_words(one.at, zone=settings().zone, now=now),
    }


def _aside(one: PutAside) -> dict[str, Any]:
    return {
        "id": one.put_aside_id,
        "kind": ASIDE[one.kind],
        "about": one.about,
        "said": one.said,
        "day": _day(one.at),
        "why": by_hand(one.why),
    }


def _bad_address(one: BadAddress) -> tuple[str, str, str]:
    return ", ".join(one.address.lines), _day(one.since), one.detail


def _number(one: NotReached | StuckDelivery) -> str:
    return one.patron_barcode or one.patron_id


def _stuck(one: StuckDelivery) -> dict[str, Any]:
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
