"""The posting slip (bordereau de dépôt) of a batch of registered letters, to hand in with them at the post office.

It says what the order of 7 February 2007 (art. 4) asks of a sender: own name and address, each recipient, guarantee
level and acknowledgement; the post office adds its numbers, its stamp and its signature. The page is a template
(`templates/_layouts/posting_slip.typ`) laid out by Typst (`compile_pdf`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from loan_reminders.domain.errors import TO_MEND, LettersNotPrinted
from loan_reminders.domain.letters.batches import PrintedLetter
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.rendering.compile_pdf import ARCHIVABLE, COMPILE, PdfAnswer, PdfJob, without_quotes
from loan_reminders.rendering.letters.chunks import unwritable
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letters.page_templates import copy_pages
from loan_reminders.rendering.letters.text import french_date
from loan_reminders.rendering.process_pool import DiskRefused, JobStopped, ProcessPool
from loan_reminders.rendering.template_folders import TemplatePlace

MAIN = "_layouts/posting_slip.typ"


def posting_slip(
    letters: Sequence[PrintedLetter],
    *,
    batch: str,
    branch: str,
    library: LibraryIdentity,
    level: str,
    today: date,
    templates: TemplatePlace,
    fonts: Path = FONTS_FOLDER,
    timeout_s: float = 60.0,
) -> bytes:
    """The slip of a batch as a PDF, one line a letter in the order of the batch, dated today.

    `batch` is the batch's name, `branch` the name of the branch whose letters these are or "", `level` the guarantee
    level (`R1`, `R2`, `R3`). The same letters on the same day give the same bytes. Raises TemplateError when the
    template is missing or forbidden, LettersNotPrinted when it cannot be laid out, LetterStoreUnavailable when the
    disk is full, SettingsError (fonts).
    """
    known = FontSet.of(fonts)
    facts = {
        "batch": batch,
        "branch": known.drawable(branch),
        "date": french_date(today),
        "level": level,
        "fonts": known.families,
        "library": {
            "name": known.drawable(library.name),
            "address": [known.drawable(line) for line in library.address_lines],
            "phone": library.phone,
        },
        "letters": [
            {
                "reference": letter.reference,
                "name": known.drawable(letter.recipient.lines[0]),
                "town": known.drawable(town(letter.recipient)),
            }
            for letter in letters
        ],
    }
    with tempfile.TemporaryDirectory(prefix="letters-") as scratch:
        root, output = Path(scratch) / "root", Path(scratch) / "slip.pdf"
        copy_pages(templates, ("_layouts",), root)
        _work(
            {
                "root": str(root),
                "main": MAIN,
                "fonts": str(fonts),
                "inputs": {"facts": facts},
                "standards": [ARCHIVABLE],
                "timestamp": f"{today.isoformat()}T00:00:00+00:00",
                "output": str(output),
            },
            timeout_s=timeout_s,
        )
        return output.read_bytes()


def town(address: PostalAddress) -> str:
    """Postcode and town; abroad, the town's line and the country."""
    return ", ".join(address.lines[-2:]) if address.country else address.lines[-1]


def _work(job: PdfJob, *, timeout_s: float) -> None:
    """The job in a process of its own, killed when it takes too long."""
    try:
        with ProcessPool(timeout_s=timeout_s) as pool:
            answer: PdfAnswer = pool.ask(COMPILE, job)
    except JobStopped as why:
        raise _not_made(str(why)) from None
    except DiskRefused as why:
        raise unwritable(str(why)) from None
    if "fault" in answer:
        raise _not_made(f"Typst répond « {without_quotes(answer['fault'])} »")


def _not_made(why: str) -> LettersNotPrinted:
    return LettersNotPrinted(f"Le bordereau de dépôt ({MAIN}) ne peut pas être composé : {why}. {TO_MEND}")
