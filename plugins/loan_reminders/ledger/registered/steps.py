"""Record each step of a registered letter: one transaction, kept with who took it and what was before and after."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.letters.batches import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.ports.registered import BatchPosted, BatchToPost, NumberLine, StepTaken
from loan_reminders.domain.registered.steps import (
    STEPS,
    LetterEvent,
    Life,
    Numbered,
    Posted,
    RegisteredLetter,
    Returned,
    Step,
    StepRefusal,
    undoable,
)
from loan_reminders.french.letters import life_words
from loan_reminders.ledger.journal import keep_of_letters
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.letters.batches import Transaction, add_events
from loan_reminders.ledger.registered import queries
from loan_reminders.ledger.registered.queries import COLUMNS, life_of
from loan_reminders.ledger.registered.which_letter import letters_named, the_letter_meant
from loan_reminders.ledger.statistics.counting import count_runs_of
from loan_reminders.ledger.suppressions import returned_letters

# One transaction at a time attaches numbers, so that two files that give the same numbers to other letters wait.
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
_OWNERS = text("""
    SELECT registered.tracking_number, letter.reference
    FROM registered_letters registered JOIN letters letter USING (delivery_id)
    WHERE registered.library = :library AND registered.tracking_number = ANY(CAST(:wanted AS text[]))
""")
_BATCH = text("SELECT name FROM letter_batches WHERE library = :library AND batch_id = :batch_id")
# All changes of a request in one statement: a file has thousands of lines, and meanwhile no other can attach numbers.
_WRITE = text("""
    UPDATE registered_letters registered SET state = life.state, tracking_number = life.tracking_number,
        posted_on = life.posted_on, acknowledged_on = life.acknowledged_on, returned_on = life.returned_on,
        return_reason = life.return_reason
    FROM json_to_recordset(CAST(:lives AS json)) AS life(
        delivery_id uuid, state text, tracking_number text, posted_on date, acknowledged_on date, returned_on date,
        return_reason text
    )
    WHERE registered.delivery_id = life.delivery_id AND registered.library = :library
