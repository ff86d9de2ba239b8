"""Read registered letters: by state, by reference, number or reader, and the trace of what was done to each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from loan_reminders.domain.letters.batches import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.ports.registered import MOST_COUNTED, BatchToPost
from loan_reminders.domain.registered.steps import LetterEvent, Life, RegisteredLetter
from loan_reminders.ledger.json_codecs import decode_postal_address
from loan_reminders.ledger.readers.reader_numbers import number_of

COLUMNS = """
    letter.delivery_id, letter.reference, letter.batch_id, letter.left_out, batch.name AS batch_name, batch.printed_at,
    batch.trial,
    delivery.recipient, delivery.channel, coalesce(registered.state, 'to_print') AS state, registered.tracking_number,
    registered.posted_on, registered.acknowledged_on, registered.returned_on, registered.return_reason
"""
_LETTERS = f"""
    SELECT {COLUMNS}, notice.patron_id, {number_of("notice.patron_id")}, seen.name AS patron_name,
           seen.barcode AS patron_barcode
    FROM letters letter
    JOIN deliveries delivery USING (delivery_id)
    JOIN notices notice USING (notice_id)
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    LEFT JOIN registered_letters registered ON registered.delivery_id = letter.delivery_id
    LEFT JOIN LATERAL (
        SELECT record->'patron'->>'name' AS name, record->'patron'->>'barcode' AS barcode FROM loans_seen
        WHERE run_id = notice.run_id AND loan_id = notice.loan_ids[1] AND due_date = notice.due_date
    ) AS seen ON true
    WHERE letter.library = :library AND delivery.channel = 'registered_letter' AND batch.state <> 'abandoned'
      AND letter.left_out IS NULL AND {{which}}
    ORDER BY {{order}} LIMIT :limit
"""  # noqa: S608 - nothing of others is in it
_NEWEST = "letter.batch_id DESC, letter.position"
_OVERDUE = text(
    _LETTERS.format(
        which="registered.library = :library AND registered.state = 'posted' AND registered.posted_on < :posted_before"
        " AND NOT delivery.redirected",
        order="registered.posted_on, letter.batch_id, letter.position",
    )
)
# What was posted is found in the order of its day by its index; the others lie in the order of their batches. Only the
# letters of the page asked for are looked up in the other tables.
_BY_DAY = """letter.delivery_id IN (
    SELECT delivery_id FROM registered_letters WHERE library = :library AND state = :state
    ORDER BY posted_on {way}, delivery_id {way} LIMIT :limit OFFSET :offset
)"""
_BY_BATCH = """letter.delivery_id IN (
    SELECT followed.delivery_id FROM registered_letters followed JOIN letters placed USING (delivery_id)
    WHERE followed.library = :library AND followed.state = :state
    ORDER BY placed.batch_id {way}, placed.position {back} LIMIT :limit OFFSET :offset
)"""
# A letter of a draft is not followed yet; it is to be printed as well.
_TO_PRINT = """letter.delivery_id IN (
    SELECT delivery_id FROM registered_letters WHERE library = :library AND state = 'to_print'
    UNION ALL
    SELECT drafted.delivery_id FROM letter_batches draft JOIN letters drafted USING (batch_id)
    WHERE draft.library = :library AND draft.kind = 'registered_letter' AND draft.state = 'draft'
) AND coalesce(registered.state, 'to_print') = 'to_print'"""


def _listed(which: str, order: str, *, more: str = "") -> dict[bool, TextClause]:
    """The query of a list, both ways round: the oldest first or not."""
    ways = {True: {"way": "ASC", "back": "DESC"}, False: {"way": "DESC", "back": "ASC"}}
    return {
        oldest_first: text(_LETTERS.format(which=which.format(**way), order=order.format(**way)) + more)
        for oldest_first, way in ways.items()
    }


_PLACES = "letter.batch_id {way}, letter.position {back}"
_POSTED = frozenset({RegisteredState.POSTED, RegisteredState.ACKNOWLEDGED, RegisteredState.RETURNED})
_IN_STATE_BY_DAY = _listed(_BY_DAY, "registered.posted_on {way}, letter.delivery_id {way}")
_IN_STATE_BY_BATCH = _listed(_BY_BATCH, _PLACES)
_IN_STATE_TO_PRINT = _listed(_TO_PRINT, _PLACES, more=" OFFSET :offset")
_SEARCH = text(
    _LETTERS.format(
        which="""letter.delivery_id IN (
            SELECT delivery_id FROM letters WHERE library = :library AND reference = ANY(CAST(:wanted AS text[]))
            UNION
            SELECT delivery_id FROM registered_letters
            WHERE library = :library AND tracking_number = ANY(CAST(:wanted AS text[]))
            UNION
            SELECT delivery_id FROM notices JOIN deliveries USING (notice_id)
            WHERE notices.library = :library AND (
                notices.patron_id = ANY(CAST(:wanted AS text[])) OR notices.patron_id = ANY(ARRAY(
                    SELECT patron_id FROM loans_seen
                    WHERE library = :library AND record #>> '{patron,barcode}' = ANY(CAST(:wanted AS text[]))
                ))
            )
        )""",
        order=_NEWEST,
    )
)
_ONE = text(_LETTERS.replace("AND letter.left_out IS NULL", "").format(which="letter.delivery_id = :id", order="1"))
# Each state is counted by the index; letters of drafts are not followed yet.
_COUNTS = text("""
    SELECT asked.state, (
        SELECT count(*) FROM (
            SELECT FROM registered_letters WHERE library = :library AND state = asked.state
            ORDER BY posted_on LIMIT :most
        ) AS registered
    ) + CASE asked.state WHEN 'to_print' THEN (
        SELECT count(*) FROM letter_batches draft JOIN letters letter USING (batch_id)
        LEFT JOIN registered_letters registered ON registered.delivery_id = letter.delivery_id
        WHERE draft.library = :library AND draft.kind = 'registered_letter' AND draft.state = 'draft'
          AND letter.left_out IS NULL AND registered.delivery_id IS NULL
    ) ELSE 0 END AS number
    FROM unnest(CAST(:states AS text[])) AS asked(state)
