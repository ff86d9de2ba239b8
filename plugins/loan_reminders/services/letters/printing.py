"""Print the letters of a run: batches of PDFs, the list of their recipients and the posting slip beside them."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from loan_reminders.domain.errors import LedgerUnavailable, LetterStoreUnavailable, PermanentError
from loan_reminders.domain.letters.batches import EarlierReminder, PrintedBatch
from loan_reminders.domain.messages import LetterBatch, Receipt, RenderedLetter
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Ledger, LetterStore, Run, Sender
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.plurals import many
from loan_reminders.services.dispatch import Tally, not_sent, render_all
from loan_reminders.services.letters.batches import (
    WORK_PREFIX,
    Composed,
    LetterSetup,
    batch_name,
    branch_of,
    groups,
    store_batch,
)
from loan_reminders.services.runs.still_due import StillDue

log = logging.getLogger(__name__)


def print_letters(
    ledger: Ledger,
    store: LetterStore,
    setup: LetterSetup,
    *,
    run_id: int,
    kind: Channel,
    still_due: StillDue,
    approved_only: bool = False,
) -> dict[str, int]:
    """Lay out what waits and is still due, batch by batch, and store it; returns deliveries by state.

    A letter counts as done once its batch is stored. A letter that cannot be laid out is set aside with its reason
    and the others are printed. A run interrupted before that prints the same batch again in the same place, so that
    no letter is in two batches. With `approved_only` just the letters of approved drafts are printed; a dry run needs
    no approval. Raises TemplateError, LettersNotPrinted, LetterStoreUnavailable (the letters then wait again) or
    PermanentError (nobody approved them).
    """
    tally, run = Tally(channel="Lettres", every=100), ledger.run(run_id)
    waiting = ledger.planned_count(run_id, kind)
    approved = ledger.drafts().approved(run_id) if approved_only and not run.dry_run else None
    if waiting and approved is not None and not approved:
        raise PermanentError(
            f"Lettres recommandées qui attendent sans que personne les ait validées : {waiting}."
            " Relancer « Préparer les lettres », puis répondre à « Valider les lettres recommandées »."
        )
    # What was approved as a trial is printed as one, even when messages are redirected no more.
    trial = setup.trial or any(draft.trial for draft in ledger.drafts().drafts(run_id))
    setup = replace(setup, trial=trial)
    maker = BatchMaker(ledger=ledger, store=store, setup=setup, run=run, kind=kind, tally=tally)
    with ledger.sender(run_id, kind) as sender:
        if waiting:
            maker.print_all(sender, still_due, approved)
        else:
            log.info("Aucune lettre à imprimer")
        if not run.dry_run:
            _tidy(maker, printed=waiting > 0)
    return tally.summary()


def clear_away(ledger: Ledger, store: LetterStore, setup: LetterSetup, *, run_id: int, kind: Channel) -> None:
    """Remove what was laid out of a run whose letters a person said are not to leave. None of them waits any more.

    Raises LedgerUnavailable when another task has the letters in hand, or LetterStoreUnavailable.
    """
    tally, run = Tally(channel="Lettres", every=100), ledger.run(run_id)
    maker = BatchMaker(ledger=ledger, store=store, setup=setup, run=run, kind=kind, tally=tally)
    with ledger.alone(run_id, kind):
        _tidy(maker, printed=False)


def _tidy(maker: BatchMaker, *, printed: bool) -> None:
    """Remove files that nobody needs any more: drafts now printed, and what an interrupted try left of a batch.

    Letters cancelled since such a try leave its folder without anybody to print it again. The caller holds the lock of
    the letters meanwhile: nobody stores under that name. When there was nothing to print, a store that is out of reach
    is only a warning.
    """
    run = maker.run
    if maker.kind is Channel.REGISTERED_LETTER:
        maker.ledger.drafts().abandon(run.run_id)
        remove_abandoned(maker.ledger, maker.store, run.run_id)
    try:
        maker.store.remove(maker.next_batch_name(run))
        _tidy_interrupted_runs(maker)
    except LetterStoreUnavailable as error:
        if printed:
            raise
        log.warning("%s", error)


def _tidy_interrupted_runs(maker: BatchMaker) -> None:
    """Remove the batches that interrupted runs had stored and not recorded: this run took over what waits of them."""
    for run in maker.ledger.unfinished_runs(maker.run.run_id):
        try:
            with maker.ledger.alone(run.run_id, maker.kind):
                maker.store.remove(maker.next_batch_name(run))
        except LedgerUnavailable:
            log.info("La tournée %s imprime encore : rien n'est retiré de ses lots", run.run_id)


def remove_abandoned(ledger: Ledger, store: LetterStore, run_id: int) -> None:
    """Remove the files of a run's abandoned drafts. Raises LetterStoreUnavailable."""
    for name in ledger.drafts().abandoned(run_id):
        store.remove(name)


