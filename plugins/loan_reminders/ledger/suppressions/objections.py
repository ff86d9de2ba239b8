"""Objections in the ledger: which readers are not written to by which channel, who noted it, and who lifted it.

From the moment an objection is in the ledger nothing begins to leave by that channel: what waits is cancelled in the
same transaction, and what a run planned or took over meanwhile when its sender begins. An e-mail in doubt may have
left: it stays in doubt, and is not sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.objections import (
    LONGEST_REASON,
    MAY_OBJECT,
    NO_OBJECTION,
    Objection,
    ObjectionRefusal,
    ObjectionRefused,
    Objections,
)
from loan_reminders.ledger import journal
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.retention.fingerprints import HIDDEN, fingerprints, make_fingerprints
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.tables.columns import OFFERED_IN_DOUBT

_READER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id")
_IN_FORCE = text("""
    SELECT patron_id, channel FROM objections
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND lifted_at IS NULL
""")
_NOTE = text("""
    INSERT INTO objections (library, patron_id, channel, reason, who)
    VALUES (:library, :patron_id, :channel, :reason, :who) RETURNING *
""")
_LIFT = text("""
    UPDATE objections SET lifted_at = now(), lifted_by = :who, lift_reason = :reason
    WHERE library = :library AND objection_id = :objection_id AND lifted_at IS NULL
      AND (CAST(:names AS text[]) IS NULL OR patron_id = ANY(CAST(:names AS text[])))
    RETURNING *
""")
_OF_READER = text("""
    SELECT * FROM objections WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[]))
    ORDER BY objection_id DESC
