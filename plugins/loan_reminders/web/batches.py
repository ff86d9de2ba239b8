"""The pages of letters on paper: batches to look at, to print once, and to copy."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Form, Response
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loan_reminders.domain.errors import RETRIED, LetterStepRefused, ReminderError
from loan_reminders.hooks.ils import loan_source
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.letter_desk import IlsNotAsked, LetterDesk
from loan_reminders.services.letter_files import LetterFile
from loan_reminders.settings import ROOT, settings
from loan_reminders.web import access, books
from loan_reminders.web.batch_rows import batch_row, letter_row, told

ILS = "ils_oracle"
MOST_BATCHES = 200
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined
)
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
_PIECE = 256 * 1024

router = APIRouter(dependencies=[Depends(access.may_read)])
Librarian = Annotated[str, Depends(access.librarian)]
BatchId = Annotated[int, InPath(ge=1, lt=2**63)]
change = [Depends(access.may_change)]


@router.get("/lots", response_class=HTMLResponse)
def page(reference: str = "") -> Response:
    """The batches, or the way to the letter of one reference."""
    reference = reference.strip()[:100]
    try:
        ledger = books.letters()
        if reference and (letter := ledger.letter(reference)):
            return RedirectResponse(f"lots/{letter.batch_id}#{letter.delivery_id}", 303, headers=_NO_STORE)
        found = ledger.batches(limit=MOST_BATCHES)
    except ReminderError as error:
        return _failed(error, up="")
    config = settings()
    rows = [batch_row(batch, library=config.identity(), zone=config.zone) for batch in found]
    context = {"rows": rows, "reference": reference, "cut": len(found) == MOST_BATCHES}
    return _html("lots.html.j2", 404 if reference else 200, up="", **context)


@router.get("/lots/{batch_id}", response_class=HTMLResponse)
def batch_page(batch_id: BatchId) -> Response:
    """One batch and its letters."""
    return _batch(batch_id, up="../")


@router.get("/lots/{batch_id}/apercu/{volume}")
def preview(batch_id: BatchId, volume: int) -> Response:
    """One PDF of a batch not yet printed, stamped."""
    return _sent(lambda desk: desk.preview(batch_id, volume), batch_id, up="../../../")


@router.get("/lots/{batch_id}/destinataires.csv")
def recipients(batch_id: BatchId) -> Response:
    """The list of recipients."""
    return _sent(lambda desk: desk.recipients(batch_id), batch_id, up="../../")


@router.get("/lots/{batch_id}/bordereau")
def slip(batch_id: BatchId) -> Response:
    """The posting slip."""
    return _sent(lambda desk: desk.slip(batch_id), batch_id, up="../../")


@router.post("/lots/{batch_id}/impression", dependencies=change)
def print_batch(
    batch_id: BatchId,
    who: Librarian,
    confirme: Annotated[str, Form(max_length=3)] = "",
    pour: Annotated[str, Form(max_length=20)] = "imprimante",
) -> Response:
    """Print a batch, once; before, the page says what the ILS changed."""
    to_provider = pour == "prestataire"
    try:
        done = _desk().print_batch(batch_id, who=who, confirmed=confirme == "oui", to_provider=to_provider)
    except ReminderError as error:
        return _refused(error, batch_id, up="../../")
    if done.file is None:
        return _batch(batch_id, up="../../", told=told(done.check), to_provider=to_provider)
    return _stream(done.file)


@router.post("/lots/{batch_id}/retrait", dependencies=change)
def take_out(
    batch_id: BatchId,
    who: Librarian,
    lettre: Annotated[uuid.UUID, Form()],
    motif: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Take one letter out of a batch not yet printed."""
    try:
        _desk().take_out(batch_id, lettre, who=who, detail=motif)
    except ReminderError as error:
        return _refused(error, batch_id, up="../../")
    return RedirectResponse(f"../../lots/{batch_id}", 303)


@router.post("/lots/{batch_id}/copie", dependencies=change)
def copy_batch(batch_id: BatchId, who: Librarian) -> Response:
    """A stamped copy of a printed batch."""
    return _sent(lambda desk: desk.copy_batch(batch_id, who=who), batch_id, up="../../")


@router.post("/lots/{batch_id}/lettres/{delivery_id}/copie", dependencies=change)
def copy_letter(batch_id: BatchId, delivery_id: uuid.UUID, who: Librarian) -> Response:
    """A stamped copy of one letter."""
    return _sent(lambda desk: desk.copy_letter(batch_id, delivery_id, who=who), batch_id, up="../../../../")


def _desk() -> LetterDesk:
    config = settings()
    return LetterDesk(
        books=books.letters(),
        archive=letter_store(),
        source=lambda: loan_source(ILS, ils=config.ils, codes=config.codes()),
        now=datetime.now(config.zone),
        library=config.identity(),
        templates=ROOT / "templates",
        level=config.letters.guarantee_level,
    )


def _batch(
    batch_id: int,
    *,
    up: str,
    status: int = 200,
    problem: str = "",
    told: Sequence[str] = (),
    to_provider: bool = False,
) -> Response:
    """The page of one batch; `told` is what must be read before it is printed."""
    try:
        ledger = books.letters()
        batch = ledger.batch(batch_id)
        if batch is None:
            return _html("indisponible.html.j2", 404, up=up, problem=f"Il n'y a pas de lot n° {batch_id}.")
        letters = ledger.letters_of(batch_id)
    except ReminderError as error:
        return _failed(error, up=up)
    config = settings()
    return _html(
        "lot.html.j2",
        status,
        up=up,
        batch=batch_row(batch, library=config.identity(), zone=config.zone),
        letters=[letter_row(letter) for letter in letters],
        staying=sum(letter.left_out is None for letter in letters),
        problem=problem,
        told=told,
        to_provider=to_provider,
    )


def _sent(make: Any, batch_id: int, *, up: str) -> Response:
    try:
        return _stream(make(_desk()))
    except ReminderError as error:
        return _refused(error, batch_id, up=up)


def _stream(file: LetterFile) -> StreamingResponse:
    size = file.content.seek(0, 2)
    file.content.seek(0)
    headers = {
        **_NO_STORE,
        "Content-Disposition": f'attachment; filename="{file.name}"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_pieces(file.content), media_type=file.media_type, headers=headers)


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while piece := content.read(_PIECE):
            yield piece


def _refused(error: ReminderError, batch_id: int, *, up: str) -> Response:
    """The page of the batch with what is wrong: 404 for what is not there, 409 for what it does not allow."""
    if isinstance(error, IlsNotAsked):
        words = (
            "Le SIGB ne peut pas être interrogé : rien n'a été imprimé, le lot attend. Réessayer dans quelques"
            f" minutes ; si cela dure, prévenir l'administrateur. ({_said(error)})"
        )
        return _batch(batch_id, up=up, status=503, problem=words)
    if isinstance(error, LetterStepRefused):
        statuses = {"unknown": 404, "no_reason": 400}
        return _batch(batch_id, up=up, status=statuses.get(error.code, 409), problem=str(error))
    return _failed(error, up=up)


def _failed(error: ReminderError, *, up: str) -> HTMLResponse:
    return _html("indisponible.html.j2", 503, up=up, problem=_said(error))


def _said(error: ReminderError) -> str:
    """What went wrong, without the promise that a task makes of trying again by itself."""
    return str(error).replace(RETRIED, "Réessayer ; si cela dure, prévenir l'administrateur.").strip()


def _html(template: str, status: int, **context: object) -> HTMLResponse:
    return HTMLResponse(_PAGES.get_template(template).render(**context), status, headers=_NO_STORE)
