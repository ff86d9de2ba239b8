"""What runs read of the ILS: kept when the reading ends, and asked by whoever wonders whether it is as usual."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, text, update

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.doubts import PastReading
from loan_reminders.domain.runs.reading.tally import Reading, UnknownCode
from loan_reminders.domain.runs.volume import NOBODY
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.tables import RunState, runs

# A reading that a person refused, or is still asked about, tells nothing of others; one without an answer says so.
_BEFORE = text("""
    SELECT run.due_date, run.loans_extracted, run.reading,
           coalesce(said.reading AND said.answer = 'approved', false) AS accepted,
           coalesce(said.reading AND said.answer = 'refused', false) AS unanswered
    FROM runs asking
    JOIN runs run ON run.stage = asking.stage AND run.due_date < asking.due_date AND run.run_id <> asking.run_id
     AND run.reference_date BETWEEN CAST(:since AS date) AND asking.reference_date
    LEFT JOIN LATERAL (
        SELECT answer, reading, who FROM volume_answers WHERE run_id = run.run_id ORDER BY answer_id DESC LIMIT 1
    ) AS said ON true
    WHERE asking.run_id = :run_id AND asking.library = :library AND run.library = :library
      AND run.loans_extracted IS NOT NULL AND NOT run.dry_run AND run.kind = 'daily'
      AND NOT coalesce(
          said.reading AND (said.answer = 'asked' OR said.answer = 'refused' AND said.who <> :nobody), false
      )
""")
_DOUBTED = text("""
    SELECT reading FROM volume_answers WHERE library = :library AND run_id = :run_id AND answer = 'asked'
    ORDER BY answer_id DESC LIMIT 1
""")
_REFUSED = text("""
    SELECT reading AND answer = 'refused' FROM volume_answers WHERE run_id = :run_id ORDER BY answer_id DESC LIMIT 1
""")


class PostgresReadings:
    """The readings of one library's runs. Fulfils `Readings`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def of(self, run_id: int) -> Reading | None:
        """What a run read, None where it was not counted: not read to the end, or before this was kept."""
        query = select(runs.c.reading).where(runs.c.library == self._library, runs.c.run_id == run_id)
        with self._transaction() as connection:
            return decode_reading(connection.execute(query).scalar())

    def before(self, run_id: int, *, since: date) -> Sequence[PastReading]:
        """The readings of this run's stage about earlier due dates, of runs about days from `since` on."""
        asked = {"library": self._library, "run_id": run_id, "since": since, "nobody": NOBODY}
        with self._transaction() as connection:
            return tuple(map(_past, connection.execute(_BEFORE, asked)))

    def doubted(self, run_id: int) -> bool:
        """Whether a person was asked about the reading of this run, the last time anything was asked."""
        with self._transaction() as connection:
            return bool(connection.execute(_DOUBTED, {"library": self._library, "run_id": run_id}).scalar())


def finish(connection: Connection, run_id: int, loans_extracted: int, reading: Reading | None) -> None:
    """Say that every row of a run was read, and what they were; saying it again changes nothing."""
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.state == RunState.EXTRACTING.value)
        .values(
            loans_extracted=loans_extracted,
            reading=None if reading is None else encode_reading(reading),
            state=RunState.EXTRACTED.value,
        )
    )


def reading_refused(connection: Connection, run_id: int) -> bool:
    """Whether a person, or nobody in time, said that the reading of a run is wrong."""
    return bool(connection.execute(_REFUSED, {"run_id": run_id}).scalar())


def encode_reading(reading: Reading) -> dict[str, Any]:
    """A reading for the run's row."""
    counts = ("loans", "rejected", "with_email", "with_mobile", "repaired", "lost", "unknown_loans")
    return {
        **{name: getattr(reading, name) for name in counts},
        "unknown": [
            {"kind": one.kind.value, "code": None if one.code is None else storable(one.code), "loans": one.loans}
            for one in reading.unknown
        ],
    }


def decode_reading(kept: Mapping[str, Any] | None) -> Reading | None:
    """The reading that `encode_reading` wrote."""
    if kept is None:
        return None
    return Reading(**{**kept, "unknown": unknown_codes(kept["unknown"])})


def unknown_codes(kept: Sequence[Mapping[str, Any]]) -> tuple[UnknownCode, ...]:
    """The unknown codes of a reading, out of the run's row."""
    return tuple(UnknownCode(kind=CodeKind(one["kind"]), code=one["code"], loans=one["loans"]) for one in kept)


def _past(row: Any) -> PastReading:
    reading = decode_reading(row.reading)
    if reading is None:
        return PastReading(due_date=row.due_date, loans=row.loans_extracted)
    return PastReading(
        due_date=row.due_date,
        loans=reading.loans,
        with_email=reading.with_email,
        with_mobile=reading.with_mobile,
        accepted=row.accepted,
        unanswered=row.unanswered,
    )