""")
_BEFORE = text("SELECT before, after FROM letter_events WHERE event_id = :event_id AND library = :library")
_KEPT_AS = {act: JournalAct(f"letter_{act}") for act in STEPS} | {LetterAct.UNDONE: JournalAct.STEP_UNDONE}
_FIELDS = ("state", "tracking_number", "posted_on", "acknowledged_on", "returned_on", "return_reason")


class PostgresRegisteredLetters:
    """The part of one library's ledger where registered letters are followed. Fulfils `RegisteredLetters`."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def counts(self) -> Mapping[RegisteredState, int]:
        """How many letters are in each state; letters left out of their batch are in none."""
        with self._transaction() as connection:
            return queries.counts(connection, self._library)

    def overdue(self, *, posted_before: date, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters posted before a day of which nothing came back, the oldest first."""
        with self._transaction() as connection:
            return queries.overdue(connection, self._library, posted_before=posted_before, limit=limit)

    def in_state(
        self, state: RegisteredState, *, limit: int = 500, offset: int = 0, oldest_first: bool = False
    ) -> Sequence[RegisteredLetter]:
        """Letters in one state, the newest first unless told otherwise; `offset` are skipped."""
        with self._transaction() as connection:
            return queries.in_state(
                connection, self._library, state, limit=limit, offset=offset, oldest_first=oldest_first
            )

    def search(self, wanted: Sequence[str], *, limit: int = 500) -> Sequence[RegisteredLetter]:
        """Letters whose reference, number, reader's number or reader's barcode is one of these."""
        with self._transaction() as connection:
            return queries.search(connection, self._library, wanted, limit=limit)

    def batches_to_post(self, *, limit: int = 100) -> Sequence[BatchToPost]:
        """Printed batches with letters that were not posted, the newest first; none of a trial."""
        with self._transaction() as connection:
            return queries.batches_to_post(connection, self._library, limit=limit)

    def letter(self, delivery_id: uuid.UUID) -> tuple[RegisteredLetter, Sequence[LetterEvent]] | None:
        """One letter with its trace; None when the library has no such registered letter."""
        with self._transaction() as connection:
            return queries.letter(connection, self._library, delivery_id)

    def find(self, *, reference: str = "", number: str = "") -> RegisteredLetter:
        """The letter of this reference, or of this number. Raises LetterStepRefused, as a step with it would."""
        with self._transaction() as connection:
            query, wanted = (_BY_REFERENCE, reference) if reference else (_BY_NUMBER, number)
            rows = connection.execute(query, {"library": self._library, "wanted": [wanted]}).all()
            row = the_letter_meant(rows, letters_named(connection, self._library, [reference]), reference=reference)
            found = queries.letter(connection, self._library, row.delivery_id)
        if found is None:
            raise LetterStepRefused(StepRefusal.UNKNOWN_REFERENCE, reference=reference)
        return found[0]

    def take(self, step: Step, *, who: str, reference: str = "", number: str = "") -> StepTaken:
        """Take one step with the letter of this reference, or of this number."""
        with self._transaction() as connection:
            if isinstance(step, Numbered):
                connection.execute(_NUMBERING, {"library": self._library})
            query, wanted = (_BY_REFERENCE, reference) if reference else (_BY_NUMBER, number)
            rows = connection.execute(query, {"library": self._library, "wanted": [wanted]}).all()
            row = the_letter_meant(rows, letters_named(connection, self._library, [reference]), reference=reference)
            owners = self._owners(connection, [step.number.value]) if isinstance(step, Numbered) else {}
            taken = self._taken(connection, row, step, life_of(row), owners)
            self._write(connection, [taken], who)
            return taken.outcome

    def attach_all(self, lines: Sequence[NumberLine], *, who: str) -> Sequence[StepTaken | LetterStepRefused]:
        """Attach many numbers in one transaction, in their order; what is refused is answered and stops nothing.

        The lines are looked at in memory, and what changes is written at once, whatever their number.
        """
        with self._transaction() as connection:
            connection.execute(_NUMBERING, {"library": self._library})
            references = sorted({line.reference for line in lines})
            held: dict[str, list[Row[Any]]] = {}
            for row in connection.execute(_BY_REFERENCE, {"library": self._library, "wanted": references}):
                held.setdefault(row.reference, []).append(row)
            others = letters_named(connection, self._library, [one for one in references if one not in held])
            owners = self._owners(connection, sorted({line.number.value for line in lines}))
            lives = {row.delivery_id: life_of(row) for found in held.values() for row in found}
            outcomes: list[_Taken | LetterStepRefused] = []
            for line in lines:
                try:
                    row = the_letter_meant(held.get(line.reference, []), others, reference=line.reference)
                    step = Numbered(number=line.number)
                    taken = self._taken(connection, row, step, lives[row.delivery_id], owners)
                except LetterStepRefused as refused:
                    outcomes.append(refused)
                    continue
                # A later line about this letter, or with this number, must see it as it is now.
                lives[row.delivery_id] = taken.after
                owners[line.number.value] = row.reference
                outcomes.append(taken)
            self._write(connection, [one for one in outcomes if isinstance(one, _Taken)], who)
            return tuple(one.outcome if isinstance(one, _Taken) else one for one in outcomes)

    def post_batch(self, batch_id: int, step: Posted, *, who: str) -> BatchPosted:
        """Post every letter of a batch that has a number; the answer names the others by their reference."""
        with self._transaction() as connection:
            name = connection.execute(_BATCH, {"library": self._library, "batch_id": batch_id}).scalar()
            rows = connection.execute(_BY_BATCH, {"library": self._library, "wanted": batch_id}).all()
            if name is None or not rows:
                raise LetterStepRefused(StepRefusal.NONE_IN_BATCH)
            posted: list[_Taken] = []
            refused: dict[str, LetterStepRefused] = {}
            for row in rows:
                try:
                    posted.append(self._taken(connection, row, step, life_of(row), {}))
                except LetterStepRefused as error:
                    refused[row.reference] = error
            self._write(connection, posted, who)
            return BatchPosted(batch_name=str(name), posted=sum(one.outcome.changed for one in posted), refused=refused)

    def undo(self, delivery_id: uuid.UUID, *, who: str, event_id: int | None = None) -> StepTaken:
        """Undo the last step of a letter: what was before it is restored, and the trace says so."""
        with self._transaction() as connection:
            rows = connection.execute(_BY_ID, {"library": self._library, "wanted": delivery_id}).all()
            row = the_letter_meant(rows)
            events = queries.trace(connection, self._library, delivery_id, row.batch_id)
            last = undoable(events, event_id=event_id)
            step = connection.execute(_BEFORE, {"library": self._library, "event_id": last.event_id}).one()
            before = {name: step.before.get(name) for name in _FIELDS}
            self._write_lives(connection, [{**before, "delivery_id": str(delivery_id)}])
            returned_letters.lift_address(connection, self._library, row, step.after or {}, who=who)
            undone = _event(row, LetterAct.UNDONE, last.detail, _snapshot(life_of(row)), before)
            self._keep(connection, [undone], who)
            count_runs_of(connection, self._library, [delivery_id])
            return StepTaken(delivery_id=delivery_id, reference=row.reference, changed=True)

    def _owners(self, connection: Connection, numbers: Sequence[str]) -> dict[str, str]:
        """The references of the letters that have these numbers."""
        rows = connection.execute(_OWNERS, {"library": self._library, "wanted": list(numbers)})
        return {row.tracking_number: row.reference for row in rows}

    def _taken(
        self, connection: Connection, row: Row[Any], step: Step, before: Life, owners: Mapping[str, str]
    ) -> _Taken:
        """What a step makes of a letter, not yet written. Raises LetterStepRefused.

        `owners` are the letters that have the number of the step already.
        """
        after = step.taken(before)
        kept: dict[str, Any] = _snapshot(after)
        if after != before and isinstance(step, Numbered):
            owner = owners.get(step.number.value)
            if owner is not None:
                number = step.number.printed
                raise LetterStepRefused(StepRefusal.NUMBER_TAKEN, number=number, reference=owner)
        if after != before and isinstance(step, Returned) and step.reason is ReturnReason.RETURNED_UNDELIVERABLE:
            kept["suppression_id"] = returned_letters.suppress_address(connection, self._library, row, since=step.since)
        detail = step.number.printed if isinstance(step, Numbered) else life_words(after)
        return _Taken(
            after=after,
            event=_event(row, step.act, detail, _snapshot(before), kept),
            outcome=StepTaken(
                delivery_id=row.delivery_id,
                reference=row.reference,
                changed=after != before,
                address_marked=kept.get("suppression_id") is not None,
            ),
        )

    def _write(self, connection: Connection, steps: Sequence[_Taken], who: str) -> None:
        """Write what changed, and its trace."""
        changed = [one for one in steps if one.outcome.changed]
        if changed:
            lives = [{**_snapshot(one.after), "delivery_id": str(one.outcome.delivery_id)} for one in changed]
            self._write_lives(connection, lives)
            self._keep(connection, [one.event for one in changed], who)
            count_runs_of(connection, self._library, [one.outcome.delivery_id for one in changed])

    def _keep(self, connection: Connection, events: Sequence[Mapping[str, Any]], who: str) -> None:
        """Say in the trace of the letters, and in the journal, what was done."""
        add_events(connection, self._library, who=who, events=events)
        kept = [{**event, "act": _KEPT_AS[event["act"]].value} for event in events]
        keep_of_letters(connection, self._library, who=who, lines=kept)

    def _write_lives(self, connection: Connection, lives: Sequence[Mapping[str, Any]]) -> None:
        connection.execute(_WRITE, {"library": self._library, "lives": json.dumps(lives)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A step that may be taken: how far the letter is after it, the line of its trace, and the answer to the caller."""

    after: Life
    event: Mapping[str, Any]
    outcome: StepTaken


def _event(
    row: Row[Any], act: LetterAct, detail: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "batch_id": row.batch_id,
        "delivery_id": str(row.delivery_id),
        "act": act.value,
        "detail": storable(detail),
        "before": before,
        "after": after,
    }


def _snapshot(life: Life) -> dict[str, Any]:
    values = {name: getattr(life, name) for name in _FIELDS}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
