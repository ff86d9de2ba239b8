"""The files of a batch of letters as they are to be printed, shown or copied: cut, stamped, packed."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.domain.letters.batches import BatchLetter, BatchView, PrintedLetter
from loan_reminders.domain.letters.versos import with_versos
from loan_reminders.domain.ports.letters import LetterArchive

if TYPE_CHECKING:
    from loan_reminders.rendering.letters.copies import PageSpan, Stamp

PDF, ZIP, CSV, PNG = "application/pdf", "application/zip", "text/csv; charset=utf-8", "image/png"

ABOUT_THE_EXPORT = """\
Lot de lettres n° {batch_id}, à imprimer et à poster par un prestataire
Lettres : {letters}

{pdfs} : les lettres, les unes à la suite des autres.
destinataires.csv : une ligne par lettre, dans l'ordre du PDF : sa référence, les six lignes de son adresse, le pays,
le niveau de garantie, l'accusé de réception s'il est demandé, et ses pages (page_debut à page_fin, à partir de 1)
dans le PDF que nomme la colonne fichier. UTF-8, séparateur point-virgule : chaque prestataire associe ces colonnes
aux siennes.

Les lettres retirées du lot ne sont ni dans le PDF ni dans la liste. Ces fichiers contiennent des données personnelles :
les effacer une fois le lot posté.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFile:
    """A file to hand over; its name holds no personal data. The receiver closes `content`."""

    name: str
    media_type: str
    content: IO[bytes]


def small_file(name: str, media_type: str, data: bytes) -> LetterFile:
    """A small file, made of bytes in memory."""
    return LetterFile(name=name, media_type=media_type, content=io.BytesIO(data))


def volumes(
    archive: LetterArchive,
    batch: BatchView,
    letters: Sequence[BatchLetter],
    *,
    stamp: Stamp | None = None,
    only: int = 0,
) -> Sequence[LetterFile]:
    """The PDFs of a batch without the letters left out; a volume of which nothing is left is not among them.

    `letters` are all that the ledger knows of the batch. Each is cut out by its own pages: those of a reader who was
    erased are nobody's, and in no file that is handed over. `only` names one volume, from 1. Raises
    LetterStoreUnavailable, or LettersNotPrinted for a damaged file.
    """
    files, everybody = [], len(letters) == batch.letters
    with ExitStack() as opened:
        for number, location in enumerate(batch.pdfs, start=1):
            spans = _spans(letters, number)
            if only not in (0, number) or not spans:
                continue
            whole = everybody and len(spans) == sum(letter.volume == number for letter in letters)
            keep = None if whole else spans
            content = opened.enter_context(_derived(archive, location, keep=keep, stamp=stamp))
            files.append(LetterFile(name=PurePosixPath(location).name, media_type=PDF, content=content))
        opened.pop_all()
    return files


def one_letter(archive: LetterArchive, batch: BatchView, letter: BatchLetter, *, stamp: Stamp) -> IO[bytes]:
    """The pages of one letter alone, stamped. Raises like `volumes`."""
    from loan_reminders.rendering.letters.copies import PageSpan

    if not 1 <= letter.volume <= len(batch.pdfs):
        raise LettersNotPrinted("Le lot n'a pas le fichier où cette lettre devrait être. Prévenir l'administrateur.")
    keep = [PageSpan(first=letter.first_page, last=letter.last_page)]
    return _derived(archive, batch.pdfs[letter.volume - 1], keep=keep, stamp=stamp)


def stored(archive: LetterArchive, location: str, *, stamp: Stamp | None) -> IO[bytes]:
    """A stored file, as it is but for the stamp. Raises LetterStoreUnavailable, or LettersNotPrinted like `volumes`."""
    return _derived(archive, location, keep=None, stamp=stamp)


def stamped(pdf: bytes, stamp: Stamp | None) -> IO[bytes]:
    """A small PDF that was just made, with a stamp if it is to have one."""
    if stamp is None:
        return io.BytesIO(pdf)
    from loan_reminders.rendering.letters.copies import derive

    output = io.BytesIO()
    derive(io.BytesIO(pdf), output, stamp=stamp)
    output.seek(0)
    return output


