"""The counters of runs: what became of their messages, and of the loans that these told of.

A run is counted anew as a whole: by whoever closes it, and by whoever learns afterwards what became of its messages
(receipts, bounces, letters printed, posted or returned), as the last thing of the same transaction. A row of
`counted_runs` lets one transaction at a time count a run, and the next one then sees what the first one knew: no count
is lost. Senders count nothing and wait for nobody. What removed loans counted for is added (`recounts`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.ledger.statistics.cost_counting import count_costs
from loan_reminders.ledger.statistics.loan_ends import learn_from_run
from loan_reminders.ledger.statistics.reached import (
    MOST_DAYS_BACK,
    OF_LETTERS,
    OUTCOME,
    SAYS_IT_AGAIN,
    UNREACHABLE,
)
from loan_reminders.ledger.statistics.recounts import recount
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS
from loan_reminders.ledger.tables.sms import PAID
from loan_reminders.ledger.tables.statistics import message_counters, return_counters

_QUARTER = "date_bin('15 minutes', {moment}, timestamptz '2000-01-01 00:00Z')"
_MOMENT = _QUARTER.format(moment="coalesce(delivery.claimed_at, delivery.answered_at, run.started_at)")
_STARTED = _QUARTER.format(moment="run.started_at")
_IS_PAID = f"delivery.channel = 'sms' AND delivery.state IN {PAID} AND delivery.claimed_at IS NOT NULL"

_TAKE = text("""
    INSERT INTO counted_runs (run_id, library)
    SELECT run_id, library FROM runs
    WHERE library = :library AND run_id = ANY(CAST(:runs AS bigint[])) AND NOT dry_run
    ORDER BY run_id
    ON CONFLICT (run_id) DO UPDATE SET at = now() WHERE NOT counted_runs.frozen
    RETURNING run_id
""")
_IS_FROZEN = text("SELECT frozen FROM counted_runs WHERE run_id = :run_id")
_FORGET_MESSAGES = text("DELETE FROM message_counters WHERE run_id = ANY(CAST(:runs AS bigint[]))")
_FORGET_RETURNS = text("DELETE FROM return_counters WHERE run_id = ANY(CAST(:runs AS bigint[]))")
# The branch and the category are those of the message's first loan. A message sent once more costs, and tells nobody
# a second time; one that was redirected costs, and tells nobody.
MESSAGES = f"""
    SELECT library, run_id, moment, stage, channel, branch, category,
           count(*) FILTER (WHERE outcome = 'told'), 0, count(*) FILTER (WHERE outcome = 'failed'),
           count(*) FILTER (WHERE outcome = 'in_doubt'), count(*) FILTER (WHERE outcome = 'waiting'),
           coalesce(sum(segments) FILTER (WHERE paid), 0), coalesce(sum(cost) FILTER (WHERE paid), 0),
           coalesce(sum(segments) FILTER (WHERE paid AND cost = 0), 0){{more}}
    FROM (
        SELECT delivery.library, delivery.run_id, {_MOMENT} AS moment, delivery.stage, delivery.channel,
               coalesce(notice.branch, reader.branch, '') AS branch,
               coalesce(notice.category, reader.category, 'other') AS category,
               CASE WHEN run.kind = 'resend' THEN 'again' ELSE {OUTCOME} END AS outcome,
               delivery.segments, delivery.cost, {_IS_PAID} AS paid
        FROM runs run
        JOIN deliveries delivery ON delivery.run_id = run.run_id
        JOIN notices notice ON notice.notice_id = delivery.notice_id
        LEFT JOIN LATERAL (
            SELECT seen.record ->> 'branch' AS branch, seen.record -> 'patron' ->> 'category' AS category
            FROM loans_seen seen
            WHERE seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1] AND seen.due_date = notice.due_date
        ) AS reader ON true
        {OF_LETTERS}
        WHERE {{of_messages}}
    ) AS message
    WHERE outcome NOT IN ('never_left', 'again', 'redirected') OR paid
    GROUP BY library, run_id, moment, stage, channel, branch, category
