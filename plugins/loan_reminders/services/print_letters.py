"""Print the letters of a run: one PDF, and the list of its recipients beside it."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import LetterBatch, Receipt, RenderedLetter
from loan_reminders.domain.ports import Ledger, LetterStore, Run, Sender
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import Tally, not_sent, render_all
from loan_reminders.services.still_due import StillDue

if TYPE_CHECKING:
    from loan_reminders.rendering.letters import LetterRenderer, PrintedBatch

log = logging.getLogger(__name__)


def print_letters(
    ledger: Ledger,
    store: LetterStore,
    templates: Path,
    *,
    run_id: int,
    kind: Channel,
    library: LibraryIdentity,
    workers: int,
    today: date,
    still_due: StillDue,
    trial: bool = False,
) -> dict[str, int]:
    """Lay out what waits and is still due as one batch and store it; returns deliveries by state.

    A letter counts as done once its batch is stored. A letter that cannot be laid out is set aside with its reason
    and the others are printed. A run interrupted before that prints the same batch again in the same place, so that
    no letter is in two batches. Raises TemplateError, LettersNotPrinted or LetterStoreUnavailable; the letters then
    wait again.
    """
    from loan_reminders.rendering.letters import LetterRenderer

    tally, run = Tally(channel="Lettres", every=100), ledger.run(run_id)
    if not ledger.planned_count(run_id, kind):
        log.info("Aucune lettre à imprimer")
        return tally.summary()
    renderer = LetterRenderer(templates, library=library, workers=workers)
    renderer.check(stage=run.stage, kind=kind, today=today)
    with ledger.sender(run_id, kind) as sender, tempfile.TemporaryDirectory(prefix="letters-") as folder:
        claimed = _Claimed(sender=sender, run=run, renderer=renderer, today=today, tally=tally, still_due=still_due)
        try:
            printed = renderer.print_batch(
                claimed.letters(), stage=run.stage, kind=kind, today=today, folder=Path(folder)
            )
            batch = _store(store, printed, kind=kind, name=_name(run, sender.batches_recorded() + 1, trial=trial))
        except Exception:
            sender.exchange(not_sent(claimed.held), [])
            raise
        receipts = _receipts(printed, batch, dry_run=run.dry_run)
        if batch is None or run.dry_run:
            sender.exchange(receipts, [])
        else:
            sender.record_batch(batch, receipts)
        tally.count(receipts)
    if batch is not None:
        log.info("Lot %s : %d lettres, %d pages", batch.name, batch.letters, batch.pages)
    if printed.set_aside:
        log.warning("%d lettres mises de côté : motif dans le registre", len(printed.set_aside))
    return tally.summary()


@dataclass(slots=True, kw_only=True)
class _Claimed:
    """The letters of this batch, claimed page by page as the press asks for them."""

    sender: Sender
    run: Run
    renderer: LetterRenderer
    today: date
    tally: Tally
    still_due: StillDue
    held: list[RenderedLetter] = field(default_factory=list)

    def letters(self) -> Iterator[RenderedLetter]:
        if not self.run.dry_run:
            self.still_due.settle(self.sender)
        for page in self.sender.waiting():
            rendered, failed = render_all(page, lambda delivery: self.renderer.letter(delivery, today=self.today))
            ours = self.sender.exchange(failed, [letter.delivery_id for letter in rendered])
            self.tally.count(failed)
            mine = [letter for letter in rendered if self.run.dry_run or letter.delivery_id in ours]
            self.held += mine
            yield from mine


def _name(run: Run, number: int, *, trial: bool) -> str:
    """The folder of a batch: stage, day, run, number; nobody's name. A test installation has a folder of its own."""
    name = f"{run.stage}-{run.reference_date}-{run.run_id}-{number}"
    if run.dry_run:
        return f"essai-a-blanc/{name}"
    return f"essai/{name}" if trial else name


def _store(store: LetterStore, printed: PrintedBatch, *, kind: Channel, name: str) -> LetterBatch | None:
    from loan_reminders.rendering.letter_csv import recipients_csv

    if printed.pdf is None:
        return None
    files: list[tuple[str, bytes | Path]] = [
        ("lettres.pdf", printed.pdf),
        ("destinataires.csv", recipients_csv(printed.letters, kind=kind)),
    ]
    pdf, csv = store.store(name, files, replace=True)
    with printed.pdf.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return LetterBatch(name=name, pdf=pdf, csv=csv, letters=len(printed.letters), pages=printed.pages, sha256=digest)


def _receipts(printed: PrintedBatch, batch: LetterBatch | None, *, dry_run: bool) -> list[Receipt]:
    done, reason = (DeliveryState.CANCELLED, Reason.DRY_RUN) if dry_run else (DeliveryState.ACCEPTED, None)
    name = batch.name if batch else ""
    receipts = [
        Receipt(delivery_id=letter.delivery_id, state=done, reason=reason, provider_id=name)
        for letter in printed.letters
    ]
    receipts += [
        Receipt(delivery_id=delivery_id, state=DeliveryState.REFUSED, reason=why)
        for delivery_id, why in printed.set_aside
    ]
    return receipts
