"""Write the rows of a batch of letters when it is closed or drafted, in the transaction of its receipts."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, insert, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.domain.letters.batches import BatchState, LetterAct
from loan_reminders.domain.messages import LetterBatch
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.letters.batches import WHO_WE_ARE, add_events
from loan_reminders.ledger.tables import letter_batches

# A letter leaves a draft for the batch it is printed in; it never leaves a batch that was closed.
_PLACE = text("""
    INSERT INTO letters (delivery_id, library, batch_id, position, volume, first_page, last_page, reference)
    SELECT delivery_id, :library, :batch_id, position, volume, first_page, last_page, reference
    FROM json_to_recordset(CAST(:placed AS json)) AS placed(
        delivery_id uuid, position integer, volume integer, first_page integer, last_page integer, reference text
    )
    ON CONFLICT (delivery_id) DO UPDATE SET
        batch_id = excluded.batch_id, position = excluded.position, volume = excluded.volume,
        first_page = excluded.first_page, last_page = excluded.last_page, reference = excluded.reference,
        left_out = NULL
    WHERE (SELECT state FROM letter_batches WHERE batch_id = letters.batch_id) IN ('draft', 'abandoned')
    RETURNING delivery_id
""")
# What is on the paper of a trial is not posted: it tells nobody.
_REDIRECT = text("UPDATE deliveries SET redirected = true WHERE delivery_id = ANY(CAST(:placed AS uuid[]))")
_FOLLOW = text("""
    INSERT INTO registered_letters (delivery_id, library)
    SELECT delivery_id, library FROM letters WHERE batch_id = :batch_id
    ON CONFLICT (delivery_id) DO NOTHING
""")


def record_batch(connection: Connection, *, library: str, run_id: int, kind: Channel, batch: LetterBatch) -> int:
    """Write a batch, its letters and its first line in the trace; registered letters are followed from here on.

    Returns its number. Raises PermanentError when one of the letters is in a closed batch already.
    """
    state = BatchState.DRAFT if batch.draft else BatchState.READY
    batch_id: int = connection.execute(
        insert(letter_batches)
        .values(
            library=library,
            run_id=run_id,
            name=batch.name,
            kind=kind.value,
            branch=batch.branch,
            state=state.value,
            pdf=batch.pdf,
            more_pdfs=list(batch.more_pdfs),
            csv=batch.csv,
            slip=batch.slip,
            letters=batch.letters,
            pages=batch.pages,
            sha256=batch.sha256,
            trial=batch.trial,
        )
        .returning(letter_batches.c.batch_id)
    ).scalar_one()
    placed = connection.execute(
        _PLACE, {"library": library, "batch_id": batch_id, "placed": json.dumps(_placed(batch))}
    ).all()
    if len(placed) != len(batch.placed):
        raise LedgerRefused(LedgerRefusal.LETTER_IN_ANOTHER_BATCH)
    if batch.trial and not batch.draft:
        connection.execute(_REDIRECT, {"placed": [letter.delivery_id for letter in batch.placed]})
    if kind is Channel.REGISTERED_LETTER and not batch.draft:
        connection.execute(_FOLLOW, {"batch_id": batch_id})
    event = {
        "batch_id": batch_id,
        "act": (LetterAct.DRAFTED if batch.draft else LetterAct.CLOSED).value,
        "after": {"state": state.value, "letters": batch.letters, "pages": batch.pages},
    }
    add_events(connection, library, who=WHO_WE_ARE, events=[event])
    return batch_id


def _placed(batch: LetterBatch) -> list[dict[str, Any]]:
    return [
        {
            "delivery_id": str(letter.delivery_id),
            "position": position,
            "volume": letter.volume,
            "first_page": letter.first_page,
            "last_page": letter.last_page,
            "reference": letter.reference,
        }
        for position, letter in enumerate(batch.placed, start=1)
    ]