"""  # noqa: S608 - the pieces are this module's own
SMS_PAID = ", count(*) FILTER (WHERE paid)"
"""One more column of `MESSAGES`, of which removed messages keep the sum: the SMS that are paid for."""
# Once a reader and due date, in the last run of the stage that did not reach him; not when a later one did.
NOT_REACHED = f"""
    SELECT library, run_id, {_STARTED}, stage, '', branch, category, 0, count(*), 0, 0, 0, 0, 0, 0
    FROM (
        SELECT DISTINCT ON (run.run_id, skip.patron_id, skip.due_date)
               run.library, run.run_id, run.started_at, run.stage,
               coalesce(seen.record ->> 'branch', '') AS branch,
               coalesce(seen.record -> 'patron' ->> 'category', 'other') AS category
        FROM runs run JOIN skips skip ON skip.run_id = run.run_id
        LEFT JOIN loans_seen seen
          ON seen.run_id = skip.run_id AND seen.loan_id = skip.loan_id AND seen.due_date = skip.due_date
        WHERE {{of_skips}}
          AND skip.reason IN {UNREACHABLE} AND coalesce(skip.slot, 'written') = 'written'
          AND NOT EXISTS (
              SELECT FROM notices notice JOIN runs reaching ON reaching.run_id = notice.run_id
              WHERE notice.library = run.library AND notice.patron_id = skip.patron_id
                AND notice.due_date = skip.due_date AND notice.stage = run.stage AND notice.run_id >= run.run_id
                AND NOT reaching.dry_run
          )
          AND NOT EXISTS (
              SELECT FROM runs later JOIN skips again ON again.run_id = later.run_id
              WHERE later.library = run.library AND later.stage = run.stage
                AND {SAYS_IT_AGAIN.format(day="run.due_date")}
                AND later.run_id > run.run_id AND NOT later.dry_run AND again.patron_id = skip.patron_id
                AND again.due_date = skip.due_date AND again.reason IN {UNREACHABLE}
                AND coalesce(again.slot, 'written') = 'written'
          )
        ORDER BY run.run_id, skip.patron_id, skip.due_date, skip.loan_id
    ) AS run
    GROUP BY library, run_id, started_at, stage, branch, category
"""  # noqa: S608 - the pieces are this module's own
# An end is known within some days when the loan was found ended by then, or found open afterwards.
_ENDED_WITHIN = "ended.ended_on <= run.today + {days}"
_KNOWN = f"count(*) FILTER (WHERE ({_ENDED_WITHIN}) IS TRUE OR ended.open_on >= run.today + {{days}})"
_ENDED = f"count(*) FILTER (WHERE {_ENDED_WITHIN} AND ended.how = '{{how}}')"
# OFFSET 0: the end of each loan is looked up by its key. Of a new ledger PostgreSQL knows no sizes yet; left to choose,
# it compares each loan told of with every loan of the library.
RETURNS = f"""
    SELECT run.library, run.run_id, run.today, run.stage, told.channel, ended.branch, ended.category, count(*),
           {_KNOWN.format(days=1)}, {_KNOWN.format(days=3)}, {_KNOWN.format(days=7)},
           {_ENDED.format(days=1, how="returned")}, {_ENDED.format(days=3, how="returned")},
           {_ENDED.format(days=7, how="returned")}, {_ENDED.format(days=7, how="renewed")}
    FROM (
        SELECT delivery.run_id, claim.loan_id, claim.due_date, max(delivery.channel) AS channel
        FROM runs run
        JOIN deliveries delivery ON delivery.run_id = run.run_id
        JOIN delivery_loans claim ON claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL
        {OF_LETTERS}
        WHERE {{of_claims}} AND run.kind = 'daily' AND {OUTCOME} = 'told'
        GROUP BY delivery.run_id, claim.loan_id, claim.due_date
    ) AS told
    JOIN runs run ON run.run_id = told.run_id
    JOIN LATERAL (
        SELECT * FROM loan_ends
        WHERE loan_ends.library = run.library AND loan_ends.loan_id = told.loan_id
          AND loan_ends.due_date = told.due_date AND loan_ends.is_loan
        OFFSET 0
    ) AS ended ON true
    GROUP BY run.library, run.run_id, run.today, run.stage, told.channel, ended.branch, ended.category
"""  # noqa: S608 - the pieces are this module's own
_OF_RUNS = "run.run_id = ANY(CAST(:runs AS bigint[]))"
_REMOVED_OF_RUNS = "run_id = ANY(CAST(:runs AS bigint[]))"
_COUNT_MESSAGES = recount(
    message_counters,
    MESSAGES.format(of_messages=_OF_RUNS, more=""),
    NOT_REACHED.format(of_skips=_OF_RUNS),
    of=_REMOVED_OF_RUNS,
)
_COUNT_RETURNS = recount(return_counters, RETURNS.format(of_claims=_OF_RUNS), of=_REMOVED_OF_RUNS)
_RUNS_OF = text("""
    SELECT DISTINCT run_id FROM deliveries WHERE library = :library AND delivery_id = ANY(CAST(:deliveries AS uuid[]))