""")
_BATCHES = text("""
    SELECT batch.batch_id, batch.name,
           count(*) FILTER (WHERE registered.state = 'numbered') AS numbered,
           count(*) FILTER (WHERE registered.state = 'printed') AS without_number
    FROM registered_letters registered
    JOIN letters letter USING (delivery_id)
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    WHERE registered.library = :library AND registered.state IN ('printed', 'numbered') AND letter.left_out IS NULL
      AND NOT batch.trial
    GROUP BY batch.batch_id, batch.name
    ORDER BY batch.batch_id DESC LIMIT :limit
""")
_TRACE = text("""
    SELECT event_id, at, who, act, detail, delivery_id IS NOT NULL AS of_letter FROM letter_events
    WHERE library = :library AND delivery_id = :delivery_id
    UNION ALL
    SELECT event_id, at, who, act, detail, false FROM letter_events
    WHERE library = :library AND batch_id = :batch_id AND delivery_id IS NULL
    ORDER BY event_id
""")


def life_of(row: Row[Any]) -> Life:
    """How far the letter of a row with `COLUMNS` is."""
    return Life(
        state=RegisteredState(row.state),
        printed_at=row.printed_at,
        tracking_number=row.tracking_number,
        posted_on=row.posted_on,
        acknowledged_on=row.acknowledged_on,
        returned_on=row.returned_on,
        return_reason=None if row.return_reason is None else ReturnReason(row.return_reason),
    )


def counts(connection: Connection, library: str) -> Mapping[RegisteredState, int]:
    """How many letters are in each state, every state named, each up to `MOST_COUNTED`."""
    asked = {"library": library, "states": [state.value for state in RegisteredState], "most": MOST_COUNTED}
    rows = connection.execute(_COUNTS, asked)
    return dict.fromkeys(RegisteredState, 0) | {RegisteredState(row.state): row.number for row in rows}


def overdue(connection: Connection, library: str, *, posted_before: date, limit: int) -> Sequence[RegisteredLetter]:
    """Letters posted before a day of which nothing came back, the oldest first."""
    return _read(connection, _OVERDUE, library=library, posted_before=posted_before, limit=limit)


def in_state(
    connection: Connection, library: str, state: RegisteredState, *, limit: int, offset: int, oldest_first: bool
) -> Sequence[RegisteredLetter]:
    """Letters in one state: those posted by their day, the others by their batch."""
    asked = {"library": library, "limit": limit, "offset": offset}
    if state is RegisteredState.TO_PRINT:
        return _read(connection, _IN_STATE_TO_PRINT[oldest_first], **asked)
    query = _IN_STATE_BY_DAY if state in _POSTED else _IN_STATE_BY_BATCH
    return _read(connection, query[oldest_first], state=state.value, **asked)


def search(connection: Connection, library: str, wanted: Sequence[str], *, limit: int) -> Sequence[RegisteredLetter]:
    """Letters whose reference, number, reader's number or reader's barcode is one of these."""
    return _read(connection, _SEARCH, library=library, wanted=list(wanted), limit=limit)


def batches_to_post(connection: Connection, library: str, *, limit: int) -> Sequence[BatchToPost]:
    """Printed batches with letters that were not posted, the newest first; none of a trial."""
    return tuple(
        BatchToPost(
            batch_id=row.batch_id,
            name=row.name,
            numbered=row.numbered,
            without_number=row.without_number,
        )
        for row in connection.execute(_BATCHES, {"library": library, "limit": limit})
    )


def letter(
    connection: Connection, library: str, delivery_id: uuid.UUID
) -> tuple[RegisteredLetter, Sequence[LetterEvent]] | None:
    """One letter with its trace, also when it was left out of its batch."""
    found = _read(connection, _ONE, library=library, id=delivery_id, limit=1)
    if not found:
        return None
    return found[0], trace(connection, library, delivery_id, found[0].batch_id)


def trace(connection: Connection, library: str, delivery_id: uuid.UUID, batch_id: int) -> Sequence[LetterEvent]:
    """What was done to a letter and to its batch, the oldest line first."""
    asked = {"library": library, "delivery_id": delivery_id, "batch_id": batch_id}
    return tuple(
        LetterEvent(
            event_id=row.event_id,
            at=row.at,
            who=row.who,
            act=LetterAct(row.act),
            detail=row.detail,
            of_letter=row.of_letter,
        )
        for row in connection.execute(_TRACE, asked)
    )


def _read(connection: Connection, query: TextClause, **asked: Any) -> Sequence[RegisteredLetter]:
    return tuple(
        RegisteredLetter(
            delivery_id=row.delivery_id,
            reference=row.reference,
            batch_id=row.batch_id,
            batch_name=row.batch_name,
            patron_id=row.patron_id,
            patron_name=row.patron_name or "",
            patron_barcode=row.patron_barcode or "",
            reader_number=row.reader_number,
            recipient=decode_postal_address(row.recipient),
            life=life_of(row),
            trial=row.trial,
        )
        for row in connection.execute(query, asked)
    )
