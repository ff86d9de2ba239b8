"""The words of messages, kept compressed when they were about to leave, for the file of a contested loan."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from loan_reminders.domain.messages import SentWords
from loan_reminders.ledger.json_codecs import storable

_KEEP = text("""
    INSERT INTO sent_words (delivery_id, library, subject, body)
    SELECT said.delivery_id, :library, said.subject, said.body
    FROM unnest(CAST(:delivery_id AS uuid[]), CAST(:subject AS text[]), CAST(:body AS bytea[]))
         AS said(delivery_id, subject, body)
    ON CONFLICT (delivery_id) DO UPDATE SET subject = EXCLUDED.subject, body = EXCLUDED.body, at = EXCLUDED.at
""")
_OF = text("""
    SELECT delivery_id, subject, body FROM sent_words
    WHERE library = :library AND delivery_id = ANY(CAST(:delivery_id AS uuid[]))
""")
_LEVEL = 1


def keep(connection: Connection, library: str, words: Iterable[SentWords]) -> None:
    """Keep what messages say, in one statement; said again, the last words stand. Each delivery must exist."""
    last = {said.delivery_id: said for said in words}
    if not last:
        return
    parameters = {
        "library": library,
        "delivery_id": list(last),
        "subject": [storable(said.subject) for said in last.values()],
        "body": [zlib.compress(said.body.encode("utf-8", "replace"), _LEVEL) for said in last.values()],
    }
    connection.execute(_KEEP, parameters)


def of(connection: Connection, library: str, deliveries: Sequence[uuid.UUID]) -> dict[uuid.UUID, SentWords]:
    """The words kept of these deliveries; one whose words were not kept is not among them."""
    rows = connection.execute(_OF, {"library": library, "delivery_id": list(deliveries)})
    return {
        row.delivery_id: SentWords(
            delivery_id=row.delivery_id,
            subject=row.subject,
            body=zlib.decompress(row.body).decode("utf-8"),
        )
        for row in rows
    }
