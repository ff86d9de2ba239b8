"""Which letter is meant by a reference or a number that somebody typed, scanned or imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.registered.steps import StepRefusal

_NAMED = text("""
    SELECT letter.reference, letter.left_out, delivery.channel
    FROM letters letter JOIN deliveries delivery USING (delivery_id)
    WHERE letter.library = :library AND letter.reference = ANY(CAST(:wanted AS text[]))
""")


def letters_named(connection: Connection, library: str, references: Sequence[str]) -> dict[str, Row[Any]]:
    """The letters with these references, ordinary ones too: by them a refusal says why a reference is none of ours."""
    if not any(references):
        return {}
    rows = connection.execute(_NAMED, {"library": library, "wanted": list(references)})
    return {row.reference: row for row in rows}


def the_letter_meant(
    rows: Sequence[Row[Any]], others: Mapping[str, Row[Any]] | None = None, *, reference: str = ""
) -> Row[Any]:
    """The one letter of `rows` that is still in its batch. Raises LetterStepRefused, which says why there is none."""
    still_there = [row for row in rows if row.left_out is None]
    if len(still_there) == 1:
        return still_there[0]
    if still_there:
        raise LetterStepRefused(StepRefusal.AMBIGUOUS)
    one = rows[0] if rows else (others or {}).get(reference)
    if one is None:
        code = StepRefusal.UNKNOWN_REFERENCE if reference else StepRefusal.UNKNOWN_NUMBER
        raise LetterStepRefused(code, reference=reference)
    if one.channel != "registered_letter":
        raise LetterStepRefused(StepRefusal.NOT_REGISTERED, reference=reference)
    if one.left_out is not None:
        raise LetterStepRefused(StepRefusal.LEFT_OUT)
    raise LetterStepRefused(StepRefusal.NOT_PRINTED)
