"""The list of readers' contacts that fail and wait for a librarian: read in any order, and settled line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, column, func, select, table, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.readers.corrections import ContactFault, Correction, CorrectionOrder, CorrectionOutcome
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.tables import corrections
from loan_reminders.ledger.tables.corrections import OPEN

_READERS = table("readers", *map(column, ("library", "patron_id", "reader_number", "card")))
_SAME_READER = (_READERS.c.library == corrections.c.library) & (_READERS.c.patron_id == corrections.c.patron_id)
_SETTLE = text(f"""
    UPDATE corrections SET settled_at = now(), settled_by = :who, outcome = :outcome, because = :because
    WHERE library = :library AND correction_id = :correction_id AND {OPEN}
    RETURNING patron_id, fault
""")  # noqa: S608 - the piece is this package's own
_COUNTS = text(f"""
    SELECT fault, branch, count(*) AS number FROM corrections WHERE library = :library AND {OPEN}
    GROUP BY fault, branch
""")  # noqa: S608 - the piece is this package's own


class PostgresCorrections:
    """The contacts of one library's readers that fail and wait for a librarian."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def counts(self) -> Mapping[tuple[ContactFault, str], int]:
        """How many lines wait, by fault and branch."""
        with self._transaction() as connection:
            rows = connection.execute(_COUNTS, {"library": self._library})
            return {(ContactFault(row.fault), row.branch): row.number for row in rows}

    def lines(
        self,
        *,
        fault: ContactFault | None = None,
        branch: str = "",
        order: CorrectionOrder = CorrectionOrder.NOTICES,
        descending: bool = True,
        limit: int,
        offset: int = 0,
    ) -> Sequence[Correction]:
        """The lines that wait, of one fault and one branch or of all."""
        line = corrections.c
        found = select(line.correction_id).where(line.library == self._library, text(OPEN))
        if fault is not None:
            found = found.where(line.fault == fault.value)
        if branch:
            found = found.where(line.branch == branch)
        by: tuple[ColumnElement[Any], ...] = (line.notices, line.failed_at)
        by = {
            CorrectionOrder.NOTICES: by,
            CorrectionOrder.SINCE: (line.since,),
            CorrectionOrder.READER: (line.name, line.patron_id),
            CorrectionOrder.FAULT: (line.fault, *by),
            CorrectionOrder.BRANCH: (line.branch, *by),
        }[order]
        ordered = (*(one.desc() if descending else one for one in by), line.correction_id)
        # The lines of the page are chosen first: only theirs are read whole, with their readers.
        place = func.row_number().over(order_by=ordered).label("place")
        chosen = found.add_columns(place).order_by(*ordered).limit(limit).offset(offset).subquery("chosen")
        query = (
            select(corrections, _READERS.c.reader_number, _READERS.c.card)
            .join(chosen, chosen.c.correction_id == line.correction_id)
            .outerjoin(_READERS, _SAME_READER)
            .order_by(chosen.c.place)
        )
        with self._transaction() as connection:
            return tuple(map(_correction, connection.execute(query)))

    def settle(self, correction_id: int, outcome: CorrectionOutcome, *, who: str, because: str = "") -> bool:
        """Say that a line was put right, or is to be ignored; False when it does not wait any more."""
        asked = {
            "library": self._library,
            "correction_id": correction_id,
            "who": storable(who),
            "outcome": outcome.value,
            "because": storable(because),
        }
        done = outcome is CorrectionOutcome.CORRECTED
        with self._transaction() as connection:
            row = connection.execute(_SETTLE, asked).first()
            if row is not None:
                keep(
                    connection,
                    self._library,
                    who=who,
                    act=JournalAct.CONTACT_CORRECTED if done else JournalAct.CONTACT_IGNORED,
                    patron_id=row.patron_id,
                    detail=because,
                    facts={"fault": row.fault},
                )
            return row is not None


def _correction(row: Row[tuple[object, ...]]) -> Correction:
    return Correction(
        correction_id=row.correction_id,
        patron_id=row.patron_id,
        reader_number=row.reader_number,
        reader_name=row.name,
        reader_card=row.card or "",
        fault=ContactFault(row.fault),
        contact=row.contact,
        branch=row.branch,
        since=row.since,
        failed_at=row.failed_at,
        notices=row.notices,
        suppression_id=row.suppression_id,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        outcome=None if row.outcome is None else CorrectionOutcome(row.outcome),
        because=row.because,
    )
