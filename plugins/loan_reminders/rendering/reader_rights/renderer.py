"""All that is held of a reader as one PDF/A, with the pages of his letters behind; and the same as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from loan_reminders.domain.dispute.loan_file import DisputePdf
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.reader_rights.everything import Everything
from loan_reminders.french.pages.reader_rights import TABLES
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering.dispute.renderer import DisputeRenderer, Read
from loan_reminders.rendering.letters.fonts import FontSet
from loan_reminders.rendering.reader_rights.facts import Information, ReaderFacts

TEMPLATE = "_layouts/reader.typ"


class ReaderDataRenderer(DisputeRenderer):
    """Writes what is held of a library's readers."""

    what = "Le document du lecteur"

    def render_reader(self, everything: Everything, *, told: Information, read: Read, made_at: datetime) -> DisputePdf:
        """All of it as made at a moment (aware); `told` is what must be said with it. Raises like `render`."""
        facts = ReaderFacts(
            everything, self._library, FontSet.of(self._fonts), made_at=made_at, zone=self._zone, told=told
        )
        messages = len({one.delivery_id for loan in everything.loans for one in loan.deliveries})
        return self._file(facts, TEMPLATE, read=read, made_at=made_at, deliveries=messages)

    def _template(self, name: str) -> str:
        # A site's folder of templates may be older than this page.
        if name == TEMPLATE and not (self._templates / name).exists():
            return (TEMPLATES / name).read_text(encoding="utf-8")
        return super()._template(name)


def as_json(everything: Everything, library: LibraryIdentity, *, told: Information, made_at: datetime) -> bytes:
    """All of it for a program: each table with what it holds in words, and its rows as the ledger has them."""
    document: dict[str, Any] = {
        "fait_le": made_at.isoformat(timespec="seconds"),
        "bibliotheque": library.name,
        "lecteur": everything.reader.patron_id,
        "informations": dict(told),
        "donnees": {
            table: {"contenu": TABLES[table], "lignes": list(rows)} for table, rows in everything.rows.items() if rows
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
