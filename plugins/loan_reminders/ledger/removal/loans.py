"""Remove a page of loan cycles whose time has come, with all that was said about them, in one transaction.

A cycle goes by itself; a message that names several goes with the last of them, and so does its notice. A keyed hash of
the cycle stays, and what it counts for in the figures of the runs that saw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.retention.terms import Removed, Terms
from loan_reminders.ledger.removal.batches import leave_batches
from loan_reminders.ledger.removal.choices import keep_numbers
from loan_reminders.ledger.removal.forgetting import forget_loans
from loan_reminders.ledger.removal.kept_counts import kept_counts
from loan_reminders.ledger.retention.fingerprints import keep_cycles, make_fingerprints

DISPUTED = "dispute.closed_at IS NULL AND dispute.until >= CAST(:today AS date)"
# What a run under way has read is not taken from under it; one that stands still for a month will not go on. OFFSET 0
# makes PostgreSQL look each cycle up in an index, whatever it believes of the tables.
_STAYS = f"""(
    EXISTS (
        SELECT FROM disputes dispute
        WHERE dispute.library = :library AND dispute.loan_id = ended.loan_id AND {DISPUTED} OFFSET 0
    ) OR EXISTS (
        SELECT FROM loans_seen seen
        WHERE seen.library = :library AND seen.loan_id = ended.loan_id AND seen.due_date = ended.due_date
          AND (EXISTS (
              SELECT FROM disputes dispute
              WHERE dispute.library = :library AND dispute.patron_id = seen.patron_id AND dispute.loan_id = ''
                AND {DISPUTED} OFFSET 0
          ) OR EXISTS (
              SELECT FROM runs run
              WHERE run.run_id = seen.run_id AND run.state <> 'closed'
                AND run.started_at > now() - interval '31 days' OFFSET 0
          )) OFFSET 0
    )
)"""  # noqa: S608 - the condition is this module's own
_ENDED = text(f"""
    SELECT ended.loan_id, ended.due_date, ended.ended_on AS day FROM loan_ends ended
    WHERE ended.library = :library AND ended.ended_on IS NOT NULL AND ended.ended_on <= :loans_until
      AND (ended.ended_on, ended.loan_id, ended.due_date) > (:day, :loan_id, :due_date) AND NOT {_STAYS}
    ORDER BY ended.ended_on, ended.loan_id, ended.due_date LIMIT :page
""")  # noqa: S608 - the condition is this module's own
# Of these nobody asked the ILS any more, or it did not answer: the last thing known of them is what counts.
_NEVER_ASKED = text(f"""
    SELECT ended.loan_id, ended.due_date, ended.open_on AS day FROM loan_ends ended
    WHERE ended.library = :library AND ended.ended_on IS NULL AND ended.open_on <= :loans_until
      AND (ended.loan_id, ended.due_date) > (:loan_id, :due_date) AND NOT {_STAYS}
      AND NOT EXISTS (
          SELECT FROM delivery_loans claim JOIN deliveries delivery USING (delivery_id)
          WHERE claim.library = :library AND claim.loan_id = ended.loan_id AND claim.due_date = ended.due_date
            AND claim.live AND (
                greatest(delivery.claimed_at, delivery.answered_at) >= CAST(:loans_until AS date) + 1 OR EXISTS (
                    SELECT FROM letter_events event
                    WHERE event.delivery_id = delivery.delivery_id AND event.at >= CAST(:loans_until AS date) + 1
                )
            ) OFFSET 0
      )
    ORDER BY ended.loan_id, ended.due_date LIMIT :page
""")  # noqa: S608 - the condition is this module's own
_ASKED = "unnest(CAST(:loan_ids AS text[]), CAST(:due_dates AS date[])) AS asked(loan_id, due_date)"
# In the order in which all others take them; one that a run saw again meanwhile is open, and stays.
_HOLD = text(f"""
    SELECT ended.loan_id, ended.due_date, (ended.ended_on IS NOT NULL OR NOT ended.is_loan) AS ended
    FROM loan_ends ended JOIN {_ASKED}
      ON ended.library = :library AND ended.loan_id = asked.loan_id AND ended.due_date = asked.due_date
    WHERE coalesce(ended.ended_on, ended.open_on) <= :loans_until
    ORDER BY ended.loan_id, ended.due_date FOR UPDATE OF ended