""")
_RUNS_OF_BATCH = text("""
    SELECT DISTINCT delivery.run_id FROM letters letter JOIN deliveries delivery USING (delivery_id)
    WHERE letter.library = :library AND letter.batch_id = :batch_id
""")
_SAME_DAY = text(f"""
    SELECT earlier.run_id FROM runs run JOIN runs earlier ON earlier.library = run.library AND earlier.stage = run.stage
    WHERE run.library = :library AND run.run_id = :run_id AND earlier.run_id < run.run_id AND NOT earlier.dry_run
      AND NOT run.dry_run
      AND (earlier.due_date = run.due_date OR run.stage NOT IN ({STAGES_OF_LOANS})
           AND earlier.due_date BETWEEN run.due_date - {MOST_DAYS_BACK} AND run.due_date)
""")  # noqa: S608 - the list is a module's own
_NOT_COUNTED = text("""
    SELECT run.run_id FROM runs run LEFT JOIN counted_runs counted ON counted.run_id = run.run_id
    WHERE run.library = :library AND counted.run_id IS NULL AND NOT run.dry_run AND run.loans_extracted IS NOT NULL
      AND (run.closed_at IS NOT NULL OR run.started_at < now() - interval '1 day')
    ORDER BY run.run_id
""")
_ALL = text("SELECT run_id FROM runs WHERE library = :library AND NOT dry_run ORDER BY run_id")
_SINCE = text("SELECT run_id FROM runs WHERE library = :library AND NOT dry_run AND today >= :since ORDER BY run_id")


def count_again(connection: Connection, library: str, runs: Iterable[int]) -> int:
    """Count runs anew, in the caller's transaction and as the last thing it does; returns how many there are.

    Dry runs are never counted, and a run of which loans were removed before that was counted is not counted again.
    """
    asked = sorted(set(runs))
    if not asked:
        return 0
    taken = connection.execute(_TAKE, {"library": library, "runs": asked}).scalars().all()
    if taken:
        counted = {"runs": list(taken)}
        for statement in (_FORGET_MESSAGES, _FORGET_RETURNS, _COUNT_MESSAGES, _COUNT_RETURNS):
            connection.execute(statement, counted)
        count_costs(connection, taken)
    return len(taken)


def refuse_erased(connection: Connection, run_id: int) -> None:
    """Raise LedgerRefused when loans of a run were removed that nobody counted: it cannot be counted any more."""
    if connection.execute(_IS_FROZEN, {"run_id": run_id}).scalar():
        raise LedgerRefused(LedgerRefusal.RUN_ERASED, run_id=run_id)


def count_runs_of(connection: Connection, library: str, deliveries: Collection[uuid.UUID]) -> None:
    """Count anew the runs of deliveries whose outcome the caller's transaction changed."""
    if deliveries:
        asked = {"library": library, "deliveries": list(deliveries)}
        count_again(connection, library, connection.execute(_RUNS_OF, asked).scalars())


def count_runs_of_batch(connection: Connection, library: str, batch_id: int) -> None:
    """Count anew the runs of the letters of a batch."""
    asked = {"library": library, "batch_id": batch_id}
    count_again(connection, library, connection.execute(_RUNS_OF_BATCH, asked).scalars())


def count_closed(connection: Connection, library: str, run_id: int) -> None:
    """Count a run that is being closed, after what it says of its loans; and the earlier runs of the same day.

    A reader whom an earlier one did not reach is counted once.
    """
    learn_from_run(connection, library, run_id)
    earlier = connection.execute(_SAME_DAY, {"library": library, "run_id": run_id}).scalars()
    count_again(connection, library, [run_id, *earlier])


def not_counted(connection: Connection, library: str) -> list[int]:
    """The runs that should be in the counters and are not: those of before there were any, or never closed."""
    return list(connection.execute(_NOT_COUNTED, {"library": library}).scalars())


def all_runs(connection: Connection, library: str) -> list[int]:
    """Every run that sends, the oldest first."""
    return list(connection.execute(_ALL, {"library": library}).scalars())


def runs_since(connection: Connection, library: str, since: object) -> list[int]:
    """Every run that sends and that took place on a day or later."""
    return list(connection.execute(_SINCE, {"library": library, "since": since}).scalars())
