"""Remove readers of whom nothing is left to settle; a number or address that is not to be written to becomes a hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.retention.terms import Terms
from loan_reminders.ledger.removal.choices import forget_choices
from loan_reminders.ledger.removal.disputed import disputed_contacts
from loan_reminders.ledger.removal.forgetting import forget_readers
from loan_reminders.ledger.retention.fingerprints import HIDDEN, make_fingerprints
from loan_reminders.ledger.suppressions.suppression_list import lock

# A reader with a loan, a message, a dispute or a hold that is not over stays. A run that sees one writes his day anew.
_READERS = text("""
    SELECT reader.patron_id, reader.last_seen_on FROM readers reader
    WHERE reader.library = :library AND reader.last_seen_on <= :readers_until
      AND (reader.last_seen_on, reader.patron_id) > (:day, :patron_id)
      AND NOT EXISTS (
          SELECT FROM notices WHERE library = :library AND patron_id = reader.patron_id OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM skips WHERE library = :library AND patron_id = reader.patron_id OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM disputes
          WHERE library = :library AND patron_id = reader.patron_id AND closed_at IS NULL AND until >= :today OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM holds
          WHERE library = :library AND patron_id = reader.patron_id AND lifted_at IS NULL AND until >= :today OFFSET 0
      )
    ORDER BY reader.last_seen_on, reader.patron_id LIMIT :page
""")
_REMOVE = text("""
    DELETE FROM readers WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))
      AND last_seen_on <= :readers_until
    RETURNING patron_id
""")
_LINES = text(f"""
    SELECT line.suppression_id, line.channel, line.recipient, line.since, line.lifted_at IS NULL AS in_force
    FROM suppressions line
    WHERE line.library = :library AND line.since < :readers_until AND line.at < :readers_until
      AND (line.since, line.suppression_id) > (:since, :suppression_id) AND NOT starts_with(line.recipient, '{HIDDEN}')
      AND NOT lower(line.recipient) = ANY(CAST(:kept AS text[]))
      AND NOT EXISTS (
          SELECT FROM readers
          WHERE library = :library AND mobile = line.recipient AND mobile <> '' AND line.channel = 'sms' OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM readers
          WHERE library = :library AND lower(email) = lower(line.recipient) AND line.channel = 'email' OFFSET 0
      ) AND NOT EXISTS (
          SELECT FROM corrections WHERE suppression_id = line.suppression_id AND suppression_id IS NOT NULL OFFSET 0
      )
    ORDER BY line.since, line.suppression_id LIMIT :page
""")  # noqa: S608 - the word is this program's own
_HIDES = text("UPDATE retention_state SET hides_contacts = true WHERE library = :library AND NOT hides_contacts")
# A line in force stands for its recipient once: one that came again beside its own hash is that same line.
_TWICE = text("""
    DELETE FROM suppressions line
    USING unnest(CAST(:lines AS bigint[]), CAST(:hashes AS text[]), CAST(:in_force AS boolean[]))
        AS asked(suppression_id, hash, in_force)
    WHERE line.library = :library AND line.suppression_id = asked.suppression_id AND asked.in_force AND EXISTS (
        SELECT FROM suppressions known
        WHERE known.library = :library AND known.channel = line.channel AND known.recipient = asked.hash
          AND known.lifted_at IS NULL
    )
""")
_HIDE = text("""
    UPDATE suppressions line SET recipient = asked.hash, detail = '', lifted_because = ''
    FROM unnest(CAST(:lines AS bigint[]), CAST(:hashes AS text[])) AS asked(suppression_id, hash)
    WHERE line.library = :library AND line.suppression_id = asked.suppression_id
""")


def remove_readers(
    connection: Connection, library: str, terms: Terms, *, after: Mapping[str, Any] | None, page: int
) -> tuple[int, Mapping[str, Any] | None]:
    """Remove the next readers; how many, and where the next page begins (None: there is none)."""
    scope = {"library": library, "today": terms.today, "readers_until": terms.readers_until}
    beginning = {"day": date.min, "patron_id": ""}
    rows = connection.execute(_READERS, {**scope, **beginning, **(after or {}), "page": page}).all()
    if not rows:
        return 0, None
    asked = {"library": library, "patrons": [row.patron_id for row in rows], "readers_until": terms.readers_until}
    gone = list(connection.execute(_REMOVE, asked).scalars())
    forget_readers(connection, library, gone)
    forget_choices(connection, library, gone)
    return len(gone), {"day": rows[-1].last_seen_on, "patron_id": rows[-1].patron_id}


def hide_contacts(
    connection: Connection, library: str, terms: Terms, *, after: Mapping[str, Any] | None, page: int
) -> tuple[int, Mapping[str, Any] | None]:
    """Keep but a hash of the next numbers and addresses on the list of suppressions that are no known reader's.

    They are not written to all the same: whoever is about to write compares the hash. Those of a reader with an open
    dispute stay as they are. How many, and where the next page begins.
    """
    lock(connection, library)
    beginning = {"since": datetime(1, 1, 1, tzinfo=UTC), "suppression_id": 0}
    kept = list(disputed_contacts(connection, library, terms))
    asked = {"library": library, "readers_until": terms.readers_until, "kept": kept}
    rows = connection.execute(_LINES, {**asked, **beginning, **(after or {}), "page": page}).all()
    if not rows:
        return 0, None
    hide_lines(connection, library, rows)
    return len(rows), {"since": rows[-1].since, "suppression_id": rows[-1].suppression_id}


def hide_lines(connection: Connection, library: str, rows: Sequence[Any]) -> None:
    """Keep but a hash of the recipients of these lines of suppressions; the list is locked by whoever asks."""
    ours = make_fingerprints(connection, library)
    connection.execute(_HIDES, {"library": library})
    lines = {
        "library": library,
        "lines": [row.suppression_id for row in rows],
        "hashes": [ours.of_recipient(row.channel, row.recipient) for row in rows],
    }
    connection.execute(_TWICE, {**lines, "in_force": [row.in_force for row in rows]})
    connection.execute(_HIDE, lines)