""")  # noqa: S608 - the piece is this module's own
_SEEN = f"""{_ASKED} CROSS JOIN LATERAL (
    SELECT * FROM loans_seen
    WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date OFFSET 0
) AS seen"""  # noqa: S608 - the piece is this module's own
_SEEN_BY = text(f"SELECT DISTINCT seen.run_id, seen.patron_id FROM {_SEEN}")  # noqa: S608 - as above
_SKIPS = text(f"""
    DELETE FROM skips WHERE skip_id = ANY(ARRAY(
        SELECT found.skip_id FROM {_SEEN} CROSS JOIN LATERAL (
            SELECT skip_id FROM skips
            WHERE run_id = seen.run_id AND loan_id = asked.loan_id
              AND (due_date = asked.due_date OR due_date IS NULL) OFFSET 0
        ) AS found
    ))
""")  # noqa: S608 - the piece is this module's own
# No row of this table is ever changed: where it lies is where it will be found.
_LOANS = text(f"""
    DELETE FROM loans_seen WHERE ctid = ANY(ARRAY(
        SELECT found.place FROM {_ASKED} CROSS JOIN LATERAL (
            SELECT ctid AS place FROM loans_seen
            WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date OFFSET 0
        ) AS found
    ))
""")  # noqa: S608 - the piece is this module's own
_TOLD = text(f"""
    SELECT DISTINCT claim.delivery_id FROM {_ASKED} CROSS JOIN LATERAL (
        SELECT delivery_id FROM delivery_loans
        WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date AND live
        UNION ALL
        SELECT delivery_id FROM delivery_loans
        WHERE library = :library AND loan_id = asked.loan_id AND due_date = asked.due_date AND NOT live
        OFFSET 0
    ) AS claim
""")  # noqa: S608 - the piece is this module's own
_CLAIMS = text(f"""
    DELETE FROM delivery_loans WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))
      AND (loan_id, due_date) IN (SELECT loan_id, due_date FROM {_ASKED})
""")  # noqa: S608 - the piece is this module's own
_EMPTY = text("""
    SELECT one.delivery_id FROM unnest(CAST(:deliveries AS uuid[])) AS one(delivery_id)
    WHERE NOT EXISTS (SELECT FROM delivery_loans WHERE delivery_id = one.delivery_id OFFSET 0)
""")
_ACKS = text("DELETE FROM sms_acks WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))")
_BOUNCES = text("DELETE FROM mail_bounces WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))")
# What hangs on a delivery goes with it: receipts, words, the letter and its steps.
_DELIVERIES = text("""
    DELETE FROM deliveries WHERE delivery_id = ANY(CAST(:deliveries AS uuid[])) RETURNING notice_id
""")
_RUNS_OF = text("SELECT DISTINCT run_id FROM deliveries WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))")
_NOTICES_OF = text("SELECT DISTINCT notice_id FROM deliveries WHERE delivery_id = ANY(CAST(:deliveries AS uuid[]))")
_NOTICES = text("""
    DELETE FROM notices WHERE notice_id = ANY(CAST(:notices AS uuid[]))
      AND NOT EXISTS (SELECT FROM deliveries WHERE notice_id = notices.notice_id OFFSET 0)
""")
_SHORTER_NOTICES = text(f"""
    UPDATE notices SET loan_ids = ARRAY(
        SELECT one.loan_id FROM unnest(loan_ids) WITH ORDINALITY AS one(loan_id, place)
        WHERE (one.loan_id, notices.due_date) NOT IN (SELECT loan_id, due_date FROM {_ASKED})
        ORDER BY one.place
    )
    WHERE notice_id = ANY(CAST(:notices AS uuid[]))
""")  # noqa: S608 - the piece is this module's own
_ENDS = text(f"""
    DELETE FROM loan_ends USING {_ASKED}
    WHERE loan_ends.library = :library AND loan_ends.loan_id = asked.loan_id AND loan_ends.due_date = asked.due_date
""")  # noqa: S608 - the piece is this module's own
_NO_CYCLE_LEFT = text("""
    SELECT one.loan_id FROM unnest(CAST(:loan_ids AS text[])) AS one(loan_id)
    WHERE NOT EXISTS (SELECT FROM loan_ends WHERE library = :library AND loan_id = one.loan_id OFFSET 0)
""")
_GOT_TO = text("""
    UPDATE retention_state SET latest_due_date = greatest(latest_due_date, :due_date) WHERE library = :library
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoansPage:
    """What a page removed; `after` is where the next one begins, None when this was the last."""

    removed: Removed
    after: Mapping[str, Any] | None


