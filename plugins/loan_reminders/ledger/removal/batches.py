"""Batches of letters of which no letter is left: files go first, then rows, so that no file is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.retention.terms import Terms

# What is not printed yet is printed without them: no page is handed over of a letter that is not known.
_LEFT = text("""
    UPDATE letter_batches batch SET left_out = batch.left_out + gone.number
    FROM (
        SELECT batch_id, count(*) AS number FROM letters
        WHERE delivery_id = ANY(CAST(:deliveries AS uuid[])) AND left_out IS NULL GROUP BY batch_id
    ) AS gone
    WHERE batch.batch_id = gone.batch_id AND batch.state IN ('draft', 'ready')
""")
_EMPTY = text("""
    SELECT batch.batch_id, batch.name FROM letter_batches batch
    WHERE batch.library = :library AND batch.at < CAST(:loans_until AS date) + 1 AND batch.batch_id > :after
      AND NOT EXISTS (SELECT FROM letters WHERE letters.batch_id = batch.batch_id OFFSET 0)
    ORDER BY batch.batch_id LIMIT :page
""")
_FORGET = tuple(
    text(statement)
    for statement in (
        "DELETE FROM letter_events WHERE batch_id = :batch_id",
        "DELETE FROM print_checks WHERE batch_id = :batch_id",
        "UPDATE deliveries SET batch_id = NULL WHERE batch_id = :batch_id",
        "DELETE FROM letter_batches WHERE library = :library AND batch_id = :batch_id",
    )
)
# The files of an abandoned draft go with it; they are still there when the task that was to remove them never came.
_UNKNOWN = text("""
    SELECT asked.name
    FROM unnest(CAST(:names AS text[]), CAST(:runs AS bigint[])) AS asked(name, run_id)
    JOIN runs run ON run.run_id = asked.run_id AND run.library = :library
    LEFT JOIN letter_batches batch ON batch.library = :library AND batch.name = asked.name
    WHERE CASE WHEN batch.batch_id IS NULL THEN run.today <= :loans_until ELSE batch.state = 'abandoned' END
    ORDER BY asked.name
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldBatch:
    """A batch of which no letter is left, and the name of its folder."""

    batch_id: int
    name: str


def leave_batches(connection: Connection, deliveries: Sequence[object]) -> None:
    """Count the letters among these messages, which are about to be removed, as left out of what is not printed yet."""
    connection.execute(_LEFT, {"deliveries": list(deliveries)})


def empty_batches(connection: Connection, library: str, terms: Terms, *, after: int, page: int) -> Sequence[OldBatch]:
    """The next batches, old enough, of which no letter is left."""
    asked = {"library": library, "loans_until": terms.loans_until, "after": after, "page": page}
    return tuple(OldBatch(batch_id=row.batch_id, name=row.name) for row in connection.execute(_EMPTY, asked))


def forget_batch(connection: Connection, library: str, batch_id: int) -> None:
    """Remove the rows of a batch whose files are gone."""
    for statement in _FORGET:
        connection.execute(statement, {"library": library, "batch_id": batch_id})


def unknown_folders(connection: Connection, library: str, terms: Terms, runs: Mapping[str, int]) -> Sequence[str]:
    """Those of these folders, each with the number of its run, that nobody needs.

    They are of an old run of this library and no batch, or of an abandoned draft.
    """
    if not runs:
        return ()
    asked: dict[str, Any] = {"library": library, "loans_until": terms.loans_until}
    asked |= {"names": list(runs), "runs": list(runs.values())}
    return tuple(connection.execute(_UNKNOWN, asked).scalars())
