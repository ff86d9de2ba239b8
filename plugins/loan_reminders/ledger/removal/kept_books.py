"""What removed loans and messages count for in the books of their runs: as what they were, so that the rest is seen.

What can never be done any more counts as done with: a message that waited is cancelled, one that was being sent is in
doubt, a loan that was in no notice and not skipped is skipped as what ended it. So a run that is red for such a one can
be closed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.ledger.runs.taking_over import NOT_ARRIVED

_ASKED = "unnest(CAST(:loan_ids AS text[]), CAST(:due_dates AS date[])) AS asked(loan_id, due_date)"
_ADD = """
    INSERT INTO removed_books AS kept (library, run_id, measure, kind, number)
    SELECT :library, run_id, measure, kind, sum(number) FROM ({counts}) AS counted
    GROUP BY run_id, measure, kind HAVING sum(number) <> 0
    ON CONFLICT (run_id, measure, kind) DO UPDATE SET number = kept.number + excluded.number
"""
_LOANS = text(_ADD.format(counts=f"""
    WITH claims AS (
        SELECT claim.loan_id, claim.due_date, delivery.run_id, notice.run_id AS noticed_in, notice.stage
        FROM delivery_loans claim JOIN deliveries delivery USING (delivery_id) JOIN notices notice USING (notice_id)
        WHERE claim.delivery_id = ANY(CAST(:deliveries AS uuid[]))
          AND (claim.loan_id, claim.due_date) IN (SELECT loan_id, due_date FROM {_ASKED})
    ), seen AS (
        SELECT found.run_id, asked.loan_id, asked.due_date, ended.how,
               (found.run_id, asked.loan_id, asked.due_date) IN (
                   SELECT run_id, loan_id, due_date FROM claims UNION SELECT noticed_in, loan_id, due_date FROM claims
               ) AS in_notice,
               (run.stage, asked.loan_id, asked.due_date) IN (
                   SELECT stage, loan_id, due_date FROM claims WHERE run_id <> noticed_in
               ) AS passed_on
        FROM {_ASKED} CROSS JOIN LATERAL (
            SELECT run_id FROM loans_seen
            WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date OFFSET 0
        ) AS found
        JOIN runs run ON run.run_id = found.run_id AND run.loans_extracted IS NOT NULL
        LEFT JOIN loan_ends ended
          ON ended.library = :library AND ended.loan_id = asked.loan_id AND ended.due_date = asked.due_date
    ), left_out AS (
        SELECT seen.run_id, seen.loan_id, seen.due_date, skip.slot, skip.reason
        FROM seen CROSS JOIN LATERAL (
            SELECT slot, reason FROM skips
            WHERE run_id = seen.run_id AND loan_id = seen.loan_id
              AND (due_date = seen.due_date OR due_date IS NULL) OFFSET 0
        ) AS skip
    ), explained AS (
        SELECT seen.*, (run_id, loan_id, due_date) IN (
            SELECT run_id, loan_id, due_date FROM left_out WHERE slot IS NULL AND reason <> 'duplicate_row'
        ) AS skipped
        FROM seen
    )
    SELECT run_id, 'skipped' AS measure, reason AS kind, 1 AS number FROM left_out WHERE slot IS NULL
    UNION ALL
    SELECT left_out.run_id, 'slots_skipped', left_out.reason, 1 FROM left_out
    WHERE slot IS NOT NULL
      AND (run_id, loan_id, due_date) NOT IN (SELECT run_id, loan_id, due_date FROM left_out WHERE slot IS NULL)
    UNION ALL
    SELECT run_id, 'loans_in_notices', '', 1 FROM explained WHERE in_notice OR passed_on AND NOT skipped
    UNION ALL
    SELECT run_id, 'skipped', CASE WHEN how IN ('returned', 'renewed') THEN how ELSE 'expired' END, 1
    FROM explained WHERE NOT in_notice AND NOT passed_on AND NOT skipped
