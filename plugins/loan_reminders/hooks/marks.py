"""The ledger's marks, and their file in `REMINDERS_STORAGE`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loan_reminders.domain.ports.marks import MarkFile, Marks


def marks_of(ledger: Any) -> Marks:
    """The part of an open ledger that knows its marks."""
    from loan_reminders.ledger.marks.marks import PostgresMarks

    part: Marks = ledger.part(PostgresMarks)
    return part


def mark_file(library: str) -> MarkFile:
    """The file of a library's newest mark, beside its letters. Raises SettingsError."""
    from loan_reminders.gateways.letters.mark_file import FolderMarkFile
    from loan_reminders.hooks.letter_store import storage

    return FolderMarkFile(storage(), library=library)
