"""The page of registered letters: their numbers, their posting, what came back, and what did not."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response, UploadFile

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.ports.registered import MOST_COUNTED
from loan_reminders.domain.registered.tracking_number import clean_reference
from loan_reminders.french.letters import OUTCOMES, REGISTERED
from loan_reminders.french.refusals import sentence
from loan_reminders.services.registered import following as service
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import LARGEST_FORM, ActRoute
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.registered.table_rows import batch_words, event_rows, import_words, letter_row, to_undo

MOST_LINES = 500


class UploadRoute(ActRoute):
    """A route that takes a file of numbers; a little more, so that the page says itself what is too large."""

    largest = service.LARGEST_FILE + 4 * LARGEST_FORM


router = APIRouter(route_class=ActRoute)
uploads = APIRouter(route_class=UploadRoute)
Field = Annotated[Typed, Form(max_length=100)]
Asked = Annotated[Typed, Query(max_length=100)]


@router.get("/recommandes")
def page(at: At, etat: Asked = "", fait: Asked = "") -> Response:
    """The letters overdue first, the forms, and the letters of one state.

    `fait` names the letter of the last step: it is said only of a letter of which the ledger holds one.
    """
    if etat and etat not in set(RegisteredState):
        return _page(at, problem="Les recommandés n'ont pas cet état.", status=400)
    state = RegisteredState(etat) if etat else None
    if not fait:
        return _page(at, state=state)
    asked = clean_reference(fait)
    try:
        found = ledger_access.registered().search((asked,), limit=MOST_LINES)
    except ReminderError as error:
        return at.unavailable(error)
    if not any(one.life.tracking_number for one in found if one.reference == asked):
        return _page(at, state=state, problem="Rien n'est enregistré pour cette référence.", status=404)
    return _page(at, state=state, done=f"Enregistré : {asked}.")


@router.post("/recommandes/recherche")
def search(at: At, q: Field = "") -> Response:
    """The letters found by reference, number or reader; what is searched travels in the body, out of access logs."""
    return _page(at, wanted=q.strip())


@router.post("/recommandes/numero")
def attach(at: At, who: Librarian, reference: Field = "", numero: Field = "") -> Response:
    """Give one letter its number."""
    try:
        taken = service.attach_number(ledger_access.registered(), reference=reference, text=numero, who=who)
    except ReminderError as error:
        return _failed(at, error, reference=reference)
    return at.to("recommandes", fait=taken.reference)


@uploads.post("/recommandes/import")
def import_file(at: At, who: Librarian, fichier: UploadFile) -> Response:
    """Attach the numbers of a CSV file."""
    content = fichier.file.read(service.LARGEST_FILE + 1)
    try:
        done = service.import_numbers(ledger_access.registered(), content, who=who)
    except ReminderError as error:
        return _failed(at, error)
    return _page(
        at, done=import_words(done), wrong_lines=tuple((line, sentence(refused)) for line, refused in done.problems)
    )


@router.post("/recommandes/suivi")
def note(at: At, who: Librarian, numero: Field = "", suite: Field = "", jour: Field = "") -> Response:
    """Note that one letter was posted, acknowledged or brought back, by its number."""
    now = datetime.now(settings().zone)
    try:
        taken = service.note_outcome(ledger_access.registered(), text=numero, outcome=suite, day=jour, now=now, who=who)
    except ReminderError as error:
        return _failed(at, error, chosen=suite)
    return at.to("recommandes", fait=taken.reference)


@router.post("/recommandes/depot")
def post_batch(at: At, who: Librarian, lot: Annotated[int, Form(ge=1, lt=2**63)], jour: Field = "") -> Response:
    """Post all letters of a batch that have a number."""
    now = datetime.now(settings().zone)
    try:
        posted = service.post_batch(ledger_access.registered(), lot, day=jour, now=now, who=who)
    except ReminderError as error:
        return _failed(at, error)
    return _page(at, done=batch_words(posted))


@router.get("/recommandes/{delivery_id}")
def letter_page(at: At, delivery_id: uuid.UUID) -> Response:
    """One letter with its trace."""
    return _letter(at, delivery_id)


@router.post("/recommandes/{delivery_id}/annuler")
def undo(at: At, delivery_id: uuid.UUID, who: Librarian, etape: Annotated[int, Form(ge=1, lt=2**63)]) -> Response:
    """Undo the last step of one letter, when it is still the one that the page showed."""
    try:
        ledger_access.registered().undo(delivery_id, who=who, event_id=etape)
    except LetterStepRefused as refused:
        return _letter(at, delivery_id, problem=sentence(refused), status=400)
    except ReminderError as error:
        return at.unavailable(error)
    return at.to(f"recommandes/{delivery_id}")


def _counted(number: int) -> str:
    return f"{MOST_COUNTED} ou plus" if number >= MOST_COUNTED else str(number)


def _letter(at: Page, delivery_id: uuid.UUID, *, problem: str = "", status: int = 200) -> Response:
    config = settings()
    try:
        found = ledger_access.registered().letter(delivery_id)
    except ReminderError as error:
        return at.unavailable(error)
    if found is None:
        return at.problem("Cette lettre n'est pas un recommandé connu.", 404)
    letter, events = found
    step, step_words = to_undo(events)
    return at.html(
        "recommande.html.j2",
        status,
        row=letter_row(letter, today=datetime.now(config.zone).date()),
        address=letter.recipient.lines,
        events=event_rows(events, zone=config.zone),
        step=step,
        step_words=step_words,
        problem=problem,
    )


def _page(
    at: Page,
    *,
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
        ledger = ledger_access.registered()
        counts, batches = ledger.counts(), ledger.batches_to_post()
        overdue = service.overdue(ledger, today=today, days=days, limit=MOST_LINES)
        if wanted:
            found = ledger.search(service.search_terms(wanted), limit=MOST_LINES)
        else:
            found = () if state is None else ledger.in_state(state, limit=MOST_LINES)
    except ReminderError as error:
        return at.unavailable(error)
    return at.html(
        "recommandes.html.j2",
        status,
        counts=[(one.value, REGISTERED[one], _counted(counts[one])) for one in RegisteredState],
        overdue=[letter_row(letter, today=today) for letter in overdue],
        days=days,
        found=[letter_row(letter, today=today) for letter in found],
        state="" if state is None else REGISTERED[state],
        wanted=wanted,
        batches=batches,
        outcomes=OUTCOMES,
        chosen=chosen,
        today=today.isoformat(),
        done=done,
        problem=problem,
        wrong_lines=wrong_lines,
        reference=reference,
        most=MOST_LINES,
    )


def _failed(at: Page, error: ReminderError, **shown: Any) -> Response:
    """What a librarian can mend is said on the page; what they cannot, on a page of its own."""
    if isinstance(error, LetterStepRefused):
        return _page(at, problem=sentence(error), status=400, **shown)
    return at.unavailable(error)


router.include_router(uploads)
