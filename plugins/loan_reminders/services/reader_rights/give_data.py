"""Give a reader all that is held of him, as PDF or as JSON; who gave it is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.ports.letters import LetterArchive
from loan_reminders.domain.reader_rights.everything import ReaderData
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering.reader_rights.renderer import ReaderDataRenderer, as_json
from loan_reminders.rendering.template_folders import TemplatePlace

log = logging.getLogger(__name__)

NOT_KNOWN = "Le registre ne connaît pas, ou plus, ce lecteur : il n'y a rien à donner."


class DataForm(StrEnum):
    """In which form data is given."""

    PDF = "pdf"
    JSON = "json"

    @property
    def file_name(self) -> str:
        """What the file is called, without personal data."""
        return f"donnees-du-lecteur.{self.value}"

    @property
    def media_type(self) -> str:
        """What kind of file it is."""
        return f"application/{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataGiven:
    """The file: its bytes, how many rows it tells of, and how many letters' pages could not be had."""

    content: bytes
    rows: int
    missing: int = 0


def give_data(
    ledger: ReaderData,
    archive: LetterArchive,
    library: LibraryIdentity,
    patron_id: str,
    *,
    form: DataForm,
    told: Sequence[tuple[str, str]],
    who: str,
    made_at: datetime,
    zone: tzinfo,
    templates: TemplatePlace = TEMPLATES,
) -> DataGiven | None:
    """All that is held of a reader, `made_at` a moment (aware); None when the ledger does not know him.

    `told` is what must be said with it, as label and sentence. Who made it is kept in the journal. Raises
    LedgerUnavailable, TemplateError, LettersNotPrinted, or LetterStoreUnavailable when the disk is full.
    """
    everything = ledger.gather(patron_id)
    if everything is None:
        return None
    rows = sum(everything.counts.values())
    if form is DataForm.JSON:
        made = DataGiven(content=as_json(everything, library, told=told, made_at=made_at), rows=rows)
    else:
        renderer = ReaderDataRenderer(library, zone=zone, templates=templates)
        pdf = renderer.render_reader(everything, told=told, read=archive.read, made_at=made_at)
        made = DataGiven(content=pdf.content, rows=rows, missing=pdf.missing)
    ledger.note_given(patron_id, who=who, form=form.value)
    log.info("Données d'un lecteur réunies (%s), lignes : %d", form.value, rows)
    if made.missing:
        log.warning("Données d'un lecteur, lettres dont le fichier n'a pas pu être lu : %d", made.missing)
    return made
