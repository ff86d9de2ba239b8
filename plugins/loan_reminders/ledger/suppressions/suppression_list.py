"""The list of suppressions, those who are not written to any more: add numbers, lift a line, look recipients up.

Every change of the list is made under the lock of the library's feedback, so that changes come one after the other.
What already waits for a recipient is cancelled in the transaction that puts the recipient on the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.suppressions.suppression import (
    SuppressionReason,
    SuppressionSource,
)
from loan_reminders.french.words import failed_in_a_row
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import encode_recipient, storable
from loan_reminders.ledger.retention.fingerprints import hidden
from loan_reminders.ledger.suppressions.consents import cancel_refused
from loan_reminders.ledger.suppressions.failing_contacts import note_suppressed
from loan_reminders.ledger.suppressions.numbers_reached import forget_numbers
from loan_reminders.ledger.tables.columns import dated
from loan_reminders.ledger.tables.sms import CLAIMED_AT

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('reminders feedback ' || :library, 0))")
IN_FORCE = "suppression.lifted_at IS NULL AND (suppression.until IS NULL OR suppression.until > now())"
TAKEN = "('claimed', 'accepted', 'delivered', 'bounced', 'in_doubt')"
_ENTRIES = f"""(
    SELECT recipient, reason, source, {dated("since")} AS since, until, detail
    FROM json_to_recordset(CAST(:entries AS json)) AS came(
        recipient text, reason text, source text, since timestamptz, until timestamptz, detail text
    )
) AS entry"""  # noqa: S608 - the piece is this project's own
# What a librarian lifted stays lifted, until the reader says STOP again: an older entry of the provider's list, or
# the same STOP received again, changes nothing.
_NOT_LIFTED_SINCE = text(f"""
    SELECT DISTINCT ON (entry.recipient) entry.recipient FROM {_ENTRIES}
    WHERE NOT EXISTS (
        SELECT FROM suppressions lifted
        WHERE lifted.library = :library AND lifted.channel = 'sms' AND lifted.recipient = entry.recipient
          AND lifted.lifted_at >= coalesce(entry.since, '-infinity')
          AND (lifted.reason = 'stop' AND entry.reason IN ('stop', 'blacklist')
               OR lifted.reason = 'blacklist' AND entry.reason = 'blacklist')
    )
""")  # noqa: S608 - the entries' columns are this module's own
_MAKE_ROOM = text("""
    UPDATE suppressions SET
        lifted_at = CASE WHEN until <= now() THEN until ELSE now() END,
        lifted_by = CASE WHEN until <= now() THEN 'échéance' ELSE 'remplacé' END
    WHERE library = :library AND channel = 'sms' AND recipient = ANY(CAST(:recipients AS text[])) AND lifted_at IS NULL
      AND (until <= now() OR reason = 'dead_number' AND :outranks)
""")
_JOIN = text(f"""
    INSERT INTO suppressions (library, channel, recipient, reason, source, since, until, detail)
    SELECT DISTINCT ON (entry.recipient)
        :library, 'sms', entry.recipient, entry.reason, entry.source, coalesce(entry.since, now()), entry.until,
        entry.detail
    FROM {_ENTRIES} WHERE entry.recipient = ANY(CAST(:recipients AS text[]))
    ORDER BY entry.recipient, entry.since
    ON CONFLICT (library, channel, recipient) WHERE lifted_at IS NULL DO NOTHING
    RETURNING recipient
