"""How far the ILS has been asked about a batch before its printing.

The process that asks may die, and another answer the librarian's page: what they know of each other is here. A check
has a key; whoever does not hold the newest one of a batch changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import TextClause, text

from loan_reminders.domain.letters.print_checks import SILENT_FOR, CheckState, PrintCheck
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.letters.batches import Transaction

_CHECK = text("SELECT * FROM print_checks WHERE library = :library AND batch_id = :batch_id")
_START = text("""
    INSERT INTO print_checks AS held (batch_id, library, check_id, who, state, loans)
    SELECT batch_id, library, CAST(:key AS uuid), :who, 'running', :loans FROM letter_batches
    WHERE library = :library AND batch_id = :batch_id
    ON CONFLICT (batch_id) DO UPDATE SET
        check_id = excluded.check_id, who = excluded.who, state = excluded.state, asked = 0, loans = excluded.loans,
        started_at = now(), seen_at = now(), returned = 0, renewed = 0, partly = '{}', held = 0,
        held_with_others = '{}', superseded = 0, dead_address = 0, problem = ''
    WHERE held.state <> 'running' OR held.seen_at <= now() - make_interval(secs => :silent)
    RETURNING check_id
""")
_PROGRESS = text("""
    UPDATE print_checks SET asked = :asked, seen_at = now()
    WHERE library = :library AND check_id = :key AND state = 'running'
""")
_ANSWERED = text("""
    UPDATE print_checks SET state = 'answered', asked = loans, seen_at = now(), returned = :returned,
        renewed = :renewed, partly = CAST(:partly AS text[]), held = :held,
        held_with_others = CAST(:held_with_others AS text[]), superseded = :superseded,
        dead_address = :dead_address
    WHERE library = :library AND check_id = :key AND state = 'running'
""")
_FAILED = text("""
    UPDATE print_checks SET state = 'failed', seen_at = now(), problem = :problem
    WHERE library = :library AND check_id = :key AND state = 'running'
""")


class PostgresPrintChecks:
    """The checks of one library's batches. Fulfils `PrintChecks`; every method is one transaction."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def check(self, batch_id: int) -> PrintCheck | None:
        """The last check of a batch, None when there was none."""
        with self._transaction() as connection:
            row = connection.execute(_CHECK, {"library": self._library, "batch_id": batch_id}).first()
        if row is None:
            return None
        return PrintCheck(
            batch_id=row.batch_id,
            who=row.who,
            state=CheckState(row.state),
            asked=row.asked,
            loans=row.loans,
            started_at=row.started_at,
            seen_at=row.seen_at,
            returned=row.returned,
            renewed=row.renewed,
            partly=tuple(row.partly),
            held=row.held,
            held_with_others=tuple(row.held_with_others),
            superseded=row.superseded,
            dead_address=row.dead_address,
            problem=row.problem,
        )

    def start(self, batch_id: int, *, who: str, loans: int) -> uuid.UUID | None:
        """Begin a check; returns its key, None when another one is at work. One that died is replaced."""
        key = uuid.uuid4()
        asked = {"batch_id": batch_id, "key": key, "who": storable(who), "loans": loans}
        return key if self._changed(_START, silent=SILENT_FOR.total_seconds(), **asked) else None

    def progress(self, key: uuid.UUID, *, asked: int) -> None:
        """Say how many loans are known so far. A check that was replaced meanwhile says nothing any more."""
        self._changed(_PROGRESS, key=key, asked=asked)

    def answered(
        self,
        key: uuid.UUID,
        *,
        returned: int,
        renewed: int,
        partly: Sequence[str],
        held: int = 0,
        held_with_others: Sequence[str] = (),
        superseded: int = 0,
        dead_address: int = 0,
    ) -> None:
        """Keep what was found about the batch: see `PrintCheck`."""
        self._changed(
            _ANSWERED,
            key=key,
            returned=returned,
            renewed=renewed,
            partly=list(partly),
            held=held,
            held_with_others=list(held_with_others),
            superseded=superseded,
            dead_address=dead_address,
        )

    def failed(self, key: uuid.UUID, *, problem: str) -> None:
        """Keep, in words, why the ILS said nothing."""
        self._changed(_FAILED, key=key, problem=storable(problem))

    def _changed(self, statement: TextClause, **values: object) -> bool:
        with self._transaction() as connection:
            return connection.execute(statement, {"library": self._library, **values}).rowcount > 0
