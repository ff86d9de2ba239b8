"""Forget what readers said about SMS when they are removed, and numbers that no SMS reached for long.

A yes goes with the reader; of a no a keyed hash stays, so that it is heard should he come back. Of a number whose
messages are removed a keyed hash says for a while that it was reached before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.suppression import HIDDEN
from loan_reminders.ledger.retention.fingerprints import Fingerprints, fingerprints
from loan_reminders.ledger.suppressions.consents import READER

_DROP_YES = text("""
    DELETE FROM sms_choices WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND choice = 'yes'
""")
_NOES = text("""
    SELECT choice_id, patron_id FROM sms_choices
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND choice = 'no'
""")
_HIDE = text("""
    UPDATE sms_choices SET patron_id = asked.hash
    FROM unnest(CAST(:lines AS bigint[]), CAST(:hashes AS text[])) AS asked(choice_id, hash)
    WHERE sms_choices.library = :library AND sms_choices.choice_id = asked.choice_id
""")
_HIDES = text("UPDATE retention_state SET hides_contacts = true WHERE library = :library AND NOT hides_contacts")
# On the list for a year, and no run ever saw him: named by a file, by his number.
_NEVER_SEEN = text("""
    SELECT patron_id FROM sms_choices
    WHERE library = :library AND at < CAST(:readers_until AS date) AND NOT starts_with(patron_id, :hidden)
      AND NOT EXISTS (
          SELECT FROM readers WHERE library = :library AND patron_id = sms_choices.patron_id OFFSET 0
      )
    ORDER BY at, choice_id LIMIT :page
""")


def forget_choices(connection: Connection, library: str, patrons: Sequence[str]) -> int:
    """Forget what these readers said, who are being removed: a yes goes, of a no a keyed hash stays.

    How many such hashes are theirs, those of an earlier time too.
    """
    connection.execute(_DROP_YES, {"library": library, "patrons": list(patrons)})
    ours = fingerprints(connection, library) if patrons else None
    if ours is None:
        return 0
    hashes = {patron: ours.of_recipient(READER, patron) for patron in patrons}
    rows = connection.execute(_NOES, {"library": library, "patrons": [*hashes, *hashes.values()]}).all()
    if fresh := [row for row in rows if row.patron_id in hashes]:
        connection.execute(_HIDES, {"library": library})
        asked = {"lines": [row.choice_id for row in fresh], "hashes": [hashes[row.patron_id] for row in fresh]}
        connection.execute(_HIDE, {"library": library, **asked})
    return len(rows)


def forget_never_seen(connection: Connection, library: str, *, readers_until: object, page: int) -> int:
    """Forget the next readers on the list whom no run ever saw; how many."""
    asked = {"library": library, "readers_until": readers_until, "hidden": HIDDEN, "page": page}
    patrons = connection.execute(_NEVER_SEEN, asked).scalars().all()
    forget_choices(connection, library, patrons)
    return len(patrons)


_REACHED = text("""
    SELECT recipient, max(CAST(claimed_at AS date)) AS last_on FROM deliveries
    WHERE delivery_id = ANY(CAST(:deliveries AS uuid[])) AND channel = 'sms' AND state IN ('accepted', 'delivered')
      AND NOT redirected AND claimed_at IS NOT NULL
    GROUP BY recipient
""")
_KEEP = text("""
    INSERT INTO numbers_known AS known (library, number, last_on)
    SELECT :library, asked.number, asked.last_on
    FROM unnest(CAST(:numbers AS text[]), CAST(:days AS date[])) AS asked(number, last_on) ORDER BY asked.number
    ON CONFLICT (library, number) DO UPDATE SET last_on = greatest(known.last_on, excluded.last_on)
""")
_OLD_NUMBERS = text("DELETE FROM numbers_known WHERE library = :library AND last_on <= :readers_until")


def keep_numbers(connection: Connection, ours: Fingerprints, deliveries: Sequence[object]) -> None:
    """Keep hashes of the numbers that these SMS reached, which are about to be removed."""
    rows = connection.execute(_REACHED, {"deliveries": list(deliveries)}).all()
    if rows:
        reached = {ours.of_recipient(Channel.SMS.value, row.recipient): row.last_on for row in rows}
        asked = {"library": ours.library, "numbers": list(reached), "days": list(reached.values())}
        connection.execute(_KEEP, asked)


def forget_old_numbers(connection: Connection, library: str, *, readers_until: date) -> int:
    """Forget the numbers that no SMS reached for as long as a reader is kept; how many. They are strangers again."""
    return connection.execute(_OLD_NUMBERS, {"library": library, "readers_until": readers_until}).rowcount
