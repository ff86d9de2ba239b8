"""The SMS credit: each time the provider said what is left, and what was spent since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.sms.pace import KnownCredit

_TAKEN = "('accepted', 'delivered', 'bounced', 'in_doubt', 'claimed')"
# What is said again within the hour takes the place of what was said before: a line an hour at most.
_KEEP = text("""
    WITH newest AS (
        SELECT credit_id, at, segments FROM sms_credits
        WHERE library = :library ORDER BY at DESC, credit_id DESC LIMIT 1
    ), same AS (
        UPDATE sms_credits kept SET at = :at FROM newest
        WHERE kept.credit_id = newest.credit_id AND newest.segments = :segments AND newest.at < :at
          AND newest.at > CAST(:at AS timestamptz) - interval '1 hour'
        RETURNING kept.credit_id
    )
    INSERT INTO sms_credits (library, at, segments)
    SELECT :library, :at, :segments WHERE NOT EXISTS (SELECT FROM same)
""")
_NEWEST = text(f"""
    SELECT known.segments, known.at, (
        SELECT coalesce(sum(greatest(segments, 1)), 0) FROM deliveries
        WHERE library = :library AND channel = 'sms' AND claimed_at > known.at AND state IN {_TAKEN}
    ) AS spent
    FROM sms_credits known WHERE known.library = :library ORDER BY known.at DESC, known.credit_id DESC LIMIT 1
""")  # noqa: S608 - the list is this module's own
_BY_DAY = text("""
    SELECT DISTINCT ON (1) CAST(timezone(:zone, at) AS date) AS day, segments FROM sms_credits
    WHERE library = :library AND at >= :since ORDER BY 1, at DESC, credit_id DESC
""")
_SPENT_BY_DAY = text(f"""
    SELECT CAST(timezone(:zone, claimed_at) AS date) AS day, sum(greatest(segments, 1)) AS segments FROM deliveries
    WHERE library = :library AND channel = 'sms' AND claimed_at >= :since AND state IN {_TAKEN}
    GROUP BY 1
""")  # noqa: S608 - the list is this module's own


def keep(connection: Connection, library: str, segments: int, at: datetime) -> None:
    """Keep what the provider said is left, in segments."""
    connection.execute(_KEEP, {"library": library, "segments": segments, "at": at})


def newest(connection: Connection, library: str) -> KnownCredit | None:
    """What the provider said last, and the segments that left since; None when it was never asked."""
    row = connection.execute(_NEWEST, {"library": library}).first()
    return None if row is None else KnownCredit(segments=row.segments, at=row.at, spent_since=int(row.spent))


def by_day(connection: Connection, library: str, since: datetime, zone: str) -> Mapping[date, int]:
    """The last known credit of each day since a moment, oldest first; days are those of `zone`, an IANA name."""
    asked = {"library": library, "since": since, "zone": zone}
    return {row.day: row.segments for row in connection.execute(_BY_DAY, asked)}


def spent_by_day(connection: Connection, library: str, since: datetime, zone: str) -> Mapping[date, int]:
    """The segments that left, or may have left, each day since a moment."""
    asked = {"library": library, "since": since, "zone": zone}
    return {row.day: int(row.segments) for row in connection.execute(_SPENT_BY_DAY, asked)}
