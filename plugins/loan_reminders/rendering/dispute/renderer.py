"""The file of a loan: one PDF of everything sent about it, with the letters' own pages behind.

The page is a template (`templates/_layouts/dispute.typ`) laid out by Typst (`compile_pdf`). What comes from
the ILS, from servers and from people travels as JSON and is never markup.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from loan_reminders.domain.dispute.loan_file import Dispute, DisputePdf
from loan_reminders.domain.errors import RETRIED, TO_MEND, LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering.compile_pdf import ARCHIVABLE
from loan_reminders.rendering.dispute.facts import DisputeFacts
from loan_reminders.rendering.dispute.pages import MAKE_FILE, FileAnswer, FileJob, Piece
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.process_pool import DiskRefused, JobStopped, ProcessPool
from loan_reminders.rendering.template_folders import TemplatePlace

TEMPLATE = "_layouts/dispute.typ"
PARTS = "_layouts/file_parts.typ"
"""What all such files are laid out with; a template need not use it."""

_MAIN = "dispute.typ"
_FORBIDDEN = re.compile(r"\beval\b|[\"']@[a-z]+/")

Read = Callable[[str], Iterator[bytes]]
"""The bytes of a stored file, by its location. Raises LetterStoreUnavailable."""


class DisputeRenderer:
    """Writes the files of a library's loans."""

    what = "Le dossier du prêt"

    def __init__(
        self,
        library: LibraryIdentity,
        *,
        zone: tzinfo,
        templates: TemplatePlace = TEMPLATES,
        fonts: Path = FONTS_FOLDER,
        timeout_s: float = 60.0,
    ) -> None:
        self._library = library
        self._zone = zone
        self._templates = templates
        self._fonts = fonts
        self._timeout_s = timeout_s

    def render(self, dispute: Dispute, *, read: Read, made_at: datetime) -> DisputePdf:
        """The file as made at a moment (aware); the same facts, files and moment give the same bytes.

        A letter whose stored file cannot be read is told in words. Raises TemplateError when the template cannot be
        used, LettersNotPrinted when it cannot be laid out in time, LetterStoreUnavailable when the disk is full.
        """
        facts = DisputeFacts(dispute, self._library, FontSet.of(self._fonts), made_at=made_at, zone=self._zone)
        return self._file(facts, TEMPLATE, read=read, made_at=made_at, deliveries=len(dispute.deliveries))

    def _file(
        self, facts: DisputeFacts, template: str, *, read: Read, made_at: datetime, deliveries: int
    ) -> DisputePdf:
        values = facts.facts()
        with tempfile.TemporaryDirectory(prefix="dossier-") as name:
            scratch = Path(name)
            root = scratch / "root"
            root.mkdir()
            (root / _MAIN).write_text(self._template(template), encoding="utf-8")
            (root / Path(PARTS).name).write_text(self._template(PARTS), encoding="utf-8")
            stored: dict[str, Path | None] = {}
            pieces: list[Piece] = []
            for number, (_, letter) in enumerate(facts.letters, start=1):
                if letter.location not in stored:
                    stored[letter.location] = _fetched(read, letter.location, scratch / f"{number}.pdf")
                path = stored[letter.location]
                pieces.append(
                    {
                        "path": None if path is None else str(path),
                        "first": letter.first_page,
                        "last": letter.last_page,
                        "title": f"Pièce n° {number} — {letter.reference}",
                    }
                )
            output = scratch / "dossier.pdf"
            answer = self._work(
                {
                    "summary": {
                        "root": str(root),
                        "main": _MAIN,
                        "fonts": str(self._fonts),
                        "inputs": {"facts": values},
                        "timestamp": made_at.astimezone(UTC).replace(microsecond=0).isoformat(),
                        "standards": [ARCHIVABLE],
                        "output": str(scratch / "summary.pdf"),
                    },
                    "pieces": pieces,
                    "output": str(output),
                }
            )
            return DisputePdf(
                content=output.read_bytes(),
                pages=answer["pages"],
                deliveries=deliveries,
                missing=answer["missing"],
            )

    def _template(self, name: str) -> str:
        # A site's folder of templates may be older than the parts: they are ours then.
        place = self._templates / name
        try:
            text = (TEMPLATES / name if name == PARTS and not place.exists() else place).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateError(f"{name} : modèle illisible ({type(error).__name__})") from None
        for number, line in enumerate(text.splitlines(), start=1):
            if _FORBIDDEN.search(line):
                raise TemplateError(
                    f"{name}, ligne {number} : ni eval ni paquet, qui exécuteraient ce que d'autres ont écrit"
                )
        return text

    def _work(self, job: FileJob) -> FileAnswer:
        """The job in a process of its own, killed when it takes too long."""
        try:
            with ProcessPool(timeout_s=self._timeout_s) as pool:
                answer: FileAnswer = pool.ask(MAKE_FILE, job)
        except JobStopped as why:
            raise self._not_made(str(why)) from None
        except DiskRefused as why:
            raise _no_room(str(why)) from None
        if "fault" in answer:
            raise self._not_made(answer["fault"])
        return answer

    def _not_made(self, fault: str) -> LettersNotPrinted:
        return LettersNotPrinted(f"{self.what} ne peut pas être composé : {fault}. {TO_MEND}")


def _fetched(read: Read, location: str, target: Path) -> Path | None:
    """A local copy of a stored file, None when it cannot be had."""
    if not location:
        return None
    try:
        with target.open("wb") as file:
            for part in read(location):
                file.write(part)
    except (LetterStoreUnavailable, FileNotFoundError):
        return None
    except OSError as error:
        raise _no_room(error.strerror or type(error).__name__) from None
    return target


def _no_room(why: str) -> LetterStoreUnavailable:
    return LetterStoreUnavailable(f"Le dossier temporaire refuse l'écriture : {why}. {RETRIED}")