"""))  # noqa: S608 - the pieces are this module's own  # fmt: skip
_MESSAGES = text(_ADD.format(counts=f"""
    WITH gone AS (
        SELECT delivery.*, notice.patron_id, notice.due_date
        FROM deliveries delivery JOIN notices notice USING (notice_id)
        WHERE delivery.delivery_id = ANY(CAST(:going AS uuid[]))
    )
    SELECT run_id, 'deliveries' AS measure, channel || ' ' || CASE state
               WHEN 'planned' THEN 'cancelled' WHEN 'claimed' THEN 'in_doubt' ELSE state
           END AS kind, CAST(1 AS numeric) AS number
    FROM gone
    UNION ALL
    SELECT run_id, 'segments', '', segments FROM gone
    WHERE channel = 'sms' AND state IN ('accepted', 'delivered', 'bounced')
    UNION ALL
    SELECT run_id, 'cost', '', cost FROM gone WHERE channel = 'sms' AND state IN ('accepted', 'delivered', 'bounced')
    UNION ALL
    SELECT run_id, 'unpriced', '', segments FROM gone
    WHERE channel = 'sms' AND state IN ('accepted', 'delivered', 'bounced') AND cost = 0
    UNION ALL
    SELECT run_id, 'redirected', '', 1 FROM gone WHERE redirected AND state IN ('accepted', 'delivered')
    UNION ALL
    SELECT DISTINCT ON (run_id, patron_id, due_date) run_id, 'notices', '', 1 FROM gone
    WHERE NOT EXISTS (
        SELECT FROM notices notice JOIN deliveries delivery USING (notice_id)
        WHERE notice.library = :library AND notice.patron_id = gone.patron_id AND notice.due_date = gone.due_date
          AND delivery.run_id = gone.run_id AND delivery.delivery_id <> ALL(CAST(:going AS uuid[]))
    )
    UNION ALL
    SELECT gone.run_id, 'taken_over_by_letter', '', 1 FROM gone
    WHERE gone.channel = 'letter' AND EXISTS (
        SELECT FROM delivery_loans found
        JOIN delivery_loans tried ON tried.library = found.library AND tried.loan_id = found.loan_id
         AND tried.due_date = found.due_date AND tried.stage = found.stage AND NOT tried.live
        JOIN deliveries delivery ON delivery.delivery_id = tried.delivery_id
        WHERE found.delivery_id = gone.delivery_id AND {NOT_ARRIVED}
    )
"""))  # noqa: S608 - the pieces are this module's own  # fmt: skip
_ROWS = text(
    _ADD.format(
        counts="""
    SELECT run_id, CASE WHEN slot IS NULL THEN 'skipped' ELSE 'slots_skipped' END AS measure, reason AS kind,
           1 AS number
    FROM unnest(CAST(:runs AS bigint[]), CAST(:slots AS text[]), CAST(:reasons AS text[]))
        AS gone(run_id, slot, reason)
"""
    )
)


def keep_books(connection: Connection, asked: Mapping[str, Any]) -> None:
    """Keep what cycles that are about to be removed, and the messages that go with them, count for in books.

    `asked` has the cycles (`loan_ids`, `due_dates`), all messages that name one (`deliveries`), and those of them that
    name no other (`going`).
    """
    connection.execute(_LOANS, asked)
    connection.execute(_MESSAGES, asked)


def keep_rows(connection: Connection, library: str, removed: Iterable[Any]) -> None:
    """Keep what removed rows of `skips` count for in books: each has its `run_id`, `slot` and `reason`."""
    lines = list(removed)
    if lines:
        of_rows = {name: [getattr(row, one) for row in lines] for name, one in _COLUMNS.items()}
        connection.execute(_ROWS, {"library": library, **of_rows})


_COLUMNS = {"runs": "run_id", "slots": "slot", "reasons": "reason"}
