"""Keep what loans count for that are being removed, so that their runs and months can still be counted anew.

Each counter's own query is asked about these loans alone, just before they go, and what it says is added to a table
beside the counters. What a removal changes for those who stay, when of several loans of a reader the last one remains,
is asked afterwards and taken off. So the sums are the same before and after, and a later change of what stays counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.ledger.removal.kept_books import keep_books
from loan_reminders.ledger.statistics import effect
from loan_reminders.ledger.statistics.cost_counting import LETTERS, SPARED
from loan_reminders.ledger.statistics.counting import MESSAGES, NOT_REACHED, RETURNS, SMS_PAID
from loan_reminders.ledger.statistics.loan_ends import OVERDUE
from loan_reminders.ledger.statistics.recounts import drop_nothings, keep
from loan_reminders.ledger.tables.effect import effect_overdues, effect_returns
from loan_reminders.ledger.tables.statistics import (
    letter_counters,
    message_counters,
    overdue_counters,
    return_counters,
    spared_counters,
)

_ASKED = "unnest(CAST(:loan_ids AS text[]), CAST(:due_dates AS date[])) AS asked(loan_id, due_date)"
_READERS = "unnest(CAST(:patrons AS text[]), CAST(:days AS date[])) AS asked(patron_id, due_date)"
_OF_ASKED = f"(claim.loan_id, claim.due_date) IN (SELECT loan_id, due_date FROM {_ASKED})"  # noqa: S608 - our own piece
# A message that names other loans besides stays, and counts as before.
_GOING = text(f"""
    SELECT one.delivery_id FROM unnest(CAST(:deliveries AS uuid[])) AS one(delivery_id)
    WHERE NOT EXISTS (
        SELECT FROM delivery_loans claim WHERE claim.delivery_id = one.delivery_id AND NOT {_OF_ASKED} OFFSET 0
    )
""")  # noqa: S608 - the piece is this module's own
_HOLD = text("""
    SELECT delivery_id FROM deliveries WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))
    ORDER BY delivery_id FOR UPDATE
""")
# The branch and category of a message are those of its first loan, also when that one is gone.
_KEEP_FIRST = text(f"""
    UPDATE notices notice SET branch = coalesce(seen.record ->> 'branch', ''),
                              category = coalesce(seen.record -> 'patron' ->> 'category', 'other')
    FROM loans_seen seen
    WHERE notice.notice_id IN (
        SELECT notice_id FROM deliveries WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))
    ) AND notice.branch IS NULL AND cardinality(notice.loan_ids) > 1
      AND (notice.loan_ids[1], notice.due_date) IN (SELECT loan_id, due_date FROM {_ASKED})
      AND seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1] AND seen.due_date = notice.due_date
""")  # noqa: S608 - the piece is this module's own
_SEEN = text(f"""
    SELECT DISTINCT seen.patron_id, seen.due_date FROM {_ASKED} CROSS JOIN LATERAL (
        SELECT patron_id, due_date FROM loans_seen
        WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date OFFSET 0
    ) AS seen
