"""Which numbers no SMS has ever reached: the first one that they get says who writes and how to stop it.

A number was reached by an SMS that the provider took and that did not come back; one that was redirected went to the
test number of a trial. One that was put on the list as dead
begins anew, as does a number that nothing was written to for as long as a reader is kept: both may have another owner.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.retention.fingerprints import fingerprints
from loan_reminders.ledger.tables.sms import CLAIMED_AT

_REACHED = text(f"""
    SELECT asked.recipient FROM unnest(CAST(:recipients AS text[])) AS asked(recipient)
    CROSS JOIN LATERAL (
        SELECT max(at) AS at FROM suppressions
        WHERE library = :library AND channel = 'sms' AND recipient = asked.recipient AND reason = 'dead_number'
        OFFSET 0
    ) AS dead
    WHERE EXISTS (
        SELECT FROM deliveries
        WHERE library = :library AND channel = 'sms' AND recipient = asked.recipient
          AND state IN ('accepted', 'delivered') AND NOT redirected
          AND {CLAIMED_AT.format(delivery="")} > coalesce(dead.at, '-infinity') OFFSET 0
    )
""")  # noqa: S608 - the expression is a module's own
_KNOWN = text("SELECT number FROM numbers_known WHERE library = :library AND number = ANY(CAST(:hashes AS text[]))")
_FORGET = text("DELETE FROM numbers_known WHERE library = :library AND number = ANY(CAST(:hashes AS text[]))")


def never_reached(connection: Connection, library: str, numbers: Collection[str]) -> frozenset[str]:
    """Those of these numbers that no SMS of the library has reached."""
    strangers = set(numbers)
    if strangers:
        asked = {"library": library, "recipients": sorted(strangers)}
        strangers -= set(connection.execute(_REACHED, asked).scalars())
    hashes = _hashes(connection, library, strangers)
    if hashes:
        known = connection.execute(_KNOWN, {"library": library, "hashes": list(hashes)}).scalars()
        strangers -= {hashes[one] for one in known}
    return frozenset(strangers)


def forget_numbers(connection: Connection, library: str, numbers: Collection[str]) -> None:
    """Let numbers that are dead begin anew."""
    hashes = _hashes(connection, library, numbers)
    if hashes:
        connection.execute(_FORGET, {"library": library, "hashes": list(hashes)})


def _hashes(connection: Connection, library: str, numbers: Collection[str]) -> dict[str, str]:
    ours = fingerprints(connection, library) if numbers else None
    return {} if ours is None else {ours.of_recipient(Channel.SMS.value, one): one for one in numbers}
