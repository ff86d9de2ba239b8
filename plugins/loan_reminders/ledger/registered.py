"""Where each registered letter is: every step one transaction, kept with who took it and what was before and after."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, exc, text

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.registered_letters import (
    LetterEvent,
    Numbered,
    Posted,
    RegisteredLetter,
    Returned,
    Step,
    StepRefusal,
    told,
    undoable,
)
from loan_reminders.domain.registered_ports import BatchPosted, BatchToPost, NumberLine, StepTaken
from loan_reminders.domain.tracking_number import TrackingNumber
from loan_reminders.ledger import letter_returns, registered_reading
from loan_reminders.ledger.records import storable
from loan_reminders.ledger.registered_reading import COLUMNS, life_of

# Whoever attaches numbers does it alone, so that two files with the same numbers crossed wait for each other in line.
_NUMBERING = text("SELECT pg_advisory_xact_lock(hashtextextended('reminders numbers ' || :library, 0))")
_HOLD = f"""
    SELECT {COLUMNS}
    FROM registered_letters registered
    JOIN letters letter USING (delivery_id)
    JOIN deliveries delivery USING (delivery_id)
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    WHERE registered.library = :library AND {{which}}
    ORDER BY registered.delivery_id FOR NO KEY UPDATE OF registered
"""  # noqa: S608 - the columns are this project's own
_BY_REFERENCE = text(
    _HOLD.format(which="letter.library = :library AND letter.reference = ANY(CAST(:wanted AS text[]))")
)
_BY_NUMBER = text(_HOLD.format(which="registered.tracking_number = ANY(CAST(:wanted AS text[]))"))
_BY_BATCH = text(_HOLD.format(which="letter.batch_id = :wanted AND letter.left_out IS NULL"))
_BY_ID = text(_HOLD.format(which="registered.delivery_id = :wanted"))
_NAMED = text("""
    SELECT letter.left_out, delivery.channel FROM letters letter JOIN deliveries delivery USING (delivery_id)
    WHERE letter.library = :library AND letter.reference = :reference
""")
_OWNER = text("""
    SELECT letter.reference FROM registered_letters registered JOIN letters letter USING (delivery_id)
    WHERE registered.library = :library AND registered.tracking_number = :number
""")
_BATCH = text("SELECT name FROM letter_batches WHERE library = :library AND batch_id = :batch_id")
_WRITE = text("""
    UPDATE registered_letters SET state = :state, tracking_number = :tracking_number, posted_on = :posted_on,
        acknowledged_on = :acknowledged_on, returned_on = :returned_on, return_reason = :return_reason
    WHERE delivery_id = :delivery_id AND library = :library
""")
_EVENT = text("""
    INSERT INTO letter_events (library, batch_id, delivery_id, who, act, detail, before, after)
    VALUES (:library, :batch_id, :delivery_id, :who, :act, :detail, CAST(:before AS jsonb), CAST(:after AS jsonb))
