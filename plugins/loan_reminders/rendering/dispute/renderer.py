"""The file of a loan: one PDF of everything sent about it, with the letters' own pages behind.

The page is a template (`templates/_layouts/dispute.typ`) laid out by Typst in a short-lived process. What comes from
the ILS, from servers and from people travels as JSON and is never markup.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from loan_reminders.domain.dispute import Dispute, DisputePdf
from loan_reminders.domain.errors import RETRIED, TO_MEND, LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.rendering.dispute.facts import DisputeFacts
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letters.process_pool import WorkerStopped, ask_once

TEMPLATES_FOLDER = Path(__file__).resolve().parents[4] / "templates"
TEMPLATE = "_layouts/dispute.typ"

_MAIN = "dispute.typ"
_WORKER = "loan_reminders.rendering.dispute.worker"
_FORBIDDEN = re.compile(r"\beval\b|[\"']@[a-z]+/")

Read = Callable[[str], Iterator[bytes]]
"""The bytes of a stored file, by its location. Raises LetterStoreUnavailable."""


class DisputeRenderer:
    """Writes the files of a library's loans."""

    def __init__(
        self,
        library: LibraryIdentity,
        *,
        zone: tzinfo,
        templates: Path = TEMPLATES_FOLDER,
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
        values = facts.facts()
        with tempfile.TemporaryDirectory(prefix="dossier-") as name:
            scratch = Path(name)
            root = scratch / "root"
            root.mkdir()
            (root / _MAIN).write_text(self._template(), encoding="utf-8")
            stored: dict[str, Path | None] = {}
            pieces = []
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
                    "root": str(root),
                    "main": _MAIN,
                    "fonts": str(self._fonts),
                    "facts": values,
                    "pieces": pieces,
                    "timestamp": made_at.astimezone(UTC).replace(microsecond=0).isoformat(),
                    "output": str(output),
                },
                cwd=root,
            )
            return DisputePdf(
                content=output.read_bytes(),
                pages=answer["pages"],
                deliveries=len(dispute.deliveries),
                missing=answer["missing"],
            )

    def _template(self) -> str:
        try:
            text = (self._templates / TEMPLATE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateError(f"{TEMPLATE} : modèle illisible ({type(error).__name__})") from None
        for number, line in enumerate(text.splitlines(), start=1):
            if _FORBIDDEN.search(line):
                raise TemplateError(
                    f"{TEMPLATE}, ligne {number} : ni eval ni paquet, qui exécuteraient ce que d'autres ont écrit"
                )
        return text

    def _work(self, job: Mapping[str, Any], *, cwd: Path) -> dict[str, Any]:
        """The job in a process of its own, killed when it takes too long."""
        try:
            answer = ask_once(_WORKER, job, folder=cwd, timeout_s=self._timeout_s)
        except WorkerStopped as why:
            raise _not_made(str(why)) from None
        if "unwritable" in answer:
            raise _no_room(answer["unwritable"])
        if "fault" in answer:
            raise _not_made(answer["fault"])
        return answer


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


def _not_made(fault: str) -> LettersNotPrinted:
    return LettersNotPrinted(f"Le dossier du prêt ne peut pas être composé : {fault}. {TO_MEND}")
