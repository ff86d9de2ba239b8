"""Read batches of letters: one page of their list, filtered and ordered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.letters.batch_list import BatchColumn, BatchPage, BatchQuery
from loan_reminders.domain.letters.batches import BatchState, BatchView
from loan_reminders.domain.stages import Channel, Stage

BATCHES = """
    SELECT batch.batch_id, batch.run_id, run.stage, run.reference_date, batch.name, batch.kind, batch.branch,
           batch.state, batch.pdf, batch.more_pdfs, batch.csv, batch.slip, batch.letters, batch.pages, batch.left_out,
           batch.at, batch.printed_at, batch.printed_by
    FROM letter_batches batch JOIN runs run USING (run_id)
    WHERE batch.library = :library
"""
_FILTER = """
    AND (CAST(:stage AS text) IS NULL OR run.stage = :stage)
    AND (CAST(:branch AS text) IS NULL OR batch.branch = :branch)
    AND (CAST(:state AS text) IS NULL OR batch.state = :state)
    AND (CAST(:day AS date) IS NULL OR run.reference_date = :day)
"""
_COLUMNS = {
    BatchColumn.NUMBER: "batch.batch_id",
    BatchColumn.DAY: "run.reference_date",
    BatchColumn.LETTERS: "batch.letters",
    BatchColumn.PAGES: "batch.pages",
    BatchColumn.LEFT_OUT: "batch.left_out",
}
_LISTED = {
    (column, descending): text(
        f"{BATCHES} {_FILTER} ORDER BY {sql} {way}, batch.batch_id {way} LIMIT :limit OFFSET :offset"
    )
    for column, sql in _COLUMNS.items()
    for descending, way in ((False, "ASC"), (True, "DESC"))
}
_COUNTED = text(f"""
    SELECT count(*) FROM letter_batches batch JOIN runs run USING (run_id)
    WHERE batch.library = :library {_FILTER}
""")  # noqa: S608 - the query is this module's own


def listed(connection: Connection, library: str, query: BatchQuery) -> BatchPage:
    """One page of the list of batches, as it was asked for."""
    asked = {"library": library, "stage": query.stage, "branch": query.branch, "state": query.state, "day": query.day}
    bounds = {"limit": query.limit, "offset": query.offset}
    rows = connection.execute(_LISTED[query.column, query.descending], {**asked, **bounds}).all()
    total = connection.execute(_COUNTED, asked).scalar_one()
    return BatchPage(batches=tuple(view(row) for row in rows), total=int(total))


def view(row: Row[Any]) -> BatchView:
    """The batch of a row of `BATCHES`."""
    return BatchView(
        batch_id=row.batch_id,
        run_id=row.run_id,
        stage=Stage(row.stage),
        reference_date=row.reference_date,
        name=row.name,
        kind=Channel(row.kind),
        branch=row.branch,
        state=BatchState(row.state),
        pdfs=(row.pdf, *row.more_pdfs),
        csv=row.csv,
        slip=row.slip,
        letters=row.letters,
        pages=row.pages,
        left_out=row.left_out,
        at=row.at,
        printed_at=row.printed_at,
        printed_by=row.printed_by,
    )