""")
_BEFORE = text("SELECT before, after FROM letter_events WHERE event_id = :event_id AND library = :library")
_FIELDS = ("state", "tracking_number", "posted_on", "acknowledged_on", "returned_on", "return_reason")


class PostgresRegistered:
    """The part of one library's ledger where registered letters are followed. Fulfils `RegisteredBooks`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def counts(self) -> Mapping[RegisteredState, int]:
        """How many letters are in each state; letters left out of their batch are in none."""
        with self._transaction() as connection:
            return registered_reading.counts(connection, self._library)

    def overdue(self, *, posted_before: date, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters posted before a day of which nothing came back, the oldest first."""
        with self._transaction() as connection:
            return registered_reading.overdue(connection, self._library, posted_before=posted_before, limit=limit)

    def in_state(self, state: RegisteredState, *, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters in one state, the newest first."""
        with self._transaction() as connection:
            return registered_reading.in_state(connection, self._library, state, limit=limit)

    def search(self, wanted: Sequence[str], *, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters whose reference, number, reader's number or reader's barcode is one of these."""
        with self._transaction() as connection:
            return registered_reading.search(connection, self._library, wanted, limit=limit)

    def batches_to_post(self, *, limit: int = 100) -> Sequence[BatchToPost]:
        """Printed batches with letters that were not posted, the newest first."""
        with self._transaction() as connection:
            return registered_reading.batches_to_post(connection, self._library, limit=limit)

    def letter(self, delivery_id: uuid.UUID) -> tuple[RegisteredLetter, Sequence[LetterEvent]] | None:
        """One letter with its trace; None when the library has no such registered letter."""
        with self._transaction() as connection:
            return registered_reading.letter(connection, self._library, delivery_id)

    def take(self, step: Step, *, who: str, reference: str = "", number: str = "") -> StepTaken:
        """Take one step with the letter of this reference, or of this number."""
        with self._transaction() as connection:
            if isinstance(step, Numbered):
                connection.execute(_NUMBERING, {"library": self._library})
            query, wanted = (_BY_REFERENCE, reference) if reference else (_BY_NUMBER, number)
            rows = connection.execute(query, {"library": self._library, "wanted": [wanted]}).all()
            return self._step(connection, self._only(connection, rows, reference=reference), step, who)

    def attach_all(self, lines: Sequence[NumberLine], *, who: str) -> Sequence[StepTaken | LetterStepRefused]:
        """Attach many numbers in one transaction, in their order; what is refused is told and stops nothing."""
        with self._transaction() as connection:
            connection.execute(_NUMBERING, {"library": self._library})
            asked = {"library": self._library, "wanted": sorted({line.reference for line in lines})}
            held: dict[str, list[Row[Any]]] = {}
            for row in connection.execute(_BY_REFERENCE, asked):
                held.setdefault(row.reference, []).append(row)
            outcomes: list[StepTaken | LetterStepRefused] = []
            for line in lines:
                try:
                    row = self._only(connection, held.get(line.reference, []), reference=line.reference)
                    outcomes.append(self._step(connection, row, Numbered(number=line.number), who))
                    # A later line about this letter must see it as it is now.
                    held[line.reference] = list(
                        connection.execute(_BY_ID, {"library": self._library, "wanted": row.delivery_id})
                    )
                except LetterStepRefused as refused:
                    outcomes.append(refused)
            return tuple(outcomes)

    def post_batch(self, batch_id: int, step: Posted, *, who: str) -> BatchPosted:
        """Post every letter of a batch that has a number; the others are told by their reference."""
        with self._transaction() as connection:
            asked = {"library": self._library, "batch_id": batch_id}
            name = connection.execute(_BATCH, asked).scalar()
            rows = connection.execute(_BY_BATCH, {"library": self._library, "wanted": batch_id}).all()
            if name is None or not rows:
                raise LetterStepRefused(StepRefusal.UNKNOWN_LETTER, "Ce lot n'a aucun recommandé.")
            posted = 0
            refused: dict[str, LetterStepRefused] = {}
            for row in rows:
                try:
                    posted += self._step(connection, row, step, who).changed
                except LetterStepRefused as error:
                    refused[row.reference] = error
            return BatchPosted(batch_name=str(name), posted=posted, refused=refused)

    def undo(self, delivery_id: uuid.UUID, *, who: str, event_id: int | None = None) -> StepTaken:
        """Undo the last step of a letter: what was before it is restored, and the trace says so."""
        with self._transaction() as connection:
            rows = connection.execute(_BY_ID, {"library": self._library, "wanted": delivery_id}).all()
            row = self._only(connection, rows)
            events = registered_reading.trace(connection, self._library, delivery_id, row.batch_id)
            last = undoable(events, event_id=event_id)
            asked = {"library": self._library, "event_id": last.event_id}
            step = connection.execute(_BEFORE, asked).one()
            before = {name: step.before.get(name) for name in _FIELDS}
            connection.execute(_WRITE, {**before, "delivery_id": delivery_id, "library": self._library})
            letter_returns.forget(connection, self._library, row, step.after or {}, who=who)
            self._event(connection, row, LetterAct.UNDONE, who, last.detail, _snapshot(row), before)
            return StepTaken(delivery_id=delivery_id, reference=row.reference, changed=True)

    def _only(self, connection: Connection, rows: Sequence[Row[Any]], *, reference: str = "") -> Row[Any]:
        """The one letter that is meant, still in its batch; otherwise LetterStepRefused says which it is not."""
        still_there = [row for row in rows if row.left_out is None]
        if len(still_there) == 1:
            return still_there[0]
        if still_there:
            raise LetterStepRefused(
                StepRefusal.AMBIGUOUS, "Plusieurs lettres ont cette référence : passer par sa page."
            )
        named = rows or connection.execute(_NAMED, {"library": self._library, "reference": reference}).all()
        if not named:
            what = f"la référence {reference}" if reference else "ce numéro"
            raise LetterStepRefused(StepRefusal.UNKNOWN_LETTER, f"Aucun recommandé n'a {what}.")
        if named[0].channel != "registered_letter":
            raise LetterStepRefused(
                StepRefusal.NOT_REGISTERED, f"La lettre {reference} est une lettre simple, pas un recommandé."
            )
        if named[0].left_out is not None:
            raise LetterStepRefused(
                StepRefusal.LEFT_OUT, "Cette lettre a été retirée de son lot : elle n'est pas à poster."
            )
        raise LetterStepRefused(
            StepRefusal.NOT_PRINTED,
            "Cette lettre est « à imprimer ». Il faut d'abord marquer son lot comme imprimé, sur la page des lots.",
        )

    def _step(self, connection: Connection, row: Row[Any], step: Step, who: str) -> StepTaken:
        before = life_of(row)
        after = step.taken(before)
        if after == before:
            return StepTaken(delivery_id=row.delivery_id, reference=row.reference, changed=False)
        values = {
            "state": after.state.value,
            "tracking_number": after.tracking_number,
            "posted_on": _iso(after.posted_on),
            "acknowledged_on": _iso(after.acknowledged_on),
            "returned_on": _iso(after.returned_on),
            "return_reason": None if after.return_reason is None else after.return_reason.value,
        }
        write = {**values, "delivery_id": row.delivery_id, "library": self._library}
        if isinstance(step, Numbered):
            self._write_number(connection, write)
            detail = step.number.printed
        else:
            connection.execute(_WRITE, write)
            detail = told(after)
        kept: dict[str, Any] = dict(values)
        if isinstance(step, Returned) and step.reason is ReturnReason.RETURNED_UNDELIVERABLE:
            kept["suppression_id"] = letter_returns.mark(connection, self._library, row, since=step.since)
        self._event(connection, row, step.act, who, detail, _snapshot(row), kept)
        return StepTaken(
            delivery_id=row.delivery_id,
            reference=row.reference,
            changed=True,
            address_marked=kept.get("suppression_id") is not None,
        )

    def _write_number(self, connection: Connection, write: Mapping[str, Any]) -> None:
        """The database refuses a number that another letter of the library has."""
        try:
            with connection.begin_nested():
                connection.execute(_WRITE, write)
        except exc.IntegrityError:
            number = str(write["tracking_number"])
            owner = connection.execute(_OWNER, {"library": self._library, "number": number}).scalar()
            raise LetterStepRefused(
                StepRefusal.NUMBER_TAKEN,
                f"Le numéro {TrackingNumber(value=number).printed} est déjà celui de la lettre {owner}.",
            ) from None

    def _event(
        self,
        connection: Connection,
        row: Row[Any],
        act: LetterAct,
        who: str,
        detail: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        values = {
            "library": self._library,
            "batch_id": row.batch_id,
            "delivery_id": row.delivery_id,
            "who": storable(who),
            "act": act.value,
            "detail": storable(detail),
            "before": json.dumps(before),
            "after": json.dumps(after),
        }
        connection.execute(_EVENT, values)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _snapshot(row: Row[Any]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _FIELDS}
    return {name: _iso(value) if isinstance(value, date) else value for name, value in values.items()}
