"""The page of registered letters: their numbers, their posting, what came back, and what did not."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.letters import RegisteredState
from loan_reminders.domain.registered_letters import STATES
from loan_reminders.domain.registered_ports import MOST_COUNTED
from loan_reminders.services import registered_letters as service
from loan_reminders.settings import settings
from loan_reminders.web import access, books
from loan_reminders.web.registered_rows import batch_words, event_rows, import_words, letter_row, to_undo

MOST_LINES = 500
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
_CHANGE = [Depends(access.may_change)]

router = APIRouter(dependencies=[Depends(access.may_read)])
Librarian = Annotated[str, Depends(access.librarian)]
Field = Annotated[str, Form(max_length=100)]


@router.get("/recommandes", response_class=HTMLResponse)
def page(etat: str = "", fait: str = "") -> Response:
    """The letters overdue first, the forms, and the letters of one state; `fait` names the letter of the last step."""
    state = RegisteredState(etat) if etat in set(RegisteredState) else None
    return _page(up="", state=state, done=f"Enregistré : {fait[:100]}." if fait else "")


@router.post("/recommandes/recherche", response_class=HTMLResponse)
def search(q: Field = "") -> Response:
    """The letters found by reference, number or reader; what is searched travels in the body, out of access logs."""
    return _page(up="../", wanted=q.strip())


@router.post("/recommandes/numero", dependencies=_CHANGE)
def attach(who: Librarian, reference: Field = "", numero: Field = "") -> Response:
    """Give one letter its number."""
    try:
        taken = service.attach_number(books.registered(), reference=reference, text=numero, who=who)
    except ReminderError as error:
        return _failed(error, reference=reference)
    return RedirectResponse(f"../recommandes?fait={taken.reference}", 303)


@router.post("/recommandes/import", dependencies=_CHANGE)
def import_file(who: Librarian, fichier: UploadFile) -> Response:
    """Attach the numbers of a CSV file."""
    content = fichier.file.read(service.LARGEST_FILE + 1)
    try:
        done = service.import_numbers(books.registered(), content, who=who)
    except ReminderError as error:
        return _failed(error)
    return _page(up="../", done=import_words(done), wrong_lines=done.problems)


@router.post("/recommandes/suivi", dependencies=_CHANGE)
def note(who: Librarian, numero: Field = "", suite: Field = "", jour: Field = "") -> Response:
    """Note that one letter was posted, acknowledged or brought back, by its number."""
    now = datetime.now(settings().zone)
    try:
        taken = service.note(books.registered(), text=numero, outcome=suite, day=jour, now=now, who=who)
    except ReminderError as error:
        return _failed(error, chosen=suite)
    return RedirectResponse(f"../recommandes?fait={taken.reference}", 303)


@router.post("/recommandes/depot", dependencies=_CHANGE)
def post_batch(who: Librarian, lot: Annotated[int, Form(ge=1, lt=2**63)], jour: Field = "") -> Response:
    """Post all letters of a batch that have a number."""
    now = datetime.now(settings().zone)
    try:
        posted = service.post_batch(books.registered(), lot, day=jour, now=now, who=who)
    except ReminderError as error:
        return _failed(error)
    return _page(up="../", done=batch_words(posted))


@router.get("/recommandes/{delivery_id}", response_class=HTMLResponse)
def letter_page(delivery_id: uuid.UUID) -> Response:
    """One letter with its trace."""
    return _letter(delivery_id, up="../")


@router.post("/recommandes/{delivery_id}/annuler", dependencies=_CHANGE)
def undo(delivery_id: uuid.UUID, who: Librarian, etape: Annotated[int, Form(ge=1, lt=2**63)]) -> Response:
    """Undo the last step of one letter, when it is still the one that the page showed."""
    try:
        books.registered().undo(delivery_id, who=who, event_id=etape)
    except LetterStepRefused as refused:
        return _letter(delivery_id, up="../../", problem=str(refused), status=400)
    except ReminderError as error:
        return _unavailable(error, up="../../")
    return RedirectResponse(f"../../recommandes/{delivery_id}", 303)


def _counted(number: int) -> str:
    return f"{MOST_COUNTED} ou plus" if number >= MOST_COUNTED else str(number)


def _letter(delivery_id: uuid.UUID, *, up: str, problem: str = "", status: int = 200) -> Response:
    config = settings()
    try:
        found = books.registered().letter(delivery_id)
    except ReminderError as error:
        return _unavailable(error, up=up)
    if found is None:
        return _html("indisponible.html.j2", 404, up=up, problem="Cette lettre n'est pas un recommandé connu.")
    letter, events = found
    step, step_words = to_undo(events)
    return _html(
        "recommande.html.j2",
        status,
        up=up,
        row=letter_row(letter, today=datetime.now(config.zone).date()),
        address=letter.recipient.lines,
        events=event_rows(events, zone=config.zone),
        step=step,
        step_words=step_words,
        problem=problem,
    )


def _page(
    *,
    up: str,
    state: RegisteredState | None = None,
    wanted: str = "",
    done: str = "",
    problem: str = "",
    wrong_lines: tuple[tuple[int, str], ...] = (),
    reference: str = "",
    chosen: str = "",
    status: int = 200,
) -> Response:
    config = settings()
    today = datetime.now(config.zone).date()
    days = config.letters.acknowledgement_days
    try:
        ledger = books.registered()
        counts, batches = ledger.counts(), ledger.batches_to_post()
        overdue = service.overdue(ledger, today=today, days=days, limit=MOST_LINES)
        if wanted:
            found = ledger.search(service.searched(wanted), limit=MOST_LINES)
        else:
            found = () if state is None else ledger.in_state(state, limit=MOST_LINES)
    except ReminderError as error:
        return _unavailable(error, up=up)
    return _html(
        "recommandes.html.j2",
        status,
        up=up,
        counts=[(one.value, STATES[one], _counted(counts[one])) for one in RegisteredState],
        overdue=[letter_row(letter, today=today) for letter in overdue],
        days=days,
        found=[letter_row(letter, today=today) for letter in found],
        state="" if state is None else STATES[state],
        wanted=wanted,
        batches=batches,
        outcomes=service.OUTCOMES,
        chosen=chosen,
        today=today.isoformat(),
        done=done,
        problem=problem,
        wrong_lines=wrong_lines,
        reference=reference,
        most=MOST_LINES,
    )


def _failed(error: ReminderError, **shown: Any) -> Response:
    """What a librarian can mend is said on the page; what they cannot, on a page of its own."""
    if isinstance(error, LetterStepRefused):
        return _page(up="../", problem=str(error), status=400, **shown)
    return _unavailable(error, up="../")


def _unavailable(error: ReminderError, *, up: str) -> Response:
    return _html("indisponible.html.j2", 503, up=up, problem=str(error))


def _html(name: str, status: int, **context: Any) -> HTMLResponse:
    return HTMLResponse(_PAGES.get_template(name).render(context), status, headers=_NO_STORE)
