"""Batches of letters in the ledger: what is in them, and what people do to them once they are closed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batch_list import BatchPage, BatchQuery, LetterPlace, LetterQuery
from loan_reminders.domain.letters.batches import BatchLetter, BatchState, BatchView, LetterAct
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.journal import keep, keep_of_letters
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.letters.batch_list import BATCHES, LETTERS, SOME_LETTERS, letter_of, listed, places_of, view
from loan_reminders.ledger.letters.told_later import told_later_in_batch
from loan_reminders.ledger.readers.held import held_in_batch
from loan_reminders.ledger.statistics.counting import count_runs_of_batch
from loan_reminders.ledger.suppressions.suppression_list import IN_FORCE

_NEWEST = text(f"""
    {BATCHES} AND (cardinality(CAST(:states AS text[])) = 0 OR batch.state = ANY(CAST(:states AS text[])))
    ORDER BY batch.batch_id DESC LIMIT :limit
""")  # the query is this module's own
_ONE = text(f"{BATCHES} AND batch.batch_id = :batch_id")
_DRAFTS_OF_RUN = text(f"{BATCHES} AND batch.run_id = :run_id AND batch.state = 'draft' ORDER BY batch.batch_id")
_LETTERS_OF = text(f"{LETTERS} AND letter.batch_id = :batch_id ORDER BY letter.position, letter.delivery_id")
_LETTER = text(f"{LETTERS} AND letter.reference = :reference ORDER BY letter.batch_id DESC LIMIT 1")
_HOLD_READY = text("""
    SELECT batch_id FROM letter_batches
    WHERE library = :library AND batch_id = :batch_id AND state = 'ready'
    FOR UPDATE
""")
_LEAVE_OUT = text("""
    WITH asked AS (
        SELECT * FROM unnest(CAST(:delivery_id AS uuid[]), CAST(:reason AS text[])) AS asked(delivery_id, reason)
    ), gone AS (
        UPDATE deliveries delivery SET state = 'cancelled', reason = asked.reason, answered_at = now()
        FROM asked JOIN letters letter USING (delivery_id)
        WHERE delivery.delivery_id = asked.delivery_id AND delivery.library = :library
          AND letter.batch_id = :batch_id AND letter.left_out IS NULL AND delivery.state = 'accepted'
        RETURNING delivery.delivery_id, asked.reason
    ), marked AS (
        UPDATE letters letter SET left_out = gone.reason FROM gone WHERE letter.delivery_id = gone.delivery_id
    ), unfollowed AS (
        DELETE FROM registered_letters registered USING gone WHERE registered.delivery_id = gone.delivery_id
    ), counted AS (
        UPDATE letter_batches SET left_out = left_out + (SELECT count(*) FROM gone) WHERE batch_id = :batch_id
    ), answered AS (
        INSERT INTO receipts (library, delivery_id, state, reason, applied)
        SELECT :library, delivery_id, 'cancelled', reason, true FROM gone
    )
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, before, after)
    SELECT :library, :batch_id, delivery_id, :who,
           CASE reason WHEN 'taken_out' THEN 'taken_out' ELSE 'left_out' END, :detail,
           jsonb_build_object('state', 'accepted'), jsonb_build_object('state', 'cancelled', 'reason', reason)
    FROM gone
    RETURNING delivery_id
""")
_TO_DEAD_ADDRESSES = text(f"""
    SELECT letter.delivery_id FROM letters letter JOIN deliveries delivery USING (delivery_id)
    JOIN suppressions suppression ON suppression.library = delivery.library AND suppression.channel = 'letter'
     AND suppression.recipient = delivery.recipient AND {IN_FORCE}
    WHERE letter.library = :library AND letter.batch_id = :batch_id AND letter.left_out IS NULL
""")  # noqa: S608 - the condition is this package's own
# What a mailing service gets is said in the trace: the same file can be given again.
_PRINTED = text("""
    WITH batch AS (
        UPDATE letter_batches SET state = 'printed', printed_at = now(), printed_by = :who
        WHERE library = :library AND batch_id = :batch_id AND state = 'ready'
        RETURNING batch_id
    ), followed AS (
        UPDATE registered_letters registered SET state = 'printed'
        FROM letters letter JOIN batch USING (batch_id)
        WHERE registered.delivery_id = letter.delivery_id AND letter.left_out IS NULL
          AND registered.state = 'to_print'
    )
    INSERT INTO letter_events (library, batch_id, who, act, before, after)
    SELECT :library, batch_id, :who, 'printed', jsonb_build_object('state', 'ready'),
           jsonb_build_object('state', 'printed', 'to_provider', CAST(:to_provider AS boolean))
    FROM batch
    RETURNING event_id