""")  # noqa: S608 - the entries' columns are this module's own
_CANCEL = text(f"""
    WITH cancelled AS (
        UPDATE deliveries delivery SET
            state = 'cancelled', answered_at = now(),
            reason = CASE suppression.reason WHEN 'dead_number' THEN 'dead_number' ELSE 'opted_out' END
        FROM suppressions suppression
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.state = 'planned'
          AND (CAST(:run_id AS bigint) IS NULL OR delivery.run_id = :run_id)
          AND (CAST(:recipients AS text[]) IS NULL OR delivery.recipient = ANY(CAST(:recipients AS text[])))
          AND suppression.library = delivery.library AND suppression.channel = delivery.channel
          AND suppression.recipient = delivery.recipient AND {IN_FORCE}
        RETURNING delivery.delivery_id, delivery.reason
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', reason, true FROM cancelled
    RETURNING receipt_id
""")  # noqa: S608 - the condition is this module's own
# One JSON text for all: the driver escapes each address of an array one by one. Each is looked up by itself: how many
# there are is not seen by the planner, who would read the whole list for one reader.
_SUPPRESSED = text(f"""
    SELECT asked.channel, asked.recipient, found.reason
    FROM json_to_recordset(CAST(:asked AS json)) AS asked(channel text, recipient text)
    CROSS JOIN LATERAL (
        SELECT suppression.reason FROM suppressions suppression
        WHERE suppression.library = :library AND suppression.channel = asked.channel
          AND suppression.recipient = asked.recipient AND {IN_FORCE}
        OFFSET 0
    ) AS found
""")  # noqa: S608 - the condition is this module's own
# A number of which only the hash is kept: in force, or lifted and so not put back by an old list of the provider's.
_HIDDEN = text("""
    SELECT recipient FROM suppressions
    WHERE library = :library AND channel = 'sms' AND recipient = ANY(CAST(:hashes AS text[]))
      AND (lifted_at IS NULL OR :of_the_provider)
""")
_CLAIMED_AT = CLAIMED_AT.format(delivery="delivery.")
# What the number refused before a librarian lifted it does not count.
_DEAD = text(f"""
    SELECT asked.recipient
    FROM unnest(CAST(:recipients AS text[])) AS asked(recipient)
    CROSS JOIN LATERAL (
        SELECT delivery.state FROM deliveries delivery
        WHERE delivery.library = :library AND delivery.channel = 'sms' AND delivery.recipient = asked.recipient
          AND {_CLAIMED_AT} > coalesce(
              (SELECT max(lifted_at) FROM suppressions lifted WHERE lifted.library = :library
                  AND lifted.channel = 'sms' AND lifted.recipient = asked.recipient), '-infinity')
          AND NOT delivery.redirected
          AND (delivery.state = 'delivered'
               OR delivery.state = 'bounced' AND delivery.reason = 'recipient_refused'
               OR delivery.state = 'refused' AND delivery.reason = 'invalid_recipient')
        ORDER BY {_CLAIMED_AT} DESC LIMIT :failures
    ) AS latest
    GROUP BY asked.recipient
    HAVING count(*) = :failures AND bool_and(latest.state <> 'delivered')
""")  # noqa: S608 - the expression is a module's own
_LIFT = text(f"""
    UPDATE suppressions suppression SET lifted_at = now(), lifted_by = :who, lifted_because = :why
    WHERE suppression.library = :library AND suppression.suppression_id = :suppression_id AND {IN_FORCE}
    RETURNING suppression.channel, suppression.reason, suppression.recipient
""")  # noqa: S608 - the condition is this module's own

_OF_NUMBER = text("""
    SELECT min(patron_id) FROM readers WHERE library = :library AND mobile = :recipient AND mobile <> ''
    HAVING count(*) = 1
""")
_OF_ADDRESS = text("""
    SELECT min(patron_id) FROM readers WHERE library = :library AND lower(email) = lower(:recipient) AND email <> ''
    HAVING count(*) = 1
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mobile number to put on the list. `since` None: the day is not known."""

    recipient: str
    reason: SuppressionReason
    source: SuppressionSource
    since: datetime | None = None
    until: datetime | None = None
    detail: str = ""


def lock(connection: Connection, library: str) -> None:
    """Be the only one who changes the library's list and settles its feedback, until the transaction ends."""
    connection.execute(_LOCK, {"library": library})


def add(connection: Connection, library: str, entries: Iterable[Entry]) -> int:
    """Put numbers on the list, all for one reason, and cancel what waits for them; returns how many are new."""
    entries = list(entries)
    if not entries:
        return 0
    scope = {"library": library, "entries": json.dumps([_encoded(entry) for entry in entries])}
    fresh = list(connection.execute(_NOT_LIFTED_SINCE, scope).scalars())
    hashes = hidden(connection, library, [(Channel.SMS.value, recipient) for recipient in fresh])
    if hashes:
        of_the_provider = entries[0].reason is SuppressionReason.BLACKLIST
        asked = {"library": library, "hashes": list(hashes), "of_the_provider": of_the_provider}
        known = {hashes[one][1] for one in connection.execute(_HIDDEN, asked).scalars()}
        fresh = [recipient for recipient in fresh if recipient not in known]
    if not fresh:
        return 0
    outranks = entries[0].reason is not SuppressionReason.DEAD_NUMBER
    connection.execute(_MAKE_ROOM, {"library": library, "recipients": fresh, "outranks": outranks})
    joined = list(connection.execute(_JOIN, {**scope, "recipients": fresh}).scalars())
    if joined:
        connection.execute(_CANCEL, {"library": library, "run_id": None, "recipients": joined})
        note_suppressed(connection, library, Channel.SMS, entries[0].reason, joined)
        if not outranks:
            forget_numbers(connection, library, joined)
    return len(joined)


def _encoded(entry: Entry) -> dict[str, str | None]:
    return {
        "recipient": storable(entry.recipient),
        "reason": entry.reason.value,
        "source": entry.source.value,
        "since": None if entry.since is None else entry.since.isoformat(),
        "until": None if entry.until is None else entry.until.isoformat(),
        "detail": storable(entry.detail),
    }


def add_dead_numbers(connection: Connection, library: str, numbers: Sequence[str], *, failures: int) -> int:
    """Put those of these numbers on the list whose last `failures` SMS all failed for good."""
    if not numbers:
        return 0
    asked = {"library": library, "recipients": list(numbers), "failures": failures}
    detail = failed_in_a_row(failures)
    return add(
        connection,
        library,
        (
            Entry(
                recipient=number,
                reason=SuppressionReason.DEAD_NUMBER,
                source=SuppressionSource.RECEIPTS,
                detail=detail,
            )
            for number in connection.execute(_DEAD, asked).scalars()
        ),
    )


def cancel_waiting(connection: Connection, library: str, run_id: int) -> int:
    """Cancel the SMS of a run that wait for numbers on the list, or for readers who said no; returns how many."""
    refused = cancel_refused(connection, library, run_id)
    asked = {"library": library, "run_id": run_id, "recipients": None}
    return refused + len(connection.execute(_CANCEL, asked).all())


def suppressed(connection: Connection, library: str, recipients: Sequence[Recipient]) -> dict[Recipient, SkipReason]:
    """Those of these recipients that are on the list, and how a loan is skipped for each."""
    known: dict[tuple[str, str], Recipient] = {}
    for recipient in recipients:
        if isinstance(recipient, MobileNumber):
            known[Channel.SMS.value, recipient.value] = recipient
        elif isinstance(recipient, EmailAddress):
            known[Channel.EMAIL.value, recipient.value] = recipient
        else:
            known[Channel.LETTER.value, encode_recipient(recipient)] = recipient
    if not known:
        return {}
    for hash_of_it, place in hidden(connection, library, list(known)).items():
        known[place[0], hash_of_it] = known[place]
    asked = json.dumps([{"channel": channel, "recipient": value} for channel, value in known])
    return {
        known[row.channel, row.recipient]: SuppressionReason(row.reason).skip_reason
        for row in connection.execute(_SUPPRESSED, {"library": library, "asked": asked})
    }


def lift(connection: Connection, library: str, suppression_id: int, *, who: str, why: str) -> bool:
    """End one line in force; the journal keeps who did it, and why."""
    asked = {"library": library, "suppression_id": suppression_id, "who": storable(who), "why": storable(why)}
    row = connection.execute(_LIFT, asked).first()
    if row is None:
        return False
    keep(
        connection,
        library,
        who=who,
        act=JournalAct.SUPPRESSION_LIFTED,
        patron_id=_whose(connection, library, Channel(row.channel), row.recipient),
        detail=why,
        facts={"line": suppression_id, "channel": row.channel, "reason": row.reason},
    )
    return True


def note_added(
    connection: Connection, library: str, number: MobileNumber, *, who: str, until: datetime | None, detail: str
) -> None:
    """Keep in the journal that a librarian put a number on the list."""
    keep(
        connection,
        library,
        who=who,
        act=JournalAct.SUPPRESSED,
        patron_id=_whose(connection, library, Channel.SMS, number.value),
        detail=detail,
        facts={"channel": Channel.SMS.value, "until": "" if until is None else until.date().isoformat()},
    )


def _whose(connection: Connection, library: str, channel: Channel, recipient: str) -> str:
    """The only reader with this number or address, or nobody: several readers share the number of a family."""
    asked = {"library": library, "recipient": recipient}
    if channel is Channel.SMS:
        return connection.execute(_OF_NUMBER, asked).scalar() or ""
    return (connection.execute(_OF_ADDRESS, asked).scalar() or "") if channel is Channel.EMAIL else ""
