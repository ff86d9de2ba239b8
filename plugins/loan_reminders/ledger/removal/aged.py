"""Remove what belongs to no loan cycle, by its age: dry runs, rows that could not be read, answers from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.retention.terms import Terms
from loan_reminders.ledger.removal.disputed import disputed_contacts, not_disputed
from loan_reminders.ledger.removal.forgetting import forget_old_lines
from loan_reminders.ledger.removal.kept_books import keep_rows
from loan_reminders.ledger.removal.loans import DISPUTED

_RUNS = text("""
    SELECT run_id, today, dry_run OR loans_extracted IS NULL AS came_to_nothing FROM runs
    WHERE library = :library AND today <= :loans_until
      AND today > coalesce((SELECT runs_until FROM retention_state WHERE library = :library), '-infinity')
      AND run_id > :after
    ORDER BY run_id LIMIT :page
""")
_OF_RUNS = "run_id = ANY(CAST(:runs AS bigint[]))"
# Nothing was sent by these: no cycle of a loan is theirs alone to keep.
_CAME_TO_NOTHING = tuple(
    text(f"DELETE FROM {table} WHERE {_OF_RUNS} AND {not_disputed(table)}")  # noqa: S608 - the pieces are ours
    for table in ("skips", "loans_seen")
)
_OF_DRY_RUNS = (
    text(f"""
        DELETE FROM deliveries WHERE {_OF_RUNS} AND notice_id IN (
            SELECT notice_id FROM notices WHERE {_OF_RUNS} AND {not_disputed("notices")}
        )
    """),  # noqa: S608 - as above
    text(f"""
        DELETE FROM notices WHERE {_OF_RUNS} AND NOT EXISTS (
            SELECT FROM deliveries WHERE notice_id = notices.notice_id OFFSET 0
        )
    """),  # noqa: S608 - as above
)
_KEPT_OF_NOTHING = text(f"""
    SELECT min(run.today) FROM runs run WHERE run.{_OF_RUNS} AND (
        EXISTS (SELECT FROM skips WHERE run_id = run.run_id OFFSET 0)
        OR EXISTS (SELECT FROM loans_seen WHERE run_id = run.run_id OFFSET 0)
        OR EXISTS (SELECT FROM notices WHERE run_id = run.run_id OFFSET 0)
    )
""")  # noqa: S608 - as above
# Rows that could not be read, as they came; they belong to no cycle.
_SKIPS = text(f"""
    DELETE FROM skips skip WHERE skip.{_OF_RUNS}
      AND NOT EXISTS (
          SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = skip.loan_id
            AND ended.due_date = skip.due_date OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM disputes dispute WHERE dispute.library = :library AND {DISPUTED}
            AND (dispute.loan_id = skip.loan_id OR dispute.loan_id = '' AND dispute.patron_id = skip.patron_id)
      )
    RETURNING skip.run_id, skip.slot, skip.reason
""")  # noqa: S608 - the pieces are this package's own
_KEPT = text(f"""
    SELECT min(run.today) FROM runs run JOIN skips skip USING (run_id)
    WHERE run.{_OF_RUNS} AND NOT EXISTS (
        SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = skip.loan_id
          AND ended.due_date = skip.due_date OFFSET 0
    )