""")
_TO_PROVIDER = text("""
    SELECT after ->> 'to_provider' FROM letter_events
    WHERE library = :library AND batch_id = :batch_id AND delivery_id IS NULL AND act = 'printed'
    ORDER BY event_id DESC LIMIT 1
""")
_RECORDED = text("""
    SELECT count(*) FROM letter_batches
    WHERE library = :library AND run_id = :run_id AND state NOT IN ('draft', 'abandoned')
""")
_COPIED = text("""
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act)
    SELECT :library, batch.batch_id, letter.delivery_id, :who, 'copied'
    FROM letter_batches batch
    LEFT JOIN letters letter ON letter.batch_id = batch.batch_id AND letter.delivery_id = CAST(:delivery_id AS uuid)
    WHERE batch.library = :library AND batch.batch_id = :batch_id
    RETURNING batch_id, delivery_id
""")
_EVENTS = text("""
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, before, after)
    SELECT :library, batch_id, delivery_id, :who, act, detail, before, after
    FROM json_to_recordset(CAST(:events AS json)) AS events(
        batch_id bigint, delivery_id uuid, act text, detail text, before jsonb, after jsonb
    )
""")

WHO_WE_ARE = "relances"
"""Who does what no person did, in the trace of letters."""

Transaction = Callable[[], AbstractContextManager[Connection]]


def add_events(connection: Connection, library: str, *, who: str, events: Sequence[Mapping[str, Any]]) -> None:
    """Add to the trace; each event has `act` and maybe `batch_id`, `delivery_id`, `detail`, `before`, `after`."""
    if events:
        full = [{"detail": "", **event} for event in events]
        connection.execute(_EVENTS, {"library": library, "who": storable(who), "events": json.dumps(full)})


def drafts_of_run(connection: Connection, library: str, run_id: int) -> Sequence[BatchView]:
    """The drafts of a run that wait, the oldest first."""
    return tuple(view(row) for row in connection.execute(_DRAFTS_OF_RUN, {"library": library, "run_id": run_id}))


class PostgresLetterBatches:
    """Batches and letters of one library. Fulfils `LetterBatches`; every method is one transaction."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def batches(self, *, states: Sequence[BatchState] = (), limit: int = 200) -> Sequence[BatchView]:
        """Batches, the newest first; `states` empty means every state."""
        parameters = {"library": self._library, "states": [state.value for state in states], "limit": limit}
        with self._transaction() as connection:
            return tuple(view(row) for row in connection.execute(_NEWEST, parameters))

    def listed(self, query: BatchQuery) -> BatchPage:
        """One page of the list of batches, as it was asked for."""
        with self._transaction() as connection:
            return listed(connection, self._library, query)

    def batch(self, batch_id: int) -> BatchView | None:
        """One batch of this library, None when there is none of that number."""
        with self._transaction() as connection:
            row = connection.execute(_ONE, {"library": self._library, "batch_id": batch_id}).first()
        return None if row is None else view(row)

    def letters_of(self, batch_id: int) -> Sequence[BatchLetter]:
        """The letters of a batch in their order, those left out too."""
        with self._transaction() as connection:
            rows = connection.execute(_LETTERS_OF, {"library": self._library, "batch_id": batch_id}).all()
        return tuple(letter_of(row) for row in rows)

    def some_letters_of(self, batch_id: int, query: LetterQuery) -> Sequence[BatchLetter]:
        """One page of the letters of a batch, as it was asked for."""
        asked = {"library": self._library, "batch_id": batch_id, "staying": query.staying}
        bounds = {"limit": query.limit, "offset": query.offset}
        with self._transaction() as connection:
            rows = connection.execute(SOME_LETTERS[query.column, query.descending], {**asked, **bounds}).all()
        return tuple(letter_of(row) for row in rows)

    def places_of(self, batch_id: int) -> Sequence[LetterPlace]:
        """Where each letter of a batch is, in their order, those left out too."""
        with self._transaction() as connection:
            return places_of(connection, self._library, batch_id)

    def letter(self, reference: str) -> BatchLetter | None:
        """The letter with this reference in the batch it was last laid out in; None when there is none."""
        parameters = {"library": self._library, "reference": storable(reference)}
        with self._transaction() as connection:
            row = connection.execute(_LETTER, parameters).first()
        return None if row is None else letter_of(row)

    def leave_out(self, batch_id: int, letters: Mapping[uuid.UUID, Reason], *, who: str, detail: str = "") -> int:
        """Take letters out of a closed batch that nobody printed yet; returns how many deliveries were cancelled.

        The reasons are `RETURNED`, `RENEWED` (the loan is over), `NOT_TOLD`, `SUPERSEDED` (a later stage tells),
        `DEAD_ADDRESS`, `HELD` or `TAKEN_OUT` (a person's decision). A registered letter is not followed any more. A
        batch already printed, a draft, or letters of another batch do not change.
        """
        parameters = {
            "library": self._library,
            "batch_id": batch_id,
            "delivery_id": list(letters),
            "reason": [reason.value for reason in letters.values()],
            "who": storable(who),
            "detail": storable(detail),
        }
        with self._transaction() as connection:
            if not letters or connection.execute(_HOLD_READY, parameters).first() is None:
                return 0
            gone = connection.execute(_LEAVE_OUT, parameters).scalars().all()
            taken_out = [one for one in gone if letters[one] is Reason.TAKEN_OUT]
            line = {"act": JournalAct.LETTER_TAKEN_OUT.value, "batch_id": batch_id, "detail": detail}
            keep_of_letters(
                connection, self._library, who=who, lines=[{**line, "delivery_id": one} for one in taken_out]
            )
            count_runs_of_batch(connection, self._library, batch_id)
            return len(gone)

    def held(self, batch_id: int, *, today: date) -> Mapping[uuid.UUID, frozenset[LoanKey]]:
        """The letters of a batch that name a loan not to write about today, each with those loans."""
        with self._transaction() as connection:
            return held_in_batch(connection, self._library, batch_id, today)

    def told_later(self, batch_id: int) -> frozenset[LoanKey]:
        """The loans of a batch that a message of a later stage tells of, or is about to by itself."""
        with self._transaction() as connection:
            return told_later_in_batch(connection, self._library, batch_id)

    def to_dead_addresses(self, batch_id: int) -> frozenset[uuid.UUID]:
        """The letters of a batch to addresses from which a letter has come back as undeliverable."""
        with self._transaction() as connection:
            asked = {"library": self._library, "batch_id": batch_id}
            return frozenset(connection.execute(_TO_DEAD_ADDRESSES, asked).scalars())

    def mark_printed(self, batch_id: int, *, who: str, to_provider: bool = False) -> bool:
        """Say that a closed batch went to the printer, and its registered letters with it; False when it had before."""
        asked = {"library": self._library, "batch_id": batch_id, "who": storable(who), "to_provider": to_provider}
        act = JournalAct.BATCH_EXPORTED if to_provider else JournalAct.BATCH_PRINTED
        with self._transaction() as connection:
            if connection.execute(_PRINTED, asked).first() is None:
                return False
            keep(connection, self._library, who=who, act=act, batch_id=batch_id)
            count_runs_of_batch(connection, self._library, batch_id)
            return True

    def went_to_provider(self, batch_id: int) -> bool:
        """Whether a printed batch was given as the file for a mailing service."""
        with self._transaction() as connection:
            asked = {"library": self._library, "batch_id": batch_id}
            return connection.execute(_TO_PROVIDER, asked).scalar() == "true"

    def note_given_again(self, batch_id: int, *, who: str) -> None:
        """Keep that the file of a printed batch was given a second time to the person who printed it."""
        with self._transaction() as connection:
            event = {"batch_id": batch_id, "act": LetterAct.GIVEN_AGAIN.value}
            add_events(connection, self._library, who=who, events=[event])
            keep(connection, self._library, who=who, act=JournalAct.BATCH_GIVEN_AGAIN, batch_id=batch_id)

    def note_download(self, batch_id: int, what: str, *, who: str) -> None:
        """Keep that a list of a batch's readers was downloaded; `what` says which, in words."""
        with self._transaction() as connection:
            keep(connection, self._library, who=who, act=JournalAct.LIST_DOWNLOADED, batch_id=batch_id, detail=what)

    def batches_recorded(self, run_id: int) -> int:
        """How many closed batches a run has: ready for the printer, or printed."""
        with self._transaction() as connection:
            asked = {"library": self._library, "run_id": run_id}
            return int(connection.execute(_RECORDED, asked).scalar_one())

    def note_copy(self, batch_id: int, delivery_id: uuid.UUID | None, *, who: str) -> None:
        """Keep that a copy of a batch, or of one letter of it, was made."""
        parameters = {
            "library": self._library, "batch_id": batch_id, "delivery_id": delivery_id, "who": storable(who),
        }  # fmt: skip
        with self._transaction() as connection:
            copied = connection.execute(_COPIED, parameters).all()
            of_batch = [row.batch_id for row in copied if row.delivery_id is None]
            line = {"act": JournalAct.LETTER_COPIED.value, "batch_id": batch_id, "detail": ""}
            lines = [{**line, "delivery_id": row.delivery_id} for row in copied if row.delivery_id is not None]
            keep_of_letters(connection, self._library, who=who, lines=lines)
            for one in of_batch:
                keep(connection, self._library, who=who, act=JournalAct.BATCH_COPIED, batch_id=one)
