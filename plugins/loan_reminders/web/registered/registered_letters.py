"""The page of registered letters: where they are, their posting, files of numbers, and the page of one letter."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response, UploadFile

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.registered.steps import RegisteredLetter
from loan_reminders.domain.registered.tracking_number import clean_reference
from loan_reminders.french.letters import OUTCOMES
from loan_reminders.french.pages import scans
from loan_reminders.french.refusals import sentence
from loan_reminders.services.registered import following as service
from loan_reminders.services.registered.scanning import Scan, awaited
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import LARGEST_FORM, ActRoute
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.registered.page import Field, Listed, registered_page
from loan_reminders.web.registered.scanning import router as scanning
from loan_reminders.web.registered.table_rows import batch_words, event_rows, import_words, letter_row, to_undo


class UploadRoute(ActRoute):
    """A route that takes a file of numbers; a little more, so that the page says itself what is too large."""

    largest = service.LARGEST_FILE + 4 * LARGEST_FORM


router = APIRouter(route_class=ActRoute)
uploads = APIRouter(route_class=UploadRoute)
Asked = Annotated[Typed, Query(max_length=100)]
NOTHING_KNOWN = "Rien n'est enregistré pour cette référence."


@router.get("/recommandes")
def page(
    at: At,
    etat: Asked = "",
    tri: Asked = "",
    sens: Asked = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    lettre: Asked = "",
    lu: Asked = "",
    fait: Asked = "",
    suite: Asked = "",
    jour: Asked = "",
) -> Response:
    """The fields of the scanner, the letters overdue, and the letters of one state.

    `lettre`, `lu` and `fait` name the letter of the last scan: one whose number is awaited, one whose number was
    scanned, one of which a step was taken. What is said of it is what the ledger holds.
    """
    if etat and etat not in set(RegisteredState):
        return registered_page(at, problem="Les recommandés n'ont pas cet état.", status=400)
    state = RegisteredState(etat) if etat else None
    listed = Listed(state=state, oldest_first=tri == "jour" and sens != "desc", page=page)
    asked = clean_reference(lettre or lu or fait)
    if not asked:
        return registered_page(at, listed=listed)
    try:
        letter = ledger_access.registered().find(reference=asked)
        if fait and letter.life.tracking_number is None:
            return registered_page(at, listed=listed, problem=NOTHING_KNOWN, status=404)
        if fait and suite in OUTCOMES:
            field = Field(said=scans.step_noted(letter))
            return registered_page(at, listed=listed, follow=field, chosen=suite, day=jour)
        return registered_page(at, listed=listed, numbers=_scanned(letter, has_step=bool(fait), number_read=bool(lu)))
    except LetterStepRefused:
        return registered_page(at, listed=listed, problem=NOTHING_KNOWN, status=404)
    except ReminderError as error:
        return at.unavailable(error)


def _scanned(letter: RegisteredLetter, *, has_step: bool, number_read: bool) -> Field:
    """What the field of numbers says of the letter of the last scan."""
    if has_step:
        return Field(said=scans.number_given(letter))
    if awaited(letter) is Scan.LETTER:
        return Field(said=scans.letter_read(letter), waiting=letter.reference)
    if not number_read:
        return Field(said=scans.has_number(letter), is_good=False)
    posted = letter.life.state is RegisteredState.POSTED
    return Field(said=scans.number_of(letter), number=(letter.life.tracking_number or "") if posted else "")


@router.post("/recommandes/recherche")
def search(at: At, q: Annotated[Typed, Form(max_length=100)] = "") -> Response:
    """The letters found by reference, number or reader; what is searched travels in the body, out of access logs."""
    return registered_page(at, listed=Listed(wanted=q.strip()))


@uploads.post("/recommandes/import")
def import_file(at: At, who: Librarian, fichier: UploadFile) -> Response:
    """Attach the numbers of a CSV file."""
    content = fichier.file.read(service.LARGEST_FILE + 1)
    try:
        done = service.import_numbers(ledger_access.registered(), content, who=who)
    except ReminderError as error:
        return _failed(at, error)
    wrong = tuple((line, sentence(refused)) for line, refused in done.problems)
    return registered_page(at, done=import_words(done), wrong_lines=wrong)


@router.post("/recommandes/depot")
def post_batch(
    at: At,
    who: Librarian,
    lot: Annotated[int, Form(ge=1, lt=2**63)],
    jour: Annotated[Typed, Form(max_length=100)] = "",
) -> Response:
    """Post all letters of a batch that have a number."""
    now = datetime.now(settings().zone)
    try:
        posted = service.post_batch(ledger_access.registered(), lot, day=jour, now=now, who=who)
    except ReminderError as error:
        return _failed(at, error)
    return registered_page(at, done=batch_words(posted, lot))


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


def _letter(at: Page, delivery_id: uuid.UUID, *, problem: str = "", status: int = 200) -> Response:
    config = settings()
    now = datetime.now(config.zone)
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
        row=letter_row(letter, today=now.date()),
        address=letter.recipient.lines,
        events=event_rows(events, now=now, zone=config.zone),
        step=step,
        step_words=step_words,
        problem=problem,
    )


def _failed(at: Page, error: ReminderError) -> Response:
    """What a librarian can mend is said on the page; what they cannot, on a page of its own."""
    if isinstance(error, LetterStepRefused):
        return registered_page(at, problem=sentence(error), status=400)
    return at.unavailable(error)


router.include_router(uploads)
router.include_router(scanning)
