"""Drafts of registered letters: laid out, waiting for a librarian's approval, then printed or abandoned."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batches import BatchView, DraftLetter, LetterAct
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.journal import keep, keep_of_letters
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.letters.batches import WHO_WE_ARE, Transaction, add_events, drafts_of_run
from loan_reminders.ledger.runs import waiting
from loan_reminders.ledger.sender_sql import RECOVER

_OFFERED = ("planned", "in_doubt")
_RECORDED = text("""
    SELECT count(*) FROM letter_batches
    WHERE library = :library AND run_id = :run_id AND state IN ('draft', 'abandoned')
""")
_HOLD = text("""
    SELECT batch_id FROM letter_batches
    WHERE library = :library AND run_id = :run_id AND state = 'draft'
    ORDER BY batch_id FOR UPDATE
""")
_LETTERS = text("""
    SELECT letter.delivery_id, letter.batch_id, letter.reference, letter.left_out,
           letter.last_page - letter.first_page + 1 AS pages,
           (SELECT count(*) FROM delivery_loans claim
            WHERE claim.delivery_id = letter.delivery_id AND claim.dropped IS NULL) AS documents,
           delivery.run_id = batch.run_id AND delivery.state IN ('planned', 'in_doubt') AS waiting
    FROM letter_batches batch JOIN letters letter USING (batch_id) JOIN deliveries delivery USING (delivery_id)
    WHERE batch.library = :library AND batch.run_id = :run_id AND batch.state = 'draft'
    ORDER BY batch.batch_id, letter.position
""")
_TAKE_OUT = text("""
    WITH gone AS (
        UPDATE deliveries delivery SET state = 'cancelled', reason = 'taken_out', answered_at = now()
        FROM letters letter JOIN letter_batches batch USING (batch_id)
        WHERE delivery.delivery_id = letter.delivery_id AND delivery.library = :library
          AND delivery.delivery_id = ANY(CAST(:delivery_id AS uuid[])) AND batch.run_id = :run_id
          AND batch.state = 'draft' AND delivery.run_id = :run_id AND delivery.state IN ('planned', 'in_doubt')
        RETURNING delivery.delivery_id, letter.batch_id
    ), marked AS (
        UPDATE letters letter SET left_out = 'taken_out' FROM gone WHERE letter.delivery_id = gone.delivery_id
    ), counted AS (
        UPDATE letter_batches batch SET left_out = left_out + gone.number
        FROM (SELECT batch_id, count(*) AS number FROM gone GROUP BY batch_id) AS gone
        WHERE batch.batch_id = gone.batch_id
    ), answered AS (
        INSERT INTO receipts (library, delivery_id, state, reason, applied)
        SELECT :library, delivery_id, 'cancelled', 'taken_out', true FROM gone
    )
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, before, after)
    SELECT :library, batch_id, delivery_id, :who, 'taken_out', :detail,
           jsonb_build_object('state', 'planned'), jsonb_build_object('state', 'cancelled', 'reason', 'taken_out')
    FROM gone
    RETURNING batch_id, delivery_id
""")
_APPROVED = text("""
    SELECT letter.delivery_id
    FROM letter_batches batch JOIN letters letter USING (batch_id)
    WHERE batch.library = :library AND batch.run_id = :run_id AND batch.state = 'draft' AND letter.left_out IS NULL
      AND EXISTS (SELECT FROM letter_events WHERE batch_id = batch.batch_id AND act = 'approved')
""")
# A letter whose loans the ILS did not have any more when the final batch was laid out is marked in its draft, the last
# batch it was in.
_LEFT_OUT = text("""
    WITH gone AS (
        UPDATE letters letter SET left_out = delivery.reason
        FROM deliveries delivery
        WHERE delivery.delivery_id = letter.delivery_id AND letter.batch_id = ANY(CAST(:batch_id AS bigint[]))
          AND letter.left_out IS NULL
          AND delivery.state = 'cancelled'
          AND delivery.reason IN ('returned', 'renewed', 'not_told', 'held', 'superseded', 'dead_address')
        RETURNING letter.delivery_id, letter.batch_id, letter.left_out
    ), counted AS (
        UPDATE letter_batches batch SET left_out = batch.left_out + gone.number
        FROM (SELECT batch_id, count(*) AS number FROM gone GROUP BY batch_id) AS gone
        WHERE batch.batch_id = gone.batch_id
    )
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, after)
    SELECT :library, batch_id, delivery_id, :who, 'left_out',
           jsonb_build_object('state', 'cancelled', 'reason', left_out)
    FROM gone
""")
_ABANDON = text("""
    UPDATE letter_batches SET state = 'abandoned'
    WHERE library = :library AND run_id = :run_id AND state = 'draft' AND NOT name = ANY(CAST(:keep AS text[]))
    RETURNING batch_id
""")
_ABANDONED = text("""
    SELECT name FROM letter_batches WHERE library = :library AND run_id = :run_id AND state = 'abandoned'
    ORDER BY batch_id
