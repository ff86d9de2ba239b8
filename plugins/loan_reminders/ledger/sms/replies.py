"""What readers answered to an SMS, and is for a person to read: all that is no STOP, until somebody has seen to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import ReplyToRead
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.ports.sms_feedback import LastSms
from loan_reminders.domain.sms.feedback import SmsReply
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.tables.columns import dated
from loan_reminders.ledger.tables.sms import CLAIMED_AT

_READERS_OF = """
    SELECT reader.patron_id, reader.reader_number, reader.name FROM readers reader
    WHERE reader.library = :library AND reader.mobile = {number} AND reader.mobile <> ''
    UNION
    SELECT reader.patron_id, reader.reader_number, reader.name
    FROM deliveries delivery JOIN notices notice USING (notice_id)
    JOIN readers reader ON reader.library = :library AND reader.patron_id = notice.patron_id
    WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = {number}
"""
# Whose number it is is looked up for what is shown alone.
_TO_READ = f"""
    SELECT reply.reply_number, reply.phone_number, reply.text, reply.since, (
        SELECT json_agg(json_build_array(known.reader_number, known.name) ORDER BY known.reader_number)
        FROM ({_READERS_OF.format(number="reply.phone_number")}) AS known
    ) AS readers
    FROM (
        SELECT reply_number, phone_number, text, at, coalesce({dated("received_at", "at")}, at) AS since
        FROM sms_replies WHERE library = :library AND to_read
        ORDER BY at {{way}}, reply_number {{way}} LIMIT :limit OFFSET :offset
    ) AS reply
    ORDER BY reply.at {{way}}, reply.reply_number {{way}}
"""  # noqa: S608 - the pieces are this package's own
_NEWEST, _OLDEST = (text(_TO_READ.format(way=way)) for way in ("DESC", "ASC"))
_NUMBER_TO_READ = text("""
    SELECT count(*) AS number, min(waiting.at) AS since FROM (
        SELECT at FROM sms_replies WHERE library = :library AND to_read ORDER BY at LIMIT :limit
    ) AS waiting
""")
_SETTLE = text("""
    UPDATE sms_replies SET to_read = false, read_at = now(), read_by = :who
    WHERE library = :library AND reply_number = :number AND to_read
    RETURNING phone_number
""")
_READERS = text(_READERS_OF.format(number=":number"))
_PHONE = text("SELECT phone_number FROM sms_replies WHERE library = :library AND reply_number = :number")
_CLAIMED_AT = CLAIMED_AT.format(delivery="")
_LAST_SMS = text(f"""
    SELECT asked.place, latest.of_campaign, latest.claimed_at
    FROM unnest(CAST(:numbers AS text[]), CAST(:campaigns AS text[])) WITH ORDINALITY AS asked(number, campaign, place)
    CROSS JOIN LATERAL (
        SELECT campaign_id = asked.campaign AND campaign_id <> '' AS of_campaign, claimed_at FROM deliveries
        WHERE library = :library AND channel = 'sms' AND recipient = asked.number AND {_CLAIMED_AT} > '-infinity'
          AND NOT redirected
        ORDER BY of_campaign DESC, {_CLAIMED_AT} DESC LIMIT 1
    ) AS latest
""")  # noqa: S608 - the expression is a module's own


def to_read(connection: Connection, asked: Mapping[str, Any], *, oldest_first: bool = False) -> Sequence[ReplyToRead]:
    """A page of the replies that nobody has seen to."""
    return tuple(
        ReplyToRead(
            reply_number=row.reply_number,
            number=row.phone_number,
            text=row.text,
            at=row.since,
            readers=tuple((number, name) for number, name in row.readers or ()),
        )
        for row in connection.execute(_OLDEST if oldest_first else _NEWEST, asked)
    )


def count(connection: Connection, library: str, *, limit: int) -> tuple[int, datetime | None]:
    """How many replies nobody has seen to, up to the limit, and since when the oldest of them."""
    row = connection.execute(_NUMBER_TO_READ, {"library": library, "limit": limit}).one()
    return row.number, row.since


def settle(connection: Connection, library: str, reply_number: int, *, who: str) -> bool:
    """Keep that somebody saw to a reply; False when it is unknown or was settled before.

    The journal names the reader when the number is one reader's alone.
    """
    asked = {"library": library, "number": reply_number, "who": storable(who)}
    row = connection.execute(_SETTLE, asked).first()
    if row is None:
        return False
    known = connection.execute(_READERS, {"library": library, "number": row.phone_number}).all()
    patron_id = known[0].patron_id if len(known) == 1 else ""
    act, facts = JournalAct.REPLY_SETTLED, {"reply": reply_number}
    keep(connection, library, who=who, act=act, patron_id=patron_id, facts=facts)
    return True


def phone_of(connection: Connection, library: str, reply_number: int) -> str:
    """The number that a reply came from, empty when it is not known."""
    number: str | None = connection.execute(_PHONE, {"library": library, "number": reply_number}).scalar()
    return number or ""


def last_sms(connection: Connection, library: str, replies: Sequence[SmsReply]) -> Sequence[LastSms | None]:
    """For each reply the last SMS of a library to its number, one of the reply's campaign before all others."""
    asked = {
        "library": library,
        "numbers": [storable(reply.phone_number) for reply in replies],
        "campaigns": [storable(reply.campaign_id) for reply in replies],
    }
    found = {row.place: row for row in connection.execute(_LAST_SMS, asked)}
    return tuple(
        LastSms(of_campaign=found[place].of_campaign, left_at=found[place].claimed_at) if place in found else None
        for place, _ in enumerate(replies, start=1)
    )
