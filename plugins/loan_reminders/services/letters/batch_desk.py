"""What a librarian does with a batch of letters: look at it, take letters out, print it once, copy it afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable, LetterStepRefused
from loan_reminders.domain.letters.batches import BatchLetter, BatchRefusal, BatchState, BatchView
from loan_reminders.domain.letters.print_checks import GOOD_FOR
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.ports.letters import LetterArchive, LetterBatches, LetterDrafts
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.states import Reason
from loan_reminders.rendering.template_folders import TemplatePlace
from loan_reminders.services.letters import files as letter_files
from loan_reminders.services.letters.files import CSV, PDF, PNG, LetterFile, small_file
from loan_reminders.services.letters.preview_pages import draw, preview_pages
from loan_reminders.services.letters.recheck import Recheck, leave_out_unwanted, recheck
from loan_reminders.services.letters.stamps import copy_stamp, file_name, preview_stamp, print_stamp
from loan_reminders.services.runs.gone_loans import Progress, tell_nobody

GIVEN_AGAIN_FOR = timedelta(minutes=10)
"""For so long whoever printed a batch may have its file again."""

RECIPIENTS, POSTING_SLIP = "liste des destinataires", "bordereau de dépôt"
"""What is written in the journal about a list that somebody downloaded."""


class IlsNotAsked(LetterStepRefused):
    """The ILS could not be asked before printing: nothing was printed, and nothing changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """What came of printing: the file, or None when the librarian must first read what the ILS said."""

    file: LetterFile | None
    check: Recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDesk:
    """A library's batches of letters, at this moment of its own time zone (`now`).

    `source` opens the ILS; it is called only when a batch must be asked about again. `library` and `templates` are for
    posting slips, `level` is the guarantee level of registered letters. Every method raises what its ports raise, and
    LetterStepRefused for a step that the batch does not allow.
    """

    batches: LetterBatches
    drafts: LetterDrafts
    archive: LetterArchive
    source: Callable[[], LoanSource]
    now: datetime
    library: LibraryIdentity
    templates: TemplatePlace
    level: str = "R1"

    def print_batch(self, batch_id: int, *, who: str, confirmed: bool = False, to_provider: bool = False) -> Printing:
        """Print a closed batch, once: the file for the printer, or the packed one for a mailing service.

        Where `must_ask`, the ILS is first; what that changes is read by the librarian before any print (`confirmed`).
        """
        check = self.check(batch_id, who=who) if self.must_ask(batch_id) else self.leave_out_unwanted(batch_id, who=who)
        if not (check.silent or confirmed):
            return Printing(file=None, check=check)
        return Printing(file=self.hand_over(batch_id, who=who, to_provider=to_provider), check=check)

    def must_ask(self, batch_id: int) -> bool:
        """Whether the ILS is to be asked before this batch is printed: a book may have come back since its layout."""
        return self.now - self._ready(batch_id).at > GOOD_FOR

    def letters_to_print(self, batch_id: int) -> Sequence[BatchLetter]:
        """The letters of a batch that may be printed, those left out too; refused when none is left."""
        self._ready(batch_id)
        letters = self.batches.letters_of(batch_id)
        if not _staying(letters):
            raise LetterStepRefused(BatchRefusal.NOTHING_TO_PRINT)
        return letters

    def check(self, batch_id: int, *, who: str, progress: Progress = tell_nobody) -> Recheck:
        """Ask the ILS about a closed batch, and leave out of it what is not to leave. Raises IlsNotAsked."""
        since, today = self._ready(batch_id).at.astimezone(self.now.tzinfo).date(), self.now.date()
        try:
            return recheck(self.batches, self.source(), batch_id, since=since, today=today, who=who, progress=progress)
        except (IlsUnavailable, IlsRejected) as error:
            raise IlsNotAsked(BatchRefusal.ILS_NOT_ASKED, why=str(error)) from None

    def leave_out_unwanted(self, batch_id: int, *, who: str) -> Recheck:
        """Leave out of a closed batch what the ledger knows is not to leave any more; the ILS is not asked."""
        self._ready(batch_id)
        return leave_out_unwanted(self.batches, batch_id, Recheck(), today=self.now.date(), who=who)

    def hand_over(self, batch_id: int, *, who: str, to_provider: bool = False) -> LetterFile:
        """Give the clean file of a batch, and call the batch printed by that, once.

        The file is built whole before; a batch that somebody else printed meanwhile is refused. The pages of a trial
        are stamped, and no mailing service gets them: it would post them.
        """
        batch = self._ready(batch_id)
        if batch.trial and to_provider:
            raise LetterStepRefused(BatchRefusal.TRIAL)
        self.leave_out_unwanted(batch_id, who=who)  # what was held, say, since the librarian was told
        while True:
            letters = self.letters_to_print(batch_id)
            with ExitStack() as unless_printed:
                file = self._printed(batch, letters, to_provider=to_provider)
                unless_printed.enter_context(file.content)
                # A letter taken out while the file was built is not to be in it; once printed, none is taken out.
                if _staying(self.batches.letters_of(batch_id)) != _staying(letters):
                    continue
                if not self.batches.mark_printed(batch_id, who=who, to_provider=to_provider):
                    raise self._refusal(BatchState.PRINTED)
                if _staying(self.batches.letters_of(batch_id)) == _staying(letters):
                    unless_printed.pop_all()
                    return file
            return self._printed(batch, self.batches.letters_of(batch_id), to_provider=to_provider)

    def may_give_again(self, batch: BatchView, *, who: str) -> bool:
        """Whether this person printed the batch so lately that its file may be given again: a download was lost."""
        at = batch.printed_at
        return (
            batch.state is BatchState.PRINTED
            and at is not None
            and batch.printed_by == who
            and self.now - at <= GIVEN_AGAIN_FOR
        )

    def give_again(self, batch_id: int, *, who: str) -> LetterFile:
        """The same bytes as `hand_over` gave, for the same person and ten minutes at most; it is recorded."""
        batch = self.batch(batch_id)
        if not self.may_give_again(batch, who=who):
            raise self._refusal(BatchState.PRINTED)
        to_provider = self.batches.went_to_provider(batch_id)
        file = self._printed(batch, self.batches.letters_of(batch_id), to_provider=to_provider)
        with ExitStack() as unless_noted:
            unless_noted.enter_context(file.content)
            self.batches.note_given_again(batch_id, who=who)
            unless_noted.pop_all()
        return file

    def take_out(self, batch_id: int, delivery_id: uuid.UUID, *, who: str, detail: str) -> None:
        """Take one letter out of a closed batch, or of a draft that waits, with the librarian's reason."""
        batch = self.batch(batch_id)
        if batch.state not in (BatchState.DRAFT, BatchState.READY):
            raise self._refusal(batch.state)
        if not detail.strip():
            raise LetterStepRefused(BatchRefusal.NO_REASON)
        if batch.state is BatchState.DRAFT:
            taken = self.drafts.take_out(batch.run_id, [delivery_id], who=who, detail=detail.strip())
            if not taken:
                raise LetterStepRefused(BatchRefusal.NOT_IN_DRAFT)
            return
        if not self.batches.leave_out(batch_id, {delivery_id: Reason.TAKEN_OUT}, who=who, detail=detail.strip()):
            raise LetterStepRefused(BatchRefusal.NOT_IN_BATCH)

    def preview(self, batch_id: int, volume: int) -> LetterFile:
        """One PDF of a batch not yet printed, stamped so that it cannot be taken for letters to post."""
        batch = self.batch(batch_id)
        stamp = preview_stamp(batch, self.now)
        found = letter_files.volumes(self.archive, batch, self.batches.letters_of(batch_id), stamp=stamp, only=volume)
        if volume < 1 or not found:
            raise LetterStepRefused(BatchRefusal.UNKNOWN_FILE)
        return LetterFile(name=file_name(batch, f"-apercu-{volume}.pdf"), media_type=PDF, content=found[0].content)

    def page_image(self, batch_id: int, number: int) -> LetterFile:
        """One page of that PDF, from 1 through all its files, as an image: only that page is read."""
        batch = self.batch(batch_id)
        stamp = preview_stamp(batch, self.now)
        pages = preview_pages(self.batches.places_of(batch_id))
        if not 1 <= number <= len(pages):
            raise LetterStepRefused(BatchRefusal.UNKNOWN_PAGE)
        image = draw(self.archive, batch, pages[number - 1], stamp=stamp)
        return small_file(f"lot-{batch_id}-page-{number}.png", PNG, image)

    def copy_batch(self, batch_id: int, *, who: str) -> LetterFile:
        """A stamped copy of a printed batch: its PDF, or a ZIP when it has several. The copy is recorded."""
        batch = self._printed_before(batch_id)
        stamp = copy_stamp(batch, self.now)
        files = letter_files.volumes(self.archive, batch, self.batches.letters_of(batch_id), stamp=stamp)
        file = self._as_one(file_name(batch, "-copie"), files, batch)
        return self._noted(file, batch_id, None, who=who)

    def copy_letter(self, batch_id: int, delivery_id: uuid.UUID, *, who: str) -> LetterFile:
        """A stamped copy of one letter of a printed batch, its pages alone. The copy is recorded."""
        batch = self._printed_before(batch_id)
        letter = next((one for one in self.batches.letters_of(batch_id) if one.delivery_id == delivery_id), None)
        if letter is None:
            raise LetterStepRefused(BatchRefusal.UNKNOWN_LETTER)
        more = " – lettre retirée du lot, jamais postée" if letter.left_out else ""
        stamp = copy_stamp(batch, self.now, more=more)
        content = letter_files.one_letter(self.archive, batch, letter, stamp=stamp)
        name = file_name(batch, f"-lettre-{letter.position}-copie.pdf")
        return self._noted(LetterFile(name=name, media_type=PDF, content=content), batch_id, delivery_id, who=who)

    def recipients(self, batch_id: int, *, who: str) -> LetterFile:
        """The list of recipients of what is to be posted, with its pages. Who asked for it is recorded."""
        batch = self.batch(batch_id)
        data = letter_files.recipients(self.batches.letters_of(batch_id), batch, level=self.level)
        self.batches.note_download(batch_id, RECIPIENTS, who=who)
        return small_file(file_name(batch, "-destinataires.csv"), CSV, data)

    def slip(self, batch_id: int, *, who: str) -> LetterFile:
        """The posting slip of a batch of registered letters: the letters that are to be posted, and no others.

        Who asked for it is recorded.
        """
        batch = self.batch(batch_id)
        if not batch.slip:
            raise LetterStepRefused(BatchRefusal.UNKNOWN_SLIP)
        file = self._slip(batch)
        with ExitStack() as unless_noted:
            unless_noted.enter_context(file.content)
            self.batches.note_download(batch_id, POSTING_SLIP, who=who)
            unless_noted.pop_all()
        return file

    def _slip(self, batch: BatchView) -> LetterFile:
        name, stamp = file_name(batch, "-bordereau.pdf"), print_stamp(batch)
        letters = self.batches.letters_of(batch.batch_id)
        if len(_staying(letters)) == batch.letters:
            return LetterFile(
                name=name, media_type=PDF, content=letter_files.stored(self.archive, batch.slip, stamp=stamp)
            )
        from loan_reminders.rendering.registered.posting_slip import posting_slip

        slip = posting_slip(
            letter_files.as_posted(letters),
            batch=batch.name.rpartition("/")[2],
            branch=self.library.branch(batch.branch).name if batch.branch else "",
            library=self.library,
            level=self.level,
            today=batch.at.astimezone(self.now.tzinfo).date(),
            templates=self.templates,
        )
        return LetterFile(name=name, media_type=PDF, content=letter_files.stamped(slip, stamp))

    def batch(self, batch_id: int) -> BatchView:
        """A batch of this library."""
        batch = self.batches.batch(batch_id)
        if batch is None:
            raise LetterStepRefused(BatchRefusal.UNKNOWN_BATCH, batch_id=batch_id)
        return batch

    def _ready(self, batch_id: int) -> BatchView:
        batch = self.batch(batch_id)
        if batch.state is not BatchState.READY:
            raise self._refusal(batch.state)
        return batch

    def _printed_before(self, batch_id: int) -> BatchView:
        batch = self.batch(batch_id)
        if batch.state is not BatchState.PRINTED:
            raise LetterStepRefused(BatchRefusal.NOT_PRINTED)
        return batch

    def _printed(self, batch: BatchView, letters: Sequence[BatchLetter], *, to_provider: bool) -> LetterFile:
        files = letter_files.volumes(self.archive, batch, letters, stamp=print_stamp(batch))
        if to_provider:
            return letter_files.export(batch, files, letters, level=self.level)
        return self._as_one(file_name(batch, ""), files, batch)

    @staticmethod
    def _as_one(name: str, files: Sequence[LetterFile], batch: BatchView) -> LetterFile:
        if len(files) == 1:
            return LetterFile(name=f"{name}.pdf", media_type=PDF, content=files[0].content)
        if not files:
            raise LetterStepRefused(BatchRefusal.NOTHING_LEFT)
        return letter_files.packed(f"{name}.zip", files, batch)

    def _noted(self, file: LetterFile, batch_id: int, delivery_id: uuid.UUID | None, *, who: str) -> LetterFile:
        with ExitStack() as unless_noted:
            unless_noted.enter_context(file.content)
            self.batches.note_copy(batch_id, delivery_id, who=who)
            unless_noted.pop_all()
        return file

    @staticmethod
    def _refusal(state: BatchState) -> LetterStepRefused:
        return LetterStepRefused(BatchRefusal(state.value))


def _staying(letters: Sequence[BatchLetter]) -> frozenset[uuid.UUID]:
    return frozenset(letter.delivery_id for letter in letters if letter.left_out is None)
