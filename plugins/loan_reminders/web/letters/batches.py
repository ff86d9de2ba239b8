"""The pages of letters on paper: batches to look at, to print once, and to copy."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi import Path as InPath

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.letters.batches import BatchRefusal
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.ils import loan_source
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.letters.batch_desk import BatchDesk, IlsNotAsked
from loan_reminders.services.letters.files import LetterFile
from loan_reminders.settings.library_toml import ROOT, settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute, SeeRoute
from loan_reminders.web.letters.table_rows import batch_row, letter_row, told
from loan_reminders.web.page import At, Page, Typed, download, said

ILS = "ils_oracle"
MOST_BATCHES = 200

seen = APIRouter(route_class=SeeRoute)
acted = APIRouter(route_class=ActRoute)
BatchId = Annotated[int, InPath(ge=1, lt=2**63)]
Make = Callable[[BatchDesk], LetterFile]

_STATUSES: dict[StrEnum, int] = {
    BatchRefusal.NO_REASON: 400,
    BatchRefusal.UNKNOWN_BATCH: 404,
    BatchRefusal.UNKNOWN_FILE: 404,
    BatchRefusal.UNKNOWN_LETTER: 404,
    BatchRefusal.UNKNOWN_SLIP: 404,
}
"""HTTP statuses of refusals; the others are 409, the batch does not allow it."""


@seen.get("/lots")
def page(at: At) -> Response:
    """The batches: figures, nobody's name; the way to their letters is shown to whoever may open it."""
    return _list(at)


@acted.post("/lots/recherche")
def search(at: At, reference: Annotated[Typed, Form(max_length=100)] = "") -> Response:
    """The way to the letter of one reference; it travels in the body, out of access logs."""
    reference = reference.strip()
    if not reference:
        return _list(at, problem="Il manque la référence de la lettre.", status=400)
    try:
        letter = ledger_access.letters().letter(reference)
    except ReminderError as error:
        return at.unavailable(error)
    if letter is None:
        return _list(at, problem=f"Aucune lettre n'a la référence {reference}.", reference=reference, status=404)
    return at.to(f"lots/{letter.batch_id}#{letter.delivery_id}")


@acted.get("/lots/{batch_id}")
def batch_page(at: At, batch_id: BatchId) -> Response:
    """One batch and its letters."""
    return _batch(at, batch_id)


@acted.get("/lots/{batch_id}/apercu/{volume}")
def preview(at: At, batch_id: BatchId, volume: Annotated[int, InPath(ge=1, lt=2**31)]) -> Response:
    """One PDF of a batch not yet printed, stamped."""
    return _sent(at, lambda desk: desk.preview(batch_id, volume), batch_id)


@acted.get("/lots/{batch_id}/destinataires.csv")
def recipients(at: At, batch_id: BatchId) -> Response:
    """The list of recipients."""
    return _sent(at, lambda desk: desk.recipients(batch_id), batch_id)


@acted.get("/lots/{batch_id}/bordereau")
def slip(at: At, batch_id: BatchId) -> Response:
    """The posting slip."""
    return _sent(at, lambda desk: desk.slip(batch_id), batch_id)


@acted.post("/lots/{batch_id}/impression")
def print_batch(
    at: At,
    batch_id: BatchId,
    who: Librarian,
    confirme: Annotated[Typed, Form(max_length=3)] = "",
    pour: Annotated[Typed, Form(max_length=20)] = "imprimante",
) -> Response:
    """Print a batch, once; before, the page says what the ILS changed."""
    to_provider = pour == "prestataire"
    try:
        done = _desk().print_batch(batch_id, who=who, confirmed=confirme == "oui", to_provider=to_provider)
    except ReminderError as error:
        return _refused(at, error, batch_id)
    if done.file is None:
        return _batch(at, batch_id, told=told(done.check), to_provider=to_provider)
    return _file(done.file)


@acted.post("/lots/{batch_id}/retrait")
def take_out(
    at: At,
    batch_id: BatchId,
    who: Librarian,
    lettre: Annotated[uuid.UUID, Form()],
    motif: Annotated[Typed, Form(max_length=200)] = "",
) -> Response:
    """Take one letter out of a batch not yet printed."""
    try:
        _desk().take_out(batch_id, lettre, who=who, detail=motif)
    except ReminderError as error:
        return _refused(at, error, batch_id)
    return at.to(f"lots/{batch_id}")


@acted.post("/lots/{batch_id}/copie")
def copy_batch(at: At, batch_id: BatchId, who: Librarian) -> Response:
    """A stamped copy of a printed batch."""
    return _sent(at, lambda desk: desk.copy_batch(batch_id, who=who), batch_id)


@acted.post("/lots/{batch_id}/lettres/{delivery_id}/copie")
def copy_letter(at: At, batch_id: BatchId, delivery_id: uuid.UUID, who: Librarian) -> Response:
    """A stamped copy of one letter."""
    return _sent(at, lambda desk: desk.copy_letter(batch_id, delivery_id, who=who), batch_id)


def _desk() -> BatchDesk:
    config = settings()
    return BatchDesk(
        batches=ledger_access.letters(),
        drafts=ledger_access.drafts(),
        archive=letter_store(),
        source=lambda: loan_source(ILS, ils=config.ils, codes=config.codes()),
        now=datetime.now(config.zone),
        library=config.identity(),
        templates=ROOT / "templates",
        level=config.letters.guarantee_level,
    )


def _list(at: Page, *, problem: str = "", reference: str = "", status: int = 200) -> Response:
    try:
        found = ledger_access.letters().batches(limit=MOST_BATCHES)
    except ReminderError as error:
        return at.unavailable(error)
    config = settings()
    rows = [batch_row(batch, library=config.identity(), zone=config.zone) for batch in found]
    context = {"rows": rows, "reference": reference, "problem": problem, "cut": len(found) == MOST_BATCHES}
    return at.html("lots.html.j2", status, **context)


def _batch(
    at: Page,
    batch_id: int,
    *,
    status: int = 200,
    problem: str = "",
    told: Sequence[str] = (),
    to_provider: bool = False,
) -> Response:
    """The page of one batch; `told` is what must be read before it is printed."""
    try:
        ledger = ledger_access.letters()
        batch = ledger.batch(batch_id)
        if batch is None:
            return at.problem(f"Il n'y a pas de lot n° {batch_id}.", 404)
        letters = ledger.letters_of(batch_id)
    except ReminderError as error:
        return at.unavailable(error)
    config = settings()
    return at.html(
        "lot.html.j2",
        status,
        batch=batch_row(batch, library=config.identity(), zone=config.zone),
        letters=[letter_row(letter) for letter in letters],
        staying=sum(letter.left_out is None for letter in letters),
        problem=problem,
        told=told,
        to_provider=to_provider,
    )


def _sent(at: Page, make: Make, batch_id: int) -> Response:
    try:
        return _file(make(_desk()))
    except ReminderError as error:
        return _refused(at, error, batch_id)


def _file(file: LetterFile) -> Response:
    return download(file.name, file.media_type, file.content)


def _refused(at: Page, error: ReminderError, batch_id: int) -> Response:
    """The page of the batch with what is wrong: 404 for what is not there, 409 for what it does not allow."""
    if isinstance(error, IlsNotAsked):
        return _batch(at, batch_id, status=503, problem=said(error))
    if isinstance(error, LetterStepRefused):
        return _batch(at, batch_id, status=_STATUSES.get(error.code, 409), problem=sentence(error))
    return at.unavailable(error)


router = APIRouter()
router.include_router(seen)
router.include_router(acted)
