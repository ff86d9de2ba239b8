"""The page of one batch of letters: look at its pages, take letters out, copy them; printing is in `printing`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi import Path as InPath

from loan_reminders.domain.errors import ReminderError
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.services.letters.files import LetterFile
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.letters.at_desk import batch_desk
from loan_reminders.web.letters.batch_page import Asked, batch_page, refused
from loan_reminders.web.page import At, Page, Place, Typed, download

router = APIRouter(route_class=ActRoute)
BatchId = Annotated[int, InPath(ge=1, lt=2**63)]
Number = Annotated[int, InPath(ge=1, lt=2**31)]
Make = Callable[[BatchDesk], LetterFile]


@router.get("/lots/{batch_id}")
def page(
    at: At,
    batch_id: BatchId,
    who: Librarian,
    montrer: Annotated[Typed, Query(max_length=20)] = "",
    tri: Annotated[Typed, Query(max_length=20)] = "",
    sens: Annotated[Typed, Query(max_length=4)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    feuille: Annotated[int, Query(ge=1, lt=2**31)] = 1,
) -> Response:
    """One batch, its letters, and one page of paper (`feuille`) as it will be printed."""
    asked = Asked(shown=montrer, column=tri, descending=sens == "desc", page=page, sheet=feuille)
    return batch_page(at, batch_id, who=who, asked=asked)


@router.get("/lots/{batch_id}/page/{number}.png")
def page_image(at: At, batch_id: BatchId, who: Librarian, number: Number) -> Response:
    """One page of a batch not yet printed as an image, stamped like the preview."""
    try:
        image = batch_desk().page_image(batch_id, number)
    except ReminderError as error:
        return refused(at, error, batch_id, who=who)
    with image.content as content:
        return Response(content.read(), media_type=image.media_type)


@router.get("/lots/{batch_id}/apercu/{volume}")
def preview(at: At, batch_id: BatchId, who: Librarian, volume: Number) -> Response:
    """One PDF of a batch not yet printed, stamped."""
    return _sent(at, lambda desk: desk.preview(batch_id, volume), batch_id, who=who)


@router.get("/lots/{batch_id}/destinataires.csv")
def recipients(at: At, batch_id: BatchId, who: Librarian) -> Response:
    """The list of recipients."""
    return _sent(at, lambda desk: desk.recipients(batch_id, who=who), batch_id, who=who)


@router.get("/lots/{batch_id}/bordereau")
def slip(at: At, batch_id: BatchId, who: Librarian) -> Response:
    """The posting slip."""
    return _sent(at, lambda desk: desk.slip(batch_id, who=who), batch_id, who=who)


@router.post("/lots/{batch_id}/retrait")
def take_out(
    at: At,
    batch_id: BatchId,
    who: Librarian,
    lettre: Annotated[uuid.UUID, Form()],
    motif: Annotated[Typed, Form(max_length=200)] = "",
    ici: Place = "",
) -> Response:
    """Take one letter out of a batch not yet printed."""
    try:
        batch_desk().take_out(batch_id, lettre, who=who, detail=motif)
    except ReminderError as error:
        return refused(at, error, batch_id, who=who)
    return at.back(f"lots/{batch_id}", ici, said="La lettre est retirée du lot.")


@router.post("/lots/{batch_id}/copie")
def copy_batch(at: At, batch_id: BatchId, who: Librarian) -> Response:
    """A stamped copy of a printed batch."""
    return _sent(at, lambda desk: desk.copy_batch(batch_id, who=who), batch_id, who=who)


@router.post("/lots/{batch_id}/lettres/{delivery_id}/copie")
def copy_letter(at: At, batch_id: BatchId, delivery_id: uuid.UUID, who: Librarian) -> Response:
    """A stamped copy of one letter."""
    return _sent(at, lambda desk: desk.copy_letter(batch_id, delivery_id, who=who), batch_id, who=who)


def _sent(at: Page, make: Make, batch_id: int, *, who: str) -> Response:
    try:
        file = make(batch_desk())
    except ReminderError as error:
        return refused(at, error, batch_id, who=who)
    return download(file.name, file.media_type, file.content)
