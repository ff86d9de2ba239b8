"""Until when loans were open, as runs saw it; and how many were overdue on the days of looks.

`open_on` only grows; a loan that a later run sees again after its end is open again.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import Stage
from loan_reminders.domain.statistics.loan_ends import LONG_OVERDUE_DAYS
from loan_reminders.ledger.statistics.recounts import recount
from loan_reminders.ledger.tables.statistics import overdue_counters

_SEEN = text("""
    INSERT INTO loan_ends AS known (library, loan_id, due_date, branch, category, open_on, is_loan)
    SELECT run.library, seen.loan_id, seen.due_date, coalesce(seen.record ->> 'branch', ''),
           coalesce(seen.record -> 'patron' ->> 'category', 'other'), run.today,
           run.stage = ANY(CAST(:stages AS text[]))
    FROM runs run JOIN loans_seen seen USING (run_id)
    WHERE run.library = :library AND run.run_id = :run_id AND NOT run.dry_run
    ORDER BY seen.loan_id, seen.due_date
    ON CONFLICT (library, loan_id, due_date) DO UPDATE SET
        open_on = excluded.open_on,
        ended_on = CASE WHEN known.ended_on >= excluded.open_on THEN known.ended_on END,
        how = CASE WHEN known.ended_on >= excluded.open_on THEN known.how END
    WHERE known.open_on < excluded.open_on
""")
# What the ILS said just before sending. Where it was asked about all loans since, that answer is the better one.
_GONE = text("""
    UPDATE loan_ends ended SET ended_on = gone.today, how = gone.how
    FROM (
        SELECT claim.library, claim.loan_id, claim.due_date, run.today,
               min(coalesce(claim.dropped, delivery.reason)) AS how
        FROM runs run JOIN deliveries delivery USING (run_id) JOIN delivery_loans claim USING (delivery_id)
        WHERE run.library = :library AND run.run_id = :run_id AND NOT run.dry_run
          AND (claim.dropped IN ('returned', 'renewed')
               OR claim.dropped IS NULL AND delivery.state = 'cancelled'
                  AND delivery.reason IN ('returned', 'renewed'))
          AND NOT EXISTS (SELECT FROM loan_looks look WHERE look.library = run.library AND look.day >= run.today)
        GROUP BY claim.library, claim.loan_id, claim.due_date, run.today
    ) AS gone
    WHERE ended.library = gone.library AND ended.loan_id = gone.loan_id AND ended.due_date = gone.due_date
      AND ended.ended_on IS NULL AND ended.open_on <= gone.today
""")
# The end of a loan is the first day on which it is overdue no more.
_REMOVED_UNTIL = text("SELECT ended_until FROM retention_state WHERE library = :library")
_FORGET_OVERDUE = text("DELETE FROM overdue_counters WHERE library = :library AND day >= :since")
# Each loan is overdue from the day after its due date until the day it ended: one more, then one less. The days of
# looks are where these sums are read.
OVERDUE = f"""
    WITH followed AS ({{followed}}), steps AS (
        SELECT branch, category, greatest(due_date + 1, :since) AS day, 1 AS overdue, 0 AS long_overdue
        FROM followed WHERE ended_on IS NULL OR ended_on > due_date + 1
        UNION ALL
        SELECT branch, category, ended_on, -1, 0 FROM followed WHERE ended_on > due_date + 1
        UNION ALL
        SELECT branch, category, greatest(due_date + {LONG_OVERDUE_DAYS}, :since), 0, 1
        FROM followed WHERE ended_on IS NULL OR ended_on > due_date + {LONG_OVERDUE_DAYS}
        UNION ALL
        SELECT branch, category, ended_on, 0, -1 FROM followed WHERE ended_on > due_date + {LONG_OVERDUE_DAYS}
        UNION ALL
        SELECT shelf.branch, shelf.category, look.day, 0, 0
        FROM loan_looks look CROSS JOIN (SELECT DISTINCT branch, category FROM followed) AS shelf
        WHERE look.library = :library AND look.day >= :since
    ), sums AS (
        SELECT branch, category, day, sum(sum(overdue)) OVER so_far AS overdue,
               sum(sum(long_overdue)) OVER so_far AS long_overdue
        FROM steps GROUP BY branch, category, day
        WINDOW so_far AS (PARTITION BY branch, category ORDER BY day)
    )
    SELECT look.library, look.day, sums.branch, sums.category, sums.overdue, sums.long_overdue
    FROM sums JOIN loan_looks look ON look.library = :library AND look.day = sums.day
    WHERE sums.overdue > 0
"""  # noqa: S608 - the number is this project's own
_FOLLOWED = """
    SELECT branch, category, due_date, ended_on FROM loan_ends
    WHERE library = :library AND ended_on IS NULL AND is_loan
    UNION ALL
    SELECT branch, category, due_date, ended_on FROM loan_ends
    WHERE library = :library AND ended_on > :since AND is_loan
"""
_COUNT_OVERDUE = recount(
    overdue_counters, OVERDUE.format(followed=_FOLLOWED), of="library = :library AND day >= :since"
)


def learn_from_run(connection: Connection, library: str, run_id: int) -> None:
    """Keep what a run says of loans: open on its day; returned or renewed where it found them so before sending."""
    asked = {"library": library, "run_id": run_id}
    connection.execute(_SEEN, {**asked, "stages": [stage.value for stage in Stage]})
    connection.execute(_GONE, asked)


def count_overdue(connection: Connection, library: str, since: date) -> None:
    """Count the overdue loans anew on the day of each look from a day on.

    Days on which a loan was open that was removed before its days were kept stay as they were counted then.
    """
    removed = connection.execute(_REMOVED_UNTIL, {"library": library}).scalar()
    asked = {"library": library, "since": since if removed is None else max(since, removed)}
    connection.execute(_FORGET_OVERDUE, asked)
    connection.execute(_COUNT_OVERDUE, asked)