def recipients(letters: Sequence[BatchLetter], batch: BatchView, *, level: str) -> bytes:
    """The list of recipients of the letters that are to be posted, with their pages in what `volumes` gives."""
    from loan_reminders.rendering.letters.recipients_list import recipients_csv

    names = [PurePosixPath(location).name for location in batch.pdfs]
    return recipients_csv(as_posted(letters), kind=batch.kind, level=level, files=names)


def export(batch: BatchView, pdfs: Sequence[LetterFile], letters: Sequence[BatchLetter], *, level: str) -> LetterFile:
    """What a mailing service needs, packed: PDFs, list of recipients, and what they are."""
    posted = sum(letter.left_out is None for letter in letters)
    names = ", ".join(file.name for file in pdfs)
    about = ABOUT_THE_EXPORT.format(batch_id=batch.batch_id, letters=posted, pdfs=names).replace("\n", "\r\n")
    more = [
        small_file("destinataires.csv", CSV, recipients(letters, batch, level=level)),
        small_file("LISEZ-MOI.txt", "text/plain; charset=utf-8", about.encode("utf-8-sig")),
    ]
    return packed(f"lot-{batch.batch_id}-prestataire.zip", [*pdfs, *more], batch)


def packed(name: str, files: Sequence[LetterFile], batch: BatchView) -> LetterFile:
    """Files in one ZIP, dated as the batch; they are closed."""
    with ExitStack() as opened:
        content = opened.enter_context(tempfile.TemporaryFile())
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in files:
                entry = zipfile.ZipInfo(file.name, (batch.at.year, batch.at.month, batch.at.day, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_STORED if file.media_type == PDF else zipfile.ZIP_DEFLATED
                entry.external_attr = 0o600 << 16
                with file.content as source, archive.open(entry, "w", force_zip64=True) as target:
                    while piece := source.read(1024 * 1024):
                        target.write(piece)
        content.seek(0)
        opened.pop_all()
    return LetterFile(name=name, media_type=ZIP, content=content)


def _derived(
    archive: LetterArchive, location: str, *, keep: Sequence[PageSpan] | None, stamp: Stamp | None
) -> IO[bytes]:
    """A stored file, cut and stamped if need be, in a nameless temporary file."""
    with ExitStack() as opened:
        output = opened.enter_context(tempfile.TemporaryFile())
        if keep is None and stamp is None:
            for piece in archive.read(location):
                output.write(piece)
        else:
            from loan_reminders.rendering.letters.copies import derive
            from loan_reminders.rendering.private_files import open_private

            with tempfile.TemporaryDirectory(prefix="letters-") as folder:
                source = Path(folder) / "source.pdf"
                with open_private(source) as file:
                    for piece in archive.read(location):
                        file.write(piece)
                derive(source, output, keep=keep, stamp=stamp)
        output.seek(0)
        opened.pop_all()
    return output


def _spans(letters: Sequence[BatchLetter], volume: int) -> list[PageSpan]:
    """The pages of the letters that stay in a volume, and where a blank verso comes behind them."""
    from loan_reminders.rendering.letters.copies import PageSpan

    return [
        PageSpan(first=letter.first_page, last=letter.last_page, blank_verso=blank_verso)
        for letter, blank_verso in with_versos(letters)
        if letter.volume == volume
    ]


def as_posted(letters: Sequence[BatchLetter]) -> list[PrintedLetter]:
    """The letters that stay, with their pages in what `volumes` gives."""
    found, done = [], Counter[int]()
    for letter, blank_verso in with_versos(letters):
        pages = letter.last_page - letter.first_page + 1
        found.append(
            PrintedLetter(
                delivery_id=letter.delivery_id,
                reference=letter.reference,
                recipient=letter.recipient,
                first_page=done[letter.volume] + 1,
                pages=pages,
                volume=letter.volume,
            )
        )
        done[letter.volume] += pages + blank_verso
    return found
