"""Read batches of letters and the letters of one: a page of each list, filtered and ordered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.letters.batch_list import BatchColumn, BatchPage, BatchQuery, LetterColumn, LetterPlace
from loan_reminders.domain.letters.batches import BatchLetter, BatchState, BatchView
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.json_codecs import decode_recipient
from loan_reminders.ledger.readers.reader_numbers import number_of

BATCHES = """
    SELECT batch.batch_id, batch.run_id, run.stage, run.reference_date, batch.name, batch.kind, batch.branch,
           batch.state, batch.pdf, batch.more_pdfs, batch.csv, batch.slip, batch.letters, batch.pages, batch.left_out,
           batch.at, batch.printed_at, batch.printed_by, batch.trial
    FROM letter_batches batch JOIN runs run USING (run_id)
    WHERE batch.library = :library
"""
_FILTER = """
    AND (CAST(:stage AS text) IS NULL OR run.stage = :stage)
    AND (CAST(:branch AS text) IS NULL OR batch.branch = :branch)
    AND CASE WHEN CAST(:state AS text) IS NULL THEN batch.state <> 'abandoned' ELSE batch.state = :state END
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
# The documents of a letter are those it still claims, or, of one that was left out, all that it did.
LETTERS = f"""
    SELECT letter.delivery_id, letter.batch_id, letter.reference, letter.position, letter.volume, letter.first_page,
           letter.last_page, letter.left_out, delivery.channel, delivery.recipient, notice.patron_id,
           {number_of("notice.patron_id")},
           coalesce((
               SELECT seen.record -> 'patron' ->> 'name' FROM loans_seen seen
               WHERE seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1]
                 AND seen.due_date = notice.due_date
           ), '') AS patron_name,
           ARRAY(
               SELECT claim.loan_id FROM delivery_loans claim
               WHERE claim.delivery_id = letter.delivery_id
                 AND (claim.dropped IS NULL OR letter.left_out IS NOT NULL)
               ORDER BY claim.loan_id
           ) AS loan_ids,
           notice.due_date
    FROM letters letter JOIN deliveries delivery USING (delivery_id) JOIN notices notice USING (notice_id)
    WHERE letter.library = :library
"""  # noqa: S608 - the piece is this package's own
_LETTER_COLUMNS = {
    LetterColumn.PLACE: "position",
    # Not the column itself: its index would be walked, through the letters of all batches.
    LetterColumn.REFERENCE: "lower(reference)",
    LetterColumn.READER: "lower(patron_name)",
    LetterColumn.TOWN: "lower(CAST(recipient AS jsonb) -> 'lines' ->> -1)",
    LetterColumn.DOCUMENTS: "cardinality(loan_ids)",
    LetterColumn.PAGES: "last_page - first_page",
}
_WHICH = "letter.batch_id = :batch_id AND (CAST(:staying AS boolean) IS NULL OR (letter.left_out IS NULL) = :staying)"
# OFFSET 0: the letters of the batch are found first and put in order then, not all letters ever in their order.
SOME_LETTERS = {
    (column, descending): text(f"""
        SELECT * FROM ({LETTERS} AND {_WHICH} OFFSET 0) AS letters
        ORDER BY {sql} {way}, position {way} LIMIT :limit OFFSET :offset
    """)  # noqa: S608 - the query is this module's own
    for column, sql in _LETTER_COLUMNS.items()
    for descending, way in ((False, "ASC"), (True, "DESC"))
}
_PLACES = text("""
    SELECT position, volume, first_page, last_page, left_out IS NOT NULL AS left_out FROM letters
    WHERE library = :library AND batch_id = :batch_id ORDER BY position, delivery_id
""")


def places_of(connection: Connection, library: str, batch_id: int) -> Sequence[LetterPlace]:
    """Where each letter of a batch is, in their order."""
    rows = connection.execute(_PLACES, {"library": library, "batch_id": batch_id})
    return tuple(LetterPlace(**row._mapping) for row in rows)


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
        trial=row.trial,
    )


def letter_of(row: Row[Any]) -> BatchLetter:
    """The letter of a row of `LETTERS`."""
    recipient: Any = decode_recipient(Channel(row.channel), row.recipient)
    return BatchLetter(
        delivery_id=row.delivery_id,
        batch_id=row.batch_id,
        reference=row.reference,
        patron_id=row.patron_id,
        patron_name=row.patron_name,
        reader_number=row.reader_number,
        recipient=recipient,
        loans=tuple(LoanKey(loan_id=loan_id, due_date=row.due_date) for loan_id in row.loan_ids),
        position=row.position,
        volume=row.volume,
        first_page=row.first_page,
        last_page=row.last_page,
        left_out=None if row.left_out is None else Reason(row.left_out),
    )