""")


class PostgresLetterDrafts:
    """The drafts of one library. Fulfils `LetterDrafts`; every method is one transaction."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def drafts_recorded(self, run_id: int) -> int:
        """How many drafts a run ever had, the abandoned ones included."""
        with self._transaction() as connection:
            return int(connection.execute(_RECORDED, self._of(run_id)).scalar_one())

    def drafts(self, run_id: int) -> Sequence[BatchView]:
        """The drafts of a run that wait, the oldest first."""
        with self._transaction() as connection:
            return drafts_of_run(connection, self._library, run_id)

    def letters(self, run_id: int) -> Sequence[DraftLetter]:
        """The letters of these drafts in their order, those taken out too."""
        with self._transaction() as connection:
            rows = connection.execute(_LETTERS, self._of(run_id)).all()
        return tuple(
            DraftLetter(
                delivery_id=row.delivery_id,
                batch_id=row.batch_id,
                reference=row.reference,
                documents=row.documents,
                pages=row.pages,
                waiting=row.waiting,
                left_out=None if row.left_out is None else Reason(row.left_out),
            )
            for row in rows
        )

    def approve(self, run_id: int, *, taken_out: Collection[uuid.UUID], who: str, detail: str = "") -> int:
        """Say who approved a run's drafts, and cancel the letters taken out of them; returns how many these were.

        `detail` is the librarian's reason for taking them out.
        """
        with self._transaction() as connection:
            held = self._hold(connection, run_id)
            approved = [{"batch_id": batch_id, "act": LetterAct.APPROVED.value} for batch_id in held]
            add_events(connection, self._library, who=who, events=approved)
            gone = self._take_out(connection, run_id, taken_out, who=who, detail=detail) if taken_out else 0
            for batch_id in held:
                keep(
                    connection,
                    self._library,
                    who=who,
                    act=JournalAct.LETTERS_APPROVED,
                    run_id=run_id,
                    batch_id=batch_id,
                    facts={"taken_out": gone},
                )
            return gone

    def take_out(self, run_id: int, letters: Collection[uuid.UUID], *, who: str, detail: str) -> int:
        """Cancel letters of a run's drafts that wait, whether approved or not; returns how many were."""
        with self._transaction() as connection:
            self._hold(connection, run_id)
            return self._take_out(connection, run_id, letters, who=who, detail=detail)

    def refuse(self, run_id: int, *, who: str, detail: str = "") -> int:
        """Cancel a run's registered letters that wait and abandon its drafts; returns how many letters.

        `detail` is the librarian's reason.
        """
        kind = Channel.REGISTERED_LETTER.value
        scope = {**self._of(run_id), "channel": kind, "offered": list(_OFFERED)}
        with self._transaction() as connection:
            held = self._hold(connection, run_id)
            act, said = LetterAct.NOT_APPROVED.value, storable(detail)
            refused = [{"batch_id": batch_id, "act": act, "detail": said} for batch_id in held]
            add_events(connection, self._library, who=who, events=refused)
            connection.execute(_ABANDON, {**self._of(run_id), "keep": []})
            # What a task that died while printing had in hand waits like the rest, and is refused with it.
            connection.execute(RECOVER, scope)
            cancelled = waiting.cancel_waiting(connection, scope, [kind], Reason.NOT_APPROVED)
            if held or cancelled:
                facts = {"letters": cancelled}
                self._keep(connection, run_id, JournalAct.LETTERS_REFUSED, who=who, detail=detail, facts=facts)
            return cancelled

    def approved(self, run_id: int) -> frozenset[uuid.UUID]:
        """The letters of a run's approved drafts that were not taken out."""
        with self._transaction() as connection:
            return frozenset(connection.execute(_APPROVED, self._of(run_id)).scalars())

    def abandon(self, run_id: int, *, keep: Collection[str] = ()) -> int:
        """Abandon a run's drafts but those named in `keep`; returns how many were.

        A letter still in one of them because the ILS did not have its loans any more is marked as left out.
        """
        with self._transaction() as connection:
            abandoned = connection.execute(_ABANDON, {**self._of(run_id), "keep": list(keep)}).scalars().all()
            parameters = {"library": self._library, "batch_id": list(abandoned), "who": WHO_WE_ARE}
            connection.execute(_LEFT_OUT, parameters)
            return len(abandoned)

    def abandoned(self, run_id: int) -> Sequence[str]:
        """The names of a run's abandoned drafts, whose files are to be removed."""
        with self._transaction() as connection:
            return tuple(connection.execute(_ABANDONED, self._of(run_id)).scalars())

    def _hold(self, connection: Connection, run_id: int) -> Sequence[int]:
        return connection.execute(_HOLD, self._of(run_id)).scalars().all()

    def _take_out(
        self, connection: Connection, run_id: int, letters: Collection[uuid.UUID], *, who: str, detail: str
    ) -> int:
        asked = {"delivery_id": list(letters), "who": storable(who), "detail": storable(detail)}
        gone = connection.execute(_TAKE_OUT, {**self._of(run_id), **asked}).all()
        lines = [
            {
                "act": JournalAct.LETTER_TAKEN_OUT.value,
                "delivery_id": row.delivery_id,
                "batch_id": row.batch_id,
                "detail": detail,
            }
            for row in gone
        ]
        keep_of_letters(connection, self._library, who=who, lines=lines)
        return len(gone)

    def _keep(
        self,
        connection: Connection,
        run_id: int,
        act: JournalAct,
        *,
        who: str,
        detail: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        keep(connection, self._library, who=who, act=act, run_id=run_id, detail=detail, facts=facts)

    def _of(self, run_id: int) -> dict[str, object]:
        return {"library": self._library, "run_id": run_id}