""")
_STOPPED = """
    WITH stopped AS (
        UPDATE deliveries delivery SET
            state = CASE delivery.state WHEN 'planned' THEN 'cancelled' ELSE delivery.state END, reason = 'opted_out',
            answered_at = CASE delivery.state WHEN 'planned' THEN now() ELSE delivery.answered_at END
        FROM notices notice{from_objections}
        WHERE notice.library = :library AND {whose} AND delivery.notice_id = notice.notice_id
          AND (delivery.state = 'planned'
               OR delivery.state = 'in_doubt' AND delivery.channel = 'email' AND {offered_in_doubt})
        RETURNING delivery.delivery_id, delivery.state
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, state, 'opted_out', true FROM stopped
    RETURNING receipt_id
"""
_STOP_OF_READER = text(
    _STOPPED.format(
        from_objections="",
        whose="notice.patron_id = :patron_id AND delivery.channel = :channel",
        offered_in_doubt=OFFERED_IN_DOUBT,
    )
)
# What was noted before is known when a run plans; but not of what it takes over, which an earlier run had planned.
_STOP_OF_RUN = text(
    _STOPPED.format(
        from_objections=", objections objection",
        whose="""objection.library = :library AND objection.lifted_at IS NULL
          AND objection.at >= (SELECT started_at - interval '31 days' FROM runs WHERE run_id = :run_id)
          AND objection.patron_id = notice.patron_id AND objection.channel = delivery.channel
          AND delivery.run_id = :run_id AND delivery.channel = :channel""",
        offered_in_doubt=OFFERED_IN_DOUBT,
    )
)
# Of a reader who goes: what he refuses stays, under a hash of his number.
_REFUSED_BY = text("""
    SELECT DISTINCT patron_id FROM objections
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND lifted_at IS NULL
""")
_FORGET_LIFTED = text("""
    DELETE FROM objections
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND lifted_at IS NOT NULL
""")
# One that was noted again beside its own hash is that same objection.
_FORGET_TWICE = text("""
    DELETE FROM objections line
    USING unnest(CAST(:patrons AS text[]), CAST(:hashes AS text[])) AS asked(patron_id, hash)
    WHERE line.library = :library AND line.patron_id = asked.patron_id AND EXISTS (
        SELECT FROM objections known
        WHERE known.library = :library AND known.patron_id = asked.hash AND known.channel = line.channel
          AND known.lifted_at IS NULL
    )
""")
_HIDE = text("""
    UPDATE objections line SET patron_id = asked.hash, reason = ''
    FROM unnest(CAST(:patrons AS text[]), CAST(:hashes AS text[])) AS asked(patron_id, hash)
    WHERE line.library = :library AND line.patron_id = asked.patron_id
""")


def objected(connection: Connection, library: str, patron_ids: Sequence[str]) -> Objections:
    """The channels that these readers refuse; those who refuse none are left out."""
    if not patron_ids:
        return NO_OBJECTION
    names = _names(connection, library, patron_ids)
    found: dict[str, set[Channel]] = {}
    for row in connection.execute(_IN_FORCE, {"library": library, "patrons": list(names)}):
        found.setdefault(names[row.patron_id], set()).add(Channel(row.channel))
    return {patron: frozenset(channels) for patron, channels in found.items()}


def refuses(connection: Connection, library: str, patron_id: str, channel: Channel) -> bool:
    """Whether a reader refuses a channel."""
    return channel in objected(connection, library, [patron_id]).get(patron_id, ())


def stop_refused(connection: Connection, library: str, run_id: int, channel: Channel) -> None:
    """Let nothing leave in a run by a channel that is refused by now: by its reader, or by whoever has the number."""
    if channel in MAY_OBJECT:
        connection.execute(_STOP_OF_RUN, {"library": library, "run_id": run_id, "channel": channel.value})
    if channel is Channel.SMS:
        suppressions.cancel_waiting(connection, library, run_id)


def hide_readers(connection: Connection, library: str, patron_ids: Sequence[str]) -> int:
    """Keep but the hash of readers who go with what they refuse; returns how many refuse something, then or before."""
    asked: dict[str, Any] = {"library": library, "patrons": list(patron_ids)}
    connection.execute(_FORGET_LIFTED, {"library": library, "patrons": list(_names(connection, library, patron_ids))})
    refusing = list(connection.execute(_REFUSED_BY, asked).scalars())
    if refusing:
        ours = make_fingerprints(connection, library)
        hashes = {"library": library, "patrons": refusing, "hashes": [ours.of_reader(one) for one in refusing]}
        connection.execute(_FORGET_TWICE, hashes)
        connection.execute(_HIDE, hashes)
    return len(objected(connection, library, patron_ids))


def _names(connection: Connection, library: str, patron_ids: Sequence[str]) -> Mapping[str, str]:
    """How objections may name these readers: by their number, or by its hash where something was ever removed."""
    names = {patron: patron for patron in patron_ids}
    ours = fingerprints(connection, library)
    if ours is not None:
        names |= {ours.of_reader(patron): patron for patron in patron_ids}
    return names


class PostgresObjections:
    """The part of one library's ledger where objections are kept."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def note(self, *, patron_id: str, channel: Channel, reason: str, who: str) -> Objection:
        """Write no more to a reader by a channel: what waits is cancelled, what is in doubt is not sent again.

        Raises ObjectionRefused when no reason is given, when the ledger does not know the reader, or when he refuses
        the channel already.
        """
        patron_id, said = storable(patron_id), storable(reason.strip())[:LONGEST_REASON]
        if not said:
            raise ObjectionRefused(ObjectionRefusal.NO_REASON)
        asked: dict[str, Any] = {"library": self._library, "patron_id": patron_id, "channel": channel.value}
        with self._transaction() as connection:
            if connection.execute(_READER, asked).first() is None:
                raise ObjectionRefused(ObjectionRefusal.UNKNOWN_READER)
            if refuses(connection, self._library, patron_id, channel):
                raise ObjectionRefused(ObjectionRefusal.ALREADY)
            noted = _objection(connection.execute(_NOTE, {**asked, "reason": said, "who": storable(who)}).one())
            connection.execute(_STOP_OF_READER, asked)
            self._keep(connection, JournalAct.OBJECTED, noted, who=who, detail=said)
        return noted

    def lift(self, objection_id: int, *, reason: str, who: str, patron_id: str = "") -> Objection:
        """Write again by that channel. Raises ObjectionRefused when it is not in force (any more), or without a reason.

        `patron_id` is whose page it was lifted from: it must be his, and the journal names him where the line itself
        has a hash.
        """
        said = storable(reason.strip())[:LONGEST_REASON]
        if not said:
            raise ObjectionRefused(ObjectionRefusal.NO_REASON)
        asked = {"library": self._library, "objection_id": objection_id, "reason": said, "who": storable(who)}
        with self._transaction() as connection:
            names = list(_names(connection, self._library, [storable(patron_id)])) if patron_id else None
            row = connection.execute(_LIFT, {**asked, "names": names}).first()
            if row is None:
                raise ObjectionRefused(ObjectionRefusal.NOT_IN_FORCE)
            lifted = _objection(row, named=storable(patron_id))
            self._keep(connection, JournalAct.OBJECTION_LIFTED, lifted, who=who, detail=said)
        return lifted

    def of_reader(self, patron_id: str) -> Sequence[Objection]:
        """All objections of a reader, the newest first, those that were lifted too."""
        patron_id = storable(patron_id)
        with self._transaction() as connection:
            names = _names(connection, self._library, [patron_id])
            found = connection.execute(_OF_READER, {"library": self._library, "patrons": list(names)})
            return tuple(_objection(row, named=patron_id) for row in found)

    def objected(self, patron_ids: Sequence[str]) -> Objections:
        """The channels that these readers refuse."""
        with self._transaction() as connection:
            return objected(connection, self._library, [storable(one) for one in patron_ids])

    def _keep(self, connection: Connection, act: JournalAct, one: Objection, *, who: str, detail: str) -> None:
        patron = "" if one.patron_id.startswith(HIDDEN) else one.patron_id
        facts = {"objection": one.objection_id, "channel": one.channel.value}
        journal.keep(connection, self._library, who=who, act=act, patron_id=patron, detail=detail, facts=facts)


def _objection(row: Row[Any], *, named: str = "") -> Objection:
    return Objection(
        objection_id=row.objection_id,
        patron_id=named or row.patron_id,
        channel=Channel(row.channel),
        reason=row.reason,
        at=row.at,
        who=row.who,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lift_reason=row.lift_reason,
    )