""")  # noqa: S608 - the pieces are this package's own
_RUNS_DONE = text("UPDATE retention_state SET runs_until = :until WHERE library = :library")
_OLD = "at < CAST(:loans_until AS date) + 1"
_FROM_CONTACTS = (
    text(f"""
        DELETE FROM sms_acks WHERE ack_id = ANY(ARRAY(
            SELECT ack_id FROM sms_acks WHERE library = :library AND delivery_id IS NULL AND {_OLD}
              AND NOT left(phone_number, 40) = ANY(CAST(:kept AS text[])) LIMIT :page
        ))
    """),  # noqa: S608 - the condition is this module's own
    text(f"""
        DELETE FROM sms_replies WHERE reply_number = ANY(ARRAY(
            SELECT reply_number FROM sms_replies WHERE library = :library AND {_OLD}
              AND NOT left(phone_number, 40) = ANY(CAST(:kept AS text[])) ORDER BY at LIMIT :page
        ))
    """),  # noqa: S608 - the condition is this module's own
    text(f"""
        DELETE FROM mail_bounces WHERE bounce_id = ANY(ARRAY(
            SELECT bounce_id FROM mail_bounces WHERE delivery_id IS NULL AND library = :library AND {_OLD}
              AND NOT lower(recipient) = ANY(CAST(:kept AS text[])) LIMIT :page
        ))
    """),  # noqa: S608 - the condition is this module's own
    text(f"""
        DELETE FROM put_aside WHERE put_aside_id = ANY(ARRAY(
            SELECT put_aside_id FROM put_aside WHERE library = :library AND {_OLD}
              AND NOT lower(left(about, 320)) = ANY(CAST(:kept AS text[])) ORDER BY at LIMIT :page
        ))
    """),  # noqa: S608 - the condition is this module's own
)
"""Unknown receipts, replies, reports and what was put aside: a number or address alone says whose they are."""
_ANSWERS = (
    *_FROM_CONTACTS,
    text("""
        DELETE FROM form_keys WHERE (library, key) IN (
            SELECT library, key FROM form_keys WHERE library = :library AND at < now() - interval '1 day' LIMIT :page
        )
    """),
    text(f"""
        DELETE FROM holds WHERE hold_id = ANY(ARRAY(
            SELECT hold_id FROM holds WHERE library = :library
              AND coalesce(CAST(lifted_at AS date), until) <= :loans_until AND {_OLD} AND {not_disputed("holds")}
            LIMIT :page
        ))
    """),  # noqa: S608 - the conditions are this package's own
    text(f"""
        DELETE FROM disputes WHERE dispute_id = ANY(ARRAY(
            SELECT dispute_id FROM disputes ended WHERE library = :library
              AND coalesce(CAST(closed_at AS date), until) <= :loans_until AND {_OLD} AND {not_disputed("ended")}
            LIMIT :page
        ))
    """),  # noqa: S608 - the conditions are this package's own
)
"""Those, forms, holds and disputes that are over."""
ANSWERS = len(_ANSWERS)

_JOURNAL_GOT_TO = text("SELECT journal_until FROM retention_state WHERE library = :library")
_JOURNAL_DONE = text("UPDATE retention_state SET journal_until = :until WHERE library = :library")
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def _scope(library: str, terms: Terms) -> dict[str, Any]:
    return {"library": library, "today": terms.today, "loans_until": terms.loans_until}


def remove_of_runs(
    connection: Connection, library: str, terms: Terms, *, after: Mapping[str, Any] | None, page: int
) -> tuple[int, Mapping[str, Any] | None]:
    """Remove what the next runs leave that is no cycle's; how many rows, and where the next page begins.

    With `after` goes the first day of which something stays for a dispute: that day is looked at again.
    """
    place = after or {"after": 0, "kept": None}
    asked = {**_scope(library, terms), "after": place["after"], "page": page}
    rows = connection.execute(_RUNS, asked).all()
    if not rows:
        until = terms.loans_until if place["kept"] is None else date.fromordinal(place["kept"].toordinal() - 1)
        connection.execute(_RUNS_DONE, {"library": library, "until": until})
        return 0, None
    nothing = {**_scope(library, terms), "runs": [row.run_id for row in rows if row.came_to_nothing]}
    removed = _nothing_came_of(connection, nothing)
    sent = {**_scope(library, terms), "runs": [row.run_id for row in rows if not row.came_to_nothing]}
    touched = connection.execute(_SKIPS, sent).all()
    keep_rows(connection, library, touched)
    days = (
        place["kept"],
        connection.execute(_KEPT, sent).scalar(),
        connection.execute(_KEPT_OF_NOTHING, nothing).scalar(),
    )
    kept = [day for day in days if day is not None]
    return removed + len(touched), {"after": rows[-1].run_id, "kept": min(kept, default=None)}


def _nothing_came_of(connection: Connection, asked: Mapping[str, Any]) -> int:
    """Remove all of dry runs and of runs that never finished reading, but what is disputed; how many rows."""
    return sum(connection.execute(statement, asked).rowcount for statement in (*_CAME_TO_NOTHING, *_OF_DRY_RUNS))


def remove_answers(connection: Connection, library: str, terms: Terms, *, kind: int, page: int) -> int:
    """Remove the next rows of one kind, a number below `ANSWERS`; how many."""
    asked = {**_scope(library, terms), "page": page}
    if kind < len(_FROM_CONTACTS):
        asked["kept"] = list(disputed_contacts(connection, library, terms))
    return int(connection.execute(_ANSWERS[kind], asked).rowcount)


def forget_journal(
    connection: Connection, library: str, terms: Terms, *, after: Mapping[str, Any] | None, page: int
) -> tuple[int, Mapping[str, Any] | None]:
    """Let the next old lines of the journal forget who is not known; how many, and where the next page begins."""
    begin = after["at"] if after else connection.execute(_JOURNAL_GOT_TO, {"library": library}).scalar() or _LONG_AGO
    before = datetime.combine(terms.readers_until, datetime.min.time(), UTC)
    last, changed = forget_old_lines(connection, library, after=begin, before=before, page=page)
    if last is None:
        return 0, None
    connection.execute(_JOURNAL_DONE, {"library": library, "until": last})
    return changed, {"at": last}
