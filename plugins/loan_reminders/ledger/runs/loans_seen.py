"""Rows of the ILS into the ledger, in bulk."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.states import SkipReason
from loan_reminders.ledger.json_codecs import LONGEST_ID, clean_raw, encode_loan, storable
from loan_reminders.ledger.readers.amendments import at_the_door
from loan_reminders.ledger.readers.seen import remember
from loan_reminders.ledger.tables import skips

_COUNT_ROWS = text("""
    UPDATE runs SET rows_read = rows_read + :rows
    WHERE run_id = :run_id AND library = :library AND state = 'extracting'
    RETURNING rows_read, today, dry_run
""")
# One JSON text for all rows: the driver writes it an order of magnitude faster than an array for each column.
_RECORD_LOANS = text("""
    WITH came AS (
        SELECT record, :before + number AS seq, record ->> 'loan_id' AS loan_id,
               CAST(record ->> 'due_date' AS date) AS due_date, record -> 'patron' ->> 'patron_id' AS patron_id
        FROM jsonb_array_elements(CAST(:records AS jsonb)) WITH ORDINALITY AS rows(record, number)
    ), seen AS (
        INSERT INTO loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)
        SELECT :run_id, loan_id, due_date, :library, patron_id, seq, record FROM came ORDER BY seq
        ON CONFLICT (run_id, loan_id, due_date) DO NOTHING
        RETURNING seq
    )
    INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, raw)
    SELECT :library, :run_id, loan_id, due_date, patron_id, 'duplicate_row', record
    FROM came WHERE NOT EXISTS (SELECT FROM seen WHERE seen.seq = came.seq)
""")


def cut_to_fit(row: Loan | RejectedRow) -> RejectedRow:
    """A row that the ledger refused, made short enough to be kept as put aside: the loan and reader it is about."""
    patron_id = row.patron.patron_id if isinstance(row, Loan) else row.patron_id
    return RejectedRow(
        loan_id=row.loan_id[:LONGEST_ID], patron_id=patron_id[:LONGEST_ID], code="too_large", column="row", raw={}
    )


def record_rows(connection: Connection, *, library: str, run_id: int, rows: Sequence[Loan | RejectedRow]) -> None:
    """Write loans as seen, duplicates and unreadable rows as skipped, in a few statements whatever their number.

    What was put right of their readers stands in for what the ILS gives. They are kept as they are described, but by a
    trial run. Raises PermanentError when the run
    has finished reading.
    """
    run = connection.execute(_COUNT_ROWS, {"rows": len(rows), "run_id": run_id, "library": library}).first()
    if run is None:
        raise LedgerRefused(LedgerRefusal.READING_IS_OVER, run_id=run_id, library=library)
    rows = at_the_door(connection, library, rows, dry_run=run.dry_run)
    loans = [encode_loan(row) for row in rows if isinstance(row, Loan)]
    if loans:
        parameters = {"run_id": run_id, "library": library, "before": run.rows_read - len(rows)}
        connection.execute(_RECORD_LOANS, {**parameters, "records": f"[{','.join(loans)}]"})
        if not run.dry_run:
            remember(connection, library, [row for row in rows if isinstance(row, Loan)], today=run.today)
    rejected = [
        {
            "library": library,
            "run_id": run_id,
            "loan_id": storable(row.loan_id),
            "patron_id": storable(row.patron_id),
            "reason": SkipReason.INVALID_ROW.value,
            "detail": storable(f"{row.code}:{row.column}"),
            "raw": clean_raw(row.raw),
        }
        for row in rows
        if isinstance(row, RejectedRow)
    ]
    if rejected:
        connection.execute(insert(skips), rejected)