""")  # noqa: S608 - the piece is this module's own
_GOES = "delivery.delivery_id = ANY(CAST(:going AS uuid[])) AND NOT run.dry_run"
_OF_SKIPS = f"""skip.skip_id = ANY(ARRAY(
    SELECT found.skip_id FROM {_READERS} CROSS JOIN LATERAL (
        SELECT skip_id FROM skips
        WHERE library = :library AND patron_id = asked.patron_id AND due_date = asked.due_date OFFSET 0
    ) AS found
)) AND NOT run.dry_run"""  # noqa: S608 - the piece is this module's own
_OF_NOTICES = f"""notice.notice_id = ANY(ARRAY(
    SELECT found.notice_id FROM {_READERS} CROSS JOIN LATERAL (
        SELECT notice_id FROM notices
        WHERE library = :library AND patron_id = asked.patron_id AND due_date = asked.due_date OFFSET 0
    ) AS found
)) AND NOT run.dry_run"""  # noqa: S608 - the piece is this module's own
_ENDS = f"""{_ASKED} CROSS JOIN LATERAL (
    SELECT * FROM loan_ends
    WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date AND is_loan OFFSET 0
) AS known"""  # noqa: S608 - the piece is this module's own
_OF_CLAIMS = f"delivery.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND {_OF_ASKED} AND NOT run.dry_run"
_TOLD = effect.MESSAGES.format(which=f"delivery.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND {_OF_ASKED}")
# Each of these goes with the loan or with the message.
_OF_THEMSELVES = (
    keep(message_counters, MESSAGES.format(of_messages=_GOES, more=SMS_PAID), "sms"),
    keep(return_counters, RETURNS.format(of_claims=_OF_CLAIMS)),
    keep(letter_counters, LETTERS.format(of_messages=_GOES)),
    keep(
        effect_overdues,
        effect.OVERDUES.format(
            loans="SELECT known.loan_id, known.due_date, known.category, known.open_on AS open_until, known.ended_on"  # noqa: S608 - as above
            f" FROM {_ENDS}"
        ),
    ),
    keep(
        effect_returns,
        effect.RETURNS.format(
            messages=f"{_TOLD} JOIN runs run ON run.run_id = one.run_id",
            skips=f"runs run JOIN skips skip ON skip.run_id = run.run_id AND skip.reason = 'control_group'"
            f" AND {_OF_SKIPS}",
        ),
    ),
)
# Read on the days of looks since the first of these loans was due.
_OF_DAYS = keep(
    overdue_counters,
    OVERDUE.format(followed=f"SELECT known.branch, known.category, known.due_date, known.ended_on FROM {_ENDS}"),  # noqa: S608 - as above
)
# A reader counts once, whatever the number of his loans of a day: of several, those that stay may go on counting him.
_OF_READERS = (
    keep(message_counters, NOT_REACHED.format(of_skips=_OF_SKIPS)),
    keep(spared_counters, SPARED.format(of_skips=_OF_SKIPS, of_notices=_OF_NOTICES)),
)
_NOTHINGS = (drop_nothings(message_counters), drop_nothings(spared_counters))
_RUNS_OF_READERS = text(f"""
    SELECT DISTINCT found.run_id FROM {_READERS} CROSS JOIN LATERAL (
        SELECT run_id FROM skips
        WHERE library = :library AND patron_id = asked.patron_id AND due_date = asked.due_date OFFSET 0
    ) AS found
""")  # noqa: S608 - the piece is this module's own
# Taken last, as by whoever counts: a count at the same moment sees all of this removal, or nothing of it.
_HOLD_COUNTED = text("""
    SELECT run_id FROM counted_runs WHERE run_id = ANY(CAST(:runs AS bigint[])) ORDER BY run_id FOR UPDATE
""")


@contextmanager
def kept_counts(
    connection: Connection, library: str, cycles: Mapping[str, Any], deliveries: Sequence[object], runs: Sequence[int]
) -> Iterator[None]:
    """Keep what these cycles count for, which the block removes, in its transaction.

    Args:
        connection: That of the removal.
        library: Whose ledger it is.
        cycles: `loan_ids` and `due_dates`, held by the caller.
        deliveries: All messages that name one of them.
        runs: All runs that saw one of them, or sent such a message.
    """
    asked: dict[str, Any] = {
        **cycles, "library": library, "deliveries": list(deliveries), "since": date.min, "sign": 1,
    }  # fmt: skip
    connection.execute(_HOLD, asked)
    readers = connection.execute(_SEEN, asked).all()
    asked |= {
        "going": list(connection.execute(_GOING, asked).scalars()),
        "patrons": [row.patron_id for row in readers],
        "days": [row.due_date for row in readers],
    }
    asked["runs"] = sorted({*runs, *connection.execute(_RUNS_OF_READERS, asked).scalars()})
    connection.execute(_KEEP_FIRST, asked)
    for statement in (*_OF_THEMSELVES, *_OF_READERS):
        connection.execute(statement, asked)
    connection.execute(_OF_DAYS, {**asked, "since": min(cycles["due_dates"])})
    keep_books(connection, asked)
    yield
    for statement in _OF_READERS:
        connection.execute(statement, {**asked, "sign": -1})
    for statement in _NOTHINGS:
        connection.execute(statement, asked)
    connection.execute(_HOLD_COUNTED, asked)