LOANS_IN_A_STATEMENT = 200
"""So many cycles are removed by one statement each at a reader's request."""

BEGINNING: Mapping[str, Any] = {"day": date.min, "loan_id": "", "due_date": date.min}


def remove_page(
    connection: Connection, library: str, terms: Terms, *, ended: bool, after: Mapping[str, Any] | None, page: int
) -> LoansPage:
    """Remove the next cycles that ended long enough ago or, with `ended` false, that nobody asked about any more."""
    scope = {"library": library, "today": terms.today, "loans_until": terms.loans_until}
    asked = {**scope, **BEGINNING, **(after or {}), "page": page}
    if not ended:
        del asked["day"]
    rows = connection.execute(_ENDED if ended else _NEVER_ASKED, asked).all()
    if not rows:
        return LoansPage(removed=Removed(), after=None)
    last = rows[-1]
    place = {"loan_id": last.loan_id, "due_date": last.due_date} | ({"day": last.day} if ended else {})
    cycles = {
        "library": library,
        "loan_ids": [row.loan_id for row in rows],
        "due_dates": [row.due_date for row in rows],
    }
    held = connection.execute(_HOLD, {**cycles, "loans_until": terms.loans_until}).all()
    ours = {
        "library": library,
        "loan_ids": [row.loan_id for row in held],
        "due_dates": [row.due_date for row in held],
    }
    messages = _remove(connection, library, ours)
    return LoansPage(removed=Removed(loans=len(held), messages=messages), after=place)


def remove_cycles(connection: Connection, library: str, cycles: Sequence[LoanKey], *, today: date) -> Removed:
    """Remove these cycles, which ended, whatever their age; one that was seen open again meanwhile stays."""
    asked = {
        "library": library,
        "loan_ids": [one.loan_id for one in cycles],
        "due_dates": [one.due_date for one in cycles],
    }
    held = [row for row in connection.execute(_HOLD, {**asked, "loans_until": today}).all() if row.ended]
    ours = {**asked, "loan_ids": [row.loan_id for row in held], "due_dates": [row.due_date for row in held]}
    messages = _remove(connection, library, ours)
    return Removed(loans=len(held), messages=messages)


def _remove(connection: Connection, library: str, cycles: Mapping[str, Any]) -> int:
    """Remove these cycles; returns how many messages went with them."""
    if not cycles["loan_ids"]:
        return 0
    keys = [
        LoanKey(loan_id=loan_id, due_date=due_date)
        for loan_id, due_date in zip(cycles["loan_ids"], cycles["due_dates"], strict=True)
    ]
    ours = make_fingerprints(connection, library)
    keep_cycles(connection, ours, keys)
    seen = connection.execute(_SEEN_BY, cycles).all()
    runs, patrons = {row.run_id for row in seen}, {row.patron_id for row in seen}
    told = {**cycles, "deliveries": list(connection.execute(_TOLD, cycles).scalars())}
    runs |= set(connection.execute(_RUNS_OF, told).scalars())
    with kept_counts(connection, library, cycles, told["deliveries"], sorted(runs)):
        connection.execute(_SKIPS, cycles)
        connection.execute(_LOANS, cycles)
        connection.execute(_CLAIMS, told)
        gone = {"deliveries": list(connection.execute(_EMPTY, told).scalars())}
        keep_numbers(connection, ours, gone["deliveries"])
        connection.execute(_ACKS, gone)
        connection.execute(_BOUNCES, gone)
        leave_batches(connection, gone["deliveries"])
        removed = connection.execute(_DELIVERIES, gone).scalars().all()
        _notices(connection, cycles, told["deliveries"], removed)
        connection.execute(_ENDS, cycles)
        over = list(connection.execute(_NO_CYCLE_LEFT, cycles).scalars())
        forget_loans(connection, library, patrons=sorted(patrons), loans=over, deliveries=gone["deliveries"])
        connection.execute(_GOT_TO, {"library": library, "due_date": max(cycles["due_dates"])})
    return len(removed)


def _notices(
    connection: Connection, cycles: Mapping[str, Any], told: Sequence[object], of_removed: Sequence[object]
) -> None:
    """Remove the notices of which nothing is left; those of messages that stay lose the loans that went."""
    staying = connection.execute(_NOTICES_OF, {"deliveries": list(told)}).scalars().all()
    connection.execute(_NOTICES, {"notices": list(set(of_removed))})
    if staying:
        connection.execute(_SHORTER_NOTICES, {**cycles, "notices": list(staying)})
