"""What disputes keep besides loans and readers: rows about a reader, and what came from his numbers and addresses."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from loan_reminders.domain.retention.terms import Terms
from loan_reminders.ledger.removal.loans import DISPUTED


def not_disputed(row: str) -> str:
    """In SQL, that no dispute with the reader of a row is open on the day `:today`."""
    return f"""NOT EXISTS (
        SELECT FROM disputes dispute
        WHERE dispute.library = :library AND dispute.patron_id = {row}.patron_id AND {DISPUTED} OFFSET 0
    )"""


# Those he had before count as well: what he said from an old number is about him too.
_CONTACTS = text(f"""
    SELECT DISTINCT lower(his.contact) FROM (
        SELECT DISTINCT dispute.patron_id FROM disputes dispute WHERE dispute.library = :library AND {DISPUTED}
    ) AS kept CROSS JOIN LATERAL (
        SELECT unnest(ARRAY[reader.mobile, reader.email]) AS contact FROM readers reader
        WHERE reader.library = :library AND reader.patron_id = kept.patron_id
        UNION ALL
        SELECT delivery.recipient FROM notices notice JOIN deliveries delivery USING (notice_id)
        WHERE notice.library = :library AND notice.patron_id = kept.patron_id
        UNION ALL
        SELECT unnest(ARRAY[seen.mobile, seen.email]) FROM (
            SELECT unnest(loan_ids) AS loan_id FROM notices WHERE library = :library AND patron_id = kept.patron_id
            UNION SELECT loan_id FROM skips WHERE library = :library AND patron_id = kept.patron_id
        ) AS one CROSS JOIN LATERAL (
            SELECT record #>> '{{patron,mobile,value}}' AS mobile, record #>> '{{patron,email,value}}' AS email
            FROM loans_seen
            WHERE library = :library AND loan_id = one.loan_id AND patron_id = kept.patron_id OFFSET 0
        ) AS seen
    ) AS his
    WHERE his.contact <> ''
""")  # noqa: S608 - the condition is this package's own


def disputed_contacts(connection: Connection, library: str, terms: Terms) -> Sequence[str]:
    """The numbers and addresses, in small letters, that are or were those of readers with an open dispute."""
    return connection.execute(_CONTACTS, {"library": library, "today": terms.today}).scalars().all()
