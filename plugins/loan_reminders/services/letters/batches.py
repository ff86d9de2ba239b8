"""Batches of letters: whose letters go together, in which order, under which name, and the files of each."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from loan_reminders.domain.letters.batches import PrintedBatch
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import LetterBatch, PlacedLetter, RenderedLetter
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.letters import LetterPrinter
from loan_reminders.domain.ports.outside import LetterStore, Run
from loan_reminders.domain.stages import Channel
from loan_reminders.rendering.template_folders import TemplatePlace
from loan_reminders.services.runs.rehearse import REHEARSALS

DRAFTS, TRIALS = "a-valider", "essai"
"""The folders of batches that are not for the post: drafts, dry runs, and those of a test installation."""

WORK_PREFIX = "letters-"
_WORK_FOLDER = re.compile(rf"{WORK_PREFIX}[a-z0-9_]{{8}}")
_ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSetup:
    """What all batches of an installation share on one day.

    `templates` is the folder of the posting slip's template. `zone` is the library's time zone, an IANA name, `level`
    the guarantee level of registered letters. A test installation, `trial`, keeps its batches in a folder of their own,
    and they stay marked: none of their letters is for the post.
    """

    printer: LetterPrinter
    templates: TemplatePlace
    library: LibraryIdentity
    today: date
    zone: str
    split_by_branch: bool = False
    level: str = "R1"
    trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A letter ready to be laid out, and what it is sorted by.

    `branch` is the ILS code of the branch that most of its documents are of, `order` its place in the post's order.
    """

    letter: RenderedLetter
    branch: str
    order: tuple[int, str, str, str, str]

    @classmethod
    def of(cls, letter: RenderedLetter, *, branch: str) -> Composed:
        """A letter with its place."""
        return cls(letter=letter, branch=branch, order=posting_order(letter))

    @property
    def delivery_id(self) -> uuid.UUID:
        """The delivery that the letter is."""
        return self.letter.delivery_id


def branch_of(delivery: Delivery, library: LibraryIdentity) -> str:
    """The code of the branch with most of a delivery's loans; of several, the first by name."""
    loans = Counter(loan.branch for loan in delivery.loans)
    return min(loans, key=lambda code: (-loans[code], _plain(library.branch(code).name), code))


def groups(
    composed: Iterable[Composed], *, library: LibraryIdentity, split_by_branch: bool
) -> list[tuple[str, list[Composed]]]:
    """The batches to make: the branch's code or "", and the letters in the order of the post."""
    found: dict[str, list[Composed]] = {}
    for one in composed:
        found.setdefault(one.branch if split_by_branch else "", []).append(one)
    codes = sorted(found, key=lambda code: (_plain(library.branch(code).name), code))
    return [(code, sorted(found[code], key=lambda one: one.order)) for code in codes]


def posting_order(letter: RenderedLetter) -> tuple[int, str, str, str, str]:
    """By postcode in France, then by country abroad, then by name: as the post wants a large deposit."""
    address = letter.recipient
    if address.postcode and address.lines[-1].startswith(f"{address.postcode} "):
        place = (0, address.postcode, "")
    else:
        place = (1, address.lines[-1], address.postcode)
    return (*place, _plain(letter.patron_name), letter.reference)


def _plain(text: str) -> str:
    """Text to sort by: without accents or capitals."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(character for character in spread if not unicodedata.combining(character)).casefold()


def batch_name(run: Run, number: int, *, draft: bool = False, trial: bool = False) -> str:
    """The folder of a batch: stage, day, run and number; no personal data."""
    name = f"{run.stage}-{run.reference_date}-{run.run_id}-{number}"
    if run.dry_run:
        return f"{REHEARSALS}/{name}"
    name = f"{TRIALS}/{name}" if trial else name
    return f"{DRAFTS}/{name}" if draft else name


def store_batch(
    store: LetterStore,
    printed: PrintedBatch,
    *,
    name: str,
    kind: Channel,
    branch: str,
    setup: LetterSetup,
    draft: bool = False,
) -> LetterBatch:
    """Store the PDFs of a batch, the list of its recipients and, to post registered letters, the posting slip.

    What an interrupted try stored under this name is replaced. Raises LetterStoreUnavailable, TemplateError or
    LettersNotPrinted (the slip).
    """
    from loan_reminders.rendering.letters.recipients_list import recipients_csv

    pdfs = _file_names(len(printed.pdfs))
    files: list[tuple[str, bytes | Path]] = [
        *zip(pdfs, printed.pdfs, strict=True),
        ("destinataires.csv", recipients_csv(printed.letters, kind=kind, level=setup.level, files=pdfs)),
    ]
    slip = kind is Channel.REGISTERED_LETTER and not draft
    if slip:
        files.append(("bordereau-de-depot.pdf", _slip(printed, name=name, branch=branch, setup=setup)))
    locations = store.store(name, files, replace=True)
    return LetterBatch(
        name=name,
        pdf=locations[0],
        more_pdfs=tuple(locations[1 : len(pdfs)]),
        csv=locations[len(pdfs)],
        slip=locations[-1] if slip else "",
        branch=branch,
        letters=len(printed.letters),
        pages=printed.pages,
        sha256=_digest(printed.pdfs),
        draft=draft,
        trial=setup.trial,
        placed=tuple(
            PlacedLetter(
                delivery_id=letter.delivery_id,
                reference=letter.reference,
                volume=letter.volume,
                first_page=letter.first_page,
                last_page=letter.last_page,
            )
            for letter in printed.letters
        ),
    )


def _file_names(count: int) -> tuple[str, ...]:
    return ("lettres.pdf",) if count == 1 else tuple(f"lettres-{number}.pdf" for number in range(1, count + 1))


def _slip(printed: PrintedBatch, *, name: str, branch: str, setup: LetterSetup) -> bytes:
    from loan_reminders.rendering.registered.posting_slip import posting_slip

    return posting_slip(
        printed.letters,
        batch=name.rpartition("/")[2],
        branch=setup.library.branch(branch).name if branch else "",
        library=setup.library,
        level=setup.level,
        today=setup.today,
        templates=setup.templates,
    )


def _digest(pdfs: Sequence[Path]) -> str:
    """SHA-256 of the files one after another, in hexadecimal."""
    digest = hashlib.sha256()
    for pdf in pdfs:
        with pdf.open("rb") as file:
            while piece := file.read(1024 * 1024):
                digest.update(piece)
    return digest.hexdigest()


def sweep_work_folders(now: datetime) -> int:
    """Remove what processes killed at this work left in the folder of temporary files; returns how many folders.

    Only folders of our own making and of this account, untouched for a day: none that another process may still use.
    """
    swept, before = 0, (now - _ABANDONED_AFTER).timestamp()
    for folder in Path(tempfile.gettempdir()).glob(f"{WORK_PREFIX}*"):
        try:
            facts = folder.lstat()
        except OSError:
            continue
        ours = _WORK_FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
        if ours and facts.st_uid == os.getuid() and facts.st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