@dataclass(slots=True, kw_only=True)
class BatchMaker:
    """Turns what waits in a run into batches: composes the letters, lays them out, stores and records them."""

    ledger: Ledger
    store: LetterStore
    setup: LetterSetup
    run: Run
    kind: Channel
    tally: Tally
    held: list[Composed] = field(default_factory=list)

    def print_all(self, sender: Sender, still_due: StillDue, approved: Collection[uuid.UUID] | None) -> None:
        """Print what waits, of `approved` only when it is given."""
        self.check()
        with tempfile.TemporaryDirectory(prefix=WORK_PREFIX) as folder:
            if not self.run.dry_run:
                still_due.settle(sender)
            self.compose(sender, only=approved, claim=True)
            number = self.ledger.letters().batches_recorded(self.run.run_id) + 1
            made = groups(self.held, library=self.setup.library, split_by_branch=self.setup.split_by_branch)
            for place, (branch, letters) in enumerate(made):
                try:
                    printed = self.lay_out(letters, Path(folder) / str(place))
                    batch = self._stored(printed, number, branch)
                except Exception:
                    left = [letter for _, group in made[place:] for letter in group]
                    sender.record(not_sent(left))
                    raise
                self._record(sender, printed, batch)
                number += batch is not None

    def next_batch_name(self, run: Run) -> str:
        """The name of the batch that a run would close next, or has stored and not recorded."""
        closed = self.ledger.letters().batches_recorded(run.run_id)
        return batch_name(run, closed + 1, trial=self.setup.trial)

    def check(self) -> None:
        """Make sure that the templates are sound. Raises TemplateError or LettersNotPrinted."""
        self.setup.printer.check(stage=self.run.stage, kind=self.kind, today=self.setup.today)

    def compose(self, sender: Sender, *, only: Collection[uuid.UUID] | None = None, claim: bool) -> None:
        """Write every letter that waits, page by page, into `held`; with `claim` it is ours to print from here on."""
        passed_over = 0
        for page in sender.waiting():
            ours = [delivery for delivery in page if only is None or delivery.delivery_id in only]
            passed_over += len(page) - len(ours)
            earlier = sender.earlier_reminders(ours, zone=self.setup.zone, trial=self.setup.trial)
            rendered, failed = render_all(ours, partial(self._letter, earlier))
            if claim and not self.run.dry_run:
                claimed = sender.record_and_claim(failed, [letter.delivery_id for letter in rendered])
                rendered = [letter for letter in rendered if letter.delivery_id in claimed]
            else:
                sender.record(failed)
            self.tally.count(failed)
            branches = {delivery.delivery_id: branch_of(delivery, self.setup.library) for delivery in ours}
            self.held += [Composed.of(letter, branch=branches[letter.delivery_id]) for letter in rendered]
        if passed_over:
            log.warning(
                "%s encore",
                many(
                    passed_over,
                    "lettre n'était pas dans le lot validé : elle attend",
                    "lettres n'étaient pas dans le lot validé : elles attendent",
                ),
            )

    def _letter(self, earlier: Mapping[uuid.UUID, Sequence[EarlierReminder]], delivery: Delivery) -> RenderedLetter:
        of_these_loans = earlier.get(delivery.delivery_id, ())
        return self.setup.printer.letter(delivery, today=self.setup.today, earlier=of_these_loans)

    def lay_out(self, composed: Iterable[Composed], folder: Path) -> PrintedBatch:
        """Lay out one batch into a folder of its own."""
        folder.mkdir()
        return self.setup.printer.print_batch(
            (one.letter for one in composed),
            stage=self.run.stage,
            kind=self.kind,
            today=self.setup.today,
            folder=folder,
        )

    def _stored(self, printed: PrintedBatch, number: int, branch: str) -> LetterBatch | None:
        if not printed.pdfs:
            return None
        name = batch_name(self.run, number, trial=self.setup.trial)
        return store_batch(self.store, printed, name=name, kind=self.kind, branch=branch, setup=self.setup)

    def _record(self, sender: Sender, printed: PrintedBatch, batch: LetterBatch | None) -> None:
        receipts = _receipts(printed, batch, dry_run=self.run.dry_run)
        if batch is None or self.run.dry_run:
            sender.record(receipts)
        else:
            sender.record_batch(batch, receipts)
        self.tally.count(receipts)
        if batch is not None:
            log.info(
                "Lot %s : %s, %s",
                batch.name,
                many(batch.letters, "lettre", "lettres"),
                many(batch.pages, "page", "pages"),
            )
        if printed.set_aside:
            log.warning(
                "%s : motif dans le registre",
                many(len(printed.set_aside), "lettre mise de côté", "lettres mises de côté"),
            )


def set_aside(printed: PrintedBatch) -> list[Receipt]:
    """What became of the letters that could not be laid out."""
    return [
        Receipt(delivery_id=delivery_id, state=DeliveryState.REFUSED, reason=why)
        for delivery_id, why in printed.set_aside
    ]


def _receipts(printed: PrintedBatch, batch: LetterBatch | None, *, dry_run: bool) -> list[Receipt]:
    done, reason = (DeliveryState.CANCELLED, Reason.DRY_RUN) if dry_run else (DeliveryState.ACCEPTED, None)
    name = batch.name if batch else ""
    receipts = [
        Receipt(delivery_id=letter.delivery_id, state=done, reason=reason, provider_id=name)
        for letter in printed.letters
    ]
    return [*receipts, *set_aside(printed)]
