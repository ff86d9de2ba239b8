"""What names a reader or a loan in lines that stay or stand apart: journal, holds, disputes, failing contacts, rights.

A line of the journal is never removed: who did what, and when, stays. It loses the reader, the loan, and what was
typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from loan_reminders.ledger.suppressions.objections import hide_readers

_FORGETTING = text("SELECT set_config('loan_reminders.forgetting', 'on', true)")
_HOLDS = text("""
    DELETE FROM holds WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))
      AND loan_id = ANY(CAST(:loans AS text[])) AND loan_id <> ''
""")
_DISPUTES = text("""
    DELETE FROM disputes WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))
      AND loan_id = ANY(CAST(:loans AS text[])) AND loan_id <> ''
""")
_LINES_OF_LOANS = text("""
    UPDATE journal SET detail = '', delivery_id = NULL, facts = facts - 'loan' - 'number'
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND patron_id <> ''
      AND (facts ->> 'loan' = ANY(CAST(:loans AS text[])) OR delivery_id = ANY(CAST(:deliveries AS uuid[])))
""")
_LINES_OF_READERS = text("""
    UPDATE journal SET patron_id = '', detail = '', delivery_id = NULL, facts = facts - 'loan' - 'number'
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND patron_id <> ''
""")
_ALL_HOLDS = text("DELETE FROM holds WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))")
_ALL_DISPUTES = text("DELETE FROM disputes WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))")
_AMENDMENTS = text("DELETE FROM amendments WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))")
_CONTACTS = text("DELETE FROM corrections WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))")
_NEXT_LINES = text("""
    SELECT max(at) AS last, count(*) AS number FROM (
        SELECT at FROM journal WHERE library = :library AND at > :after AND at < :before ORDER BY at LIMIT :page
    ) AS line
""")
# A reader who is still known keeps the lines about him; a line about nobody, or about somebody unknown, forgets what
# was typed.
_OLD_LINES = text("""
    UPDATE journal SET patron_id = '', detail = '', delivery_id = NULL, facts = facts - 'loan' - 'number'
    WHERE library = :library AND at > :after AND at <= :last
      AND (patron_id <> '' OR detail <> '' OR delivery_id IS NOT NULL OR facts ?| ARRAY['loan', 'number'])
      AND NOT EXISTS (
          SELECT FROM readers WHERE library = :library AND patron_id = journal.patron_id AND patron_id <> '' OFFSET 0
      )
""")


def forget_loans(
    connection: Connection, library: str, *, patrons: Sequence[str], loans: Sequence[str], deliveries: Sequence[object]
) -> None:
    """Forget what says of these readers that it was about these loans, of which no cycle is left, or these messages."""
    asked = {"library": library, "patrons": list(patrons), "loans": list(loans), "deliveries": list(deliveries)}
    connection.execute(_HOLDS, asked)
    connection.execute(_DISPUTES, asked)
    connection.execute(_FORGETTING)
    connection.execute(_LINES_OF_LOANS, asked)


def forget_readers(connection: Connection, library: str, patrons: Sequence[str]) -> int:
    """Forget these readers in all lines that are about them; how many refuse a channel, and are known by a hash."""
    asked = {"library": library, "patrons": list(patrons)}
    for statement in (_ALL_HOLDS, _ALL_DISPUTES, _CONTACTS, _AMENDMENTS, _FORGETTING, _LINES_OF_READERS):
        connection.execute(statement, asked)
    return hide_readers(connection, library, patrons)


def forget_old_lines(
    connection: Connection, library: str, *, after: datetime, before: datetime, page: int
) -> tuple[datetime | None, int]:
    """Let the next old lines forget what nobody known is in; where they ended (None: no line left), and how many."""
    asked = {"library": library, "after": after, "before": before}
    found = connection.execute(_NEXT_LINES, {**asked, "page": page}).one()
    if not found.number:
        return None, 0
    connection.execute(_FORGETTING)
    changed = connection.execute(_OLD_LINES, {"library": library, "after": after, "last": found.last}).rowcount
    return found.last, int(changed)
