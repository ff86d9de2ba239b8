"""Who was told and who was not reached, in SQL: one definition for the first page, a run's page and all figures.

A reader is told by a message that left and is not known to have failed; a letter tells once it is printed, a registered
one once it is posted. A reader is not reached when there was no way to write to him, or when all his messages failed:
one whose message still waits, or is in doubt, is neither; nor is one whose message was redirected to a test address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS

# A letter has told its reader once it is printed, a registered one once it is posted; one that the post brings back
# because nobody lives there has told nobody. An unclaimed registered letter has been announced: it counts as told.
# Asked as one row and not as EXISTS, which may be answered by reading all events of letters ever.
OUTCOME = """
    CASE
        WHEN delivery.state IN ('refused', 'bounced', 'failed') AND NOT delivery.redirected THEN 'failed'
        WHEN delivery.state = 'cancelled' AND delivery.reason = 'dead_address' THEN 'failed'
        WHEN delivery.state IN ('cancelled', 'planned') THEN 'never_left'
        WHEN delivery.redirected THEN 'redirected'
        WHEN delivery.state IN ('in_doubt', 'claimed') THEN 'in_doubt'
        WHEN delivery.channel = 'letter' THEN
            CASE WHEN batch.state IS DISTINCT FROM 'printed' THEN 'waiting'
                 WHEN (
                     SELECT true FROM letter_events back
                     WHERE back.delivery_id = delivery.delivery_id AND back.act = 'returned' LIMIT 1
                 ) THEN 'failed' ELSE 'told' END
        WHEN delivery.channel = 'registered_letter' THEN
            CASE WHEN registered.posted_on IS NULL THEN 'waiting'
                 WHEN registered.return_reason = 'returned_undeliverable' THEN 'failed' ELSE 'told' END
        ELSE 'told'
    END
"""
"""What became of a `delivery`: told, failed, in_doubt, waiting, redirected, or never_left."""
OF_LETTERS = """
    LEFT JOIN letters letter ON letter.delivery_id = delivery.delivery_id
    LEFT JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    LEFT JOIN registered_letters registered ON registered.delivery_id = delivery.delivery_id
"""
"""What `OUTCOME` looks at beside a `delivery`."""

UNREACHABLE = "('invalid_recipient', 'no_recipient', 'dead_address')"
"""Why there was no way to write to a reader; one who does not want to be written to is not among them."""
NO_WAY = f"skip.reason IN {UNREACHABLE} AND coalesce(skip.slot, 'written') = 'written' AND skip.patron_id <> ''"
"""A `skip` that says so."""

_READERS = text(f"""
    SELECT stage, count(*) FILTER (WHERE told) AS told, count(*) FILTER (WHERE lost AND NOT told AND NOT hoped) AS lost
    FROM (
        SELECT stage, patron_id, bool_or(outcome = 'told') AS told, bool_or(outcome IN ('failed', 'no_way')) AS lost,
               bool_or(outcome IN ('in_doubt', 'waiting', 'to_come', 'redirected')) AS hoped
        FROM (
            SELECT delivery.stage, notice.patron_id,
                   CASE WHEN delivery.state = 'planned' THEN 'to_come' ELSE {OUTCOME} END AS outcome
            FROM deliveries delivery JOIN notices notice USING (notice_id) {OF_LETTERS}
            WHERE delivery.run_id = ANY(CAST(:runs AS bigint[]))
            UNION ALL
            SELECT run.stage, skip.patron_id, 'no_way' FROM runs run JOIN skips skip USING (run_id)
            WHERE skip.run_id = ANY(CAST(:runs AS bigint[])) AND {NO_WAY}
        ) AS message GROUP BY stage, patron_id
    ) AS reader GROUP BY stage
""")  # noqa: S608 - the pieces are this module's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How many readers were told, and how many were not reached."""

    told: int = 0
    not_reached: int = 0


def readers_reached(connection: Connection, runs: Sequence[int]) -> Mapping[str, Reached]:
    """The readers of these runs together, by stage: each counts once, whatever the number of his messages."""
    rows = connection.execute(_READERS, {"runs": list(runs)})
    return {row.stage: Reached(told=row.told, not_reached=row.lost) for row in rows}


MOST_DAYS_BACK = 30
"""For how many days after its day a notice that is no stage may still be told (`days_back`)."""
SAYS_IT_AGAIN = (
    f"(later.due_date = {{day}} OR run.stage NOT IN ({STAGES_OF_LOANS})"
    f" AND later.due_date BETWEEN {{day}} AND {{day}} + {MOST_DAYS_BACK})"
)
"""In SQL, whether the run `later` read again what the run `run` of the same stage read; `day` is the day of that one.

A stage reads a day's loans in the runs of that day alone, another notice a day's requests in those of some days after.
"""
