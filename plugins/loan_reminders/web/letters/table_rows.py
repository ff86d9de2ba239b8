"""Rows of the tables of batches and of their letters, in the words that a librarian reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from loan_reminders.domain.letters.batches import BatchLetter, BatchState, BatchView
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.french.days import when_words
from loan_reminders.french.letters import BATCHES, LEFT_OUT
from loan_reminders.french.plurals import many
from loan_reminders.french.words import CHANNELS, REASONS, STAGES
from loan_reminders.services.letters.recheck import Recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """One batch, in words. `pill` is the class of its state, `volumes` are the numbers of its PDFs.

    A `trial` is not for the post.
    """

    batch_id: int
    day: str
    stage: str
    kind: str
    branch: str
    letters: int
    pages: int
    left_out: int
    run_id: int
    state: str
    pill: str
    printed_by: str
    printed_at: str
    volumes: tuple[int, ...]
    slip: bool
    draft: bool
    ready: bool
    printed: bool
    abandoned: bool
    trial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """One letter of a batch, in words. `left_out` is empty when it is to be posted, `preview` its page among those."""

    delivery_id: str
    place: int
    reference: str
    name: str
    reader_number: int | None
    town: str
    documents: int
    pages: int
    left_out: str
    preview: int


PILLS = {BatchState.DRAFT: "wait", BatchState.READY: "wait", BatchState.PRINTED: "", BatchState.ABANDONED: "off"}


def batch_row(batch: BatchView, *, library: LibraryIdentity, zone: tzinfo, now: datetime) -> BatchRow:
    """One batch of the list."""
    return BatchRow(
        batch_id=batch.batch_id,
        day=f"{batch.reference_date:%d/%m/%Y}",
        stage=STAGES[batch.stage],
        kind=CHANNELS[batch.kind],
        branch=library.branch(batch.branch).name if batch.branch else "toutes",
        letters=batch.letters,
        pages=batch.pages,
        left_out=batch.left_out,
        run_id=batch.run_id,
        state=BATCHES[batch.state],
        pill=PILLS[batch.state],
        printed_by=(batch.printed_by or "") if batch.state is BatchState.PRINTED else "",
        printed_at="" if batch.printed_at is None else when_words(batch.printed_at, now=now, zone=zone),
        volumes=tuple(range(1, len(batch.pdfs) + 1)),
        slip=bool(batch.slip),
        draft=batch.state is BatchState.DRAFT,
        ready=batch.state is BatchState.READY,
        printed=batch.state is BatchState.PRINTED,
        abandoned=batch.state is BatchState.ABANDONED,
        trial=batch.trial,
    )


def letter_row(letter: BatchLetter, *, preview: int = 0) -> LetterRow:
    """One letter of the list; `preview` is the page where it begins, 0 when it is not to be posted."""
    return LetterRow(
        delivery_id=str(letter.delivery_id),
        place=letter.position,
        reference=letter.reference,
        name=letter.patron_name or letter.recipient.lines[0],
        reader_number=letter.reader_number,
        town=letter.recipient.lines[-1],
        documents=len(letter.loans),
        pages=letter.last_page - letter.first_page + 1,
        left_out="" if letter.left_out is None else LEFT_OUT.get(letter.left_out, REASONS[letter.left_out]),
        preview=preview,
    )


def changes_in_words(check: Recheck) -> list[str]:
    """What has changed for the letters of a batch, a sentence each; none when nothing has."""
    said = []
    if check.returned:
        said.append(f"{_retired(check.returned)} : tout a été rendu, perdu ou déclaré rendu.")
    if check.renewed:
        said.append(f"{_retired(check.renewed)} : tout a été prolongé.")
    if check.partly:
        named = many(len(check.partly), "lettre nomme un document rendu", "lettres nomment un document rendu")
        said.append(
            f"{named} ou prolongé entre-temps : {', '.join(check.partly)}. Le papier ne peut plus être changé :"
            " laisser partir, ou retirer avec un motif."
        )
    if check.superseded:
        said.append(f"{_retired(check.superseded)} : une étape suivante a pris le relais.")
    if check.dead_address:
        said.append(f"{_retired(check.dead_address)} : du courrier est revenu de l'adresse (NPAI).")
    if check.held:
        said.append(f"{_retired(check.held)} : un bibliothécaire a demandé de ne pas écrire pour le moment.")
    if check.held_with_others:
        said.append(
            f"Avec ces lettres attendent aussi d'autres documents des mêmes lecteurs : "
            f"{', '.join(check.held_with_others)}. Pour eux, relancer la tournée du jour, ou laisser faire l'étape "
            "suivante."
        )
    return said


def _retired(number: int) -> str:
    return many(number, "lettre retirée", "lettres retirées")
