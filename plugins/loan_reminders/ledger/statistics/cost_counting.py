"""The counters that costs are worked out of: letters by their length, and SMS that did not leave.

They are counted with the others of a run, by the same transaction. A letter counts once its batch is printed, and its
postage once it is posted: a plain letter with its print, a registered one when a librarian says so. Those of a trial
are never posted, and count nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from loan_reminders.ledger.statistics.reached import SAYS_IT_AGAIN
from loan_reminders.ledger.statistics.recounts import recount
from loan_reminders.ledger.tables.statistics import letter_counters, spared_counters

_QUARTER = "date_bin('15 minutes', {moment}, timestamptz '2000-01-01 00:00Z')"
_MOMENT = _QUARTER.format(moment="coalesce(delivery.claimed_at, delivery.answered_at, run.started_at)")
_STARTED = _QUARTER.format(moment="run.started_at")

_WHY = "('opted_out', 'dead_number')"
_OF_AN_SMS = "({skip}.slot = 'sms' OR {skip}.slot IS NULL AND strpos({skip}.detail, 'sms') > 0)"

_FORGET_LETTERS = text("DELETE FROM letter_counters WHERE run_id = ANY(CAST(:runs AS bigint[]))")
_FORGET_SPARED = text("DELETE FROM spared_counters WHERE run_id = ANY(CAST(:runs AS bigint[]))")
LETTERS = f"""
    SELECT delivery.library, delivery.run_id, {_MOMENT}, delivery.stage, delivery.channel,
           letter.last_page - letter.first_page + 1, count(*),
           count(*) FILTER (WHERE delivery.channel = 'letter' OR registered.posted_on IS NOT NULL)
    FROM runs run
    JOIN deliveries delivery ON delivery.run_id = run.run_id AND delivery.channel IN ('letter', 'registered_letter')
    JOIN letters letter ON letter.delivery_id = delivery.delivery_id AND letter.left_out IS NULL
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id AND batch.state = 'printed'
    LEFT JOIN registered_letters registered ON registered.delivery_id = delivery.delivery_id
    WHERE {{of_messages}} AND NOT delivery.redirected
    GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - the pieces are this module's own
# A reader and due date count once, in the last run of the stage that says so: one SMS would have told of all his loans.
SPARED = f"""
    SELECT library, run_id, {_STARTED}, stage, reason, count(*)
    FROM (
        SELECT run.library, run.run_id, run.started_at, run.stage, run.due_date AS day, skip.due_date, skip.patron_id,
               skip.reason
        FROM runs run JOIN skips skip ON skip.run_id = run.run_id
        WHERE {{of_skips}} AND skip.reason IN {_WHY} AND {_OF_AN_SMS.format(skip="skip")}
        UNION
        SELECT run.library, run.run_id, run.started_at, run.stage, run.due_date, notice.due_date, notice.patron_id,
               delivery.reason
        FROM runs run JOIN deliveries delivery ON delivery.run_id = run.run_id
        JOIN notices notice ON notice.notice_id = delivery.notice_id
        WHERE {{of_notices}} AND delivery.channel = 'sms' AND delivery.state = 'cancelled' AND delivery.reason IN {_WHY}
    ) AS run
    WHERE NOT EXISTS (
        SELECT FROM runs later JOIN skips again ON again.run_id = later.run_id
        WHERE later.library = run.library AND later.stage = run.stage AND {SAYS_IT_AGAIN.format(day="run.day")}
          AND later.run_id > run.run_id AND NOT later.dry_run AND again.library = run.library
          AND again.patron_id = run.patron_id
          AND again.due_date = run.due_date AND again.reason IN {_WHY} AND {_OF_AN_SMS.format(skip="again")} OFFSET 0
    )
    GROUP BY library, run_id, started_at, stage, reason
"""  # noqa: S608 - the pieces are this module's own
_REMOVED_OF_RUNS = "run_id = ANY(CAST(:runs AS bigint[]))"
_OF_RUNS = "run.run_id = ANY(CAST(:runs AS bigint[]))"
_STATEMENTS = (
    _FORGET_LETTERS,
    _FORGET_SPARED,
    recount(letter_counters, LETTERS.format(of_messages=_OF_RUNS), of=_REMOVED_OF_RUNS),
    recount(spared_counters, SPARED.format(of_skips=_OF_RUNS, of_notices=_OF_RUNS), of=_REMOVED_OF_RUNS),
)


def count_costs(connection: Connection, runs: Sequence[int]) -> None:
    """Count anew the letters of these runs, and the SMS that did not leave."""
    for statement in _STATEMENTS:
        connection.execute(statement, {"runs": list(runs)})
