"""What was put right of what the ILS tells of readers: noted by a person, used as rows of the ILS come in.

A row that comes in is amended before it is kept: whatever is made of it afterwards, from the plan to the envelope, is
made with what was put right. An amendment ends by itself the day the ILS gives something else than it did.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.readers.amendments import (
    LONGEST_REASON,
    AmendedField,
    Amendment,
    AmendmentEnd,
    AmendmentRefusal,
    AmendmentRefused,
    Value,
    amended,
    given,
)
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger import journal
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import decode_contact, decode_patron, encode_contact, storable
from loan_reminders.ledger.readers.seen import searched

WHO_WE_ARE = "relances"
"""Who ends an amendment that no person ended."""

_IN_FORCE = text("""
    SELECT * FROM amendments
    WHERE library = :library AND patron_id = ANY(CAST(:patrons AS text[])) AND ended_at IS NULL
""")
_OF_READER = text("""
    SELECT * FROM amendments WHERE library = :library AND patron_id = :patron_id ORDER BY amendment_id DESC
""")
_ENDED = text("""
    UPDATE amendments line SET ended_at = now(), how = asked.how, ended_by = :who
    FROM unnest(CAST(:ids AS bigint[]), CAST(:hows AS text[])) AS asked(amendment_id, how)
    WHERE line.library = :library AND line.amendment_id = asked.amendment_id AND line.ended_at IS NULL
    RETURNING line.*
""")
_LEARNT = text("""
    UPDATE amendments line SET instead_of = asked.instead_of
    FROM json_to_recordset(CAST(:learnt AS json)) AS asked(amendment_id bigint, instead_of jsonb)
    WHERE line.library = :library AND line.amendment_id = asked.amendment_id AND line.instead_of IS NULL
""")
_NOTE = text("""
    INSERT INTO amendments (library, patron_id, field, value, instead_of, reason, who)
    VALUES (:library, :patron_id, :field, CAST(:value AS jsonb), CAST(:instead_of AS jsonb), :reason, :who) RETURNING *
""")
_READER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id FOR UPDATE")
_NEWEST = text("""
    WITH known AS (
        SELECT unnest(loan_ids) AS loan_id FROM notices WHERE library = :library AND patron_id = :patron_id
        UNION SELECT loan_id FROM skips WHERE library = :library AND patron_id = :patron_id
    )
    SELECT seen.patron FROM known CROSS JOIN LATERAL (
        SELECT run_id, record -> 'patron' AS patron FROM loans_seen
        WHERE library = :library AND loan_id = known.loan_id AND patron_id = :patron_id
          AND NOT starts_with(loan_id, '@') OFFSET 0
    ) AS seen
    ORDER BY seen.run_id DESC LIMIT 1
""")
_READER_NOW = text("""
    UPDATE readers SET
        name = coalesce(:name, name), email = coalesce(:email, email), mobile = coalesce(:mobile, mobile),
        name_words = coalesce(CAST(:name_words AS text[]), name_words),
        trigrams = coalesce(CAST(:trigrams AS text[]), trigrams)
    WHERE library = :library AND patron_id = :patron_id
""")


def at_the_door(
    connection: Connection, library: str, rows: Sequence[Loan | RejectedRow], *, dry_run: bool
) -> Sequence[Loan | RejectedRow]:
    """These rows of the ILS with what was put right of their readers; a dry run uses it, and ends nothing.

    What is no loan comes without a postal address: that says nothing of the one that the ILS has.
    """
    patrons = {row.patron.patron_id: row.patron for row in rows if isinstance(row, Loan)}
    asked = {"library": library, "patrons": [storable(one) for one in patrons]}
    in_force: dict[str, list[Amendment]] = defaultdict(list)
    for found in connection.execute(_IN_FORCE, asked) if patrons else ():
        in_force[found.patron_id].append(_amendment(found))
    if not in_force:
        return rows
    addressed = {row.patron.patron_id for row in rows if isinstance(row, Loan) and row.is_loan}
    made = {
        patron_id: amended(patron, _about(in_force[storable(patron_id)], with_address=patron_id in addressed))
        for patron_id, patron in patrons.items()
        if storable(patron_id) in in_force
    }
    if not dry_run:
        ended = {one: how for each in made.values() for one, how in each.ended.items()}
        _end(connection, library, ended)
        learnt = [
            {"amendment_id": one, "instead_of": encode_contact(value)}
            for each in made.values()
            for one, value in each.learnt.items()
        ]
        if learnt:
            connection.execute(_LEARNT, {"library": library, "learnt": json.dumps(learnt)})
    return [
        replace(row, patron=made[row.patron.patron_id].patron)
        if isinstance(row, Loan) and row.patron.patron_id in made
        else row
        for row in rows
    ]


def _about(amendments: Sequence[Amendment], *, with_address: bool) -> Sequence[Amendment]:
    return [one for one in amendments if with_address or one.field is not AmendedField.ADDRESS]


def _end(connection: Connection, library: str, ended: Mapping[int, AmendmentEnd], *, who: str = WHO_WE_ARE) -> None:
    if not ended:
        return
    asked = {
        "library": library,
        "who": storable(who),
        "ids": list(ended),
        "hows": [how.value for how in ended.values()],
    }
    for row in connection.execute(_ENDED, asked).all():
        _keep(connection, library, JournalAct.AMENDMENT_ENDED, _amendment(row), who=who, detail="")


class PostgresAmendments:
    """The part of one library's ledger where amendments are kept."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def note(self, *, patron_id: str, field: AmendedField, value: Value, reason: str, who: str) -> Amendment:
        """Let a value stand in for what the ILS gives of a reader; one in force of the same field gives way to it.

        Searches and messages sent once more go by it at once, runs from their next reading of the ILS on. Raises
        AmendmentRefused without a reason, for a reader whom the ledger does not know, or of whom the ILS says just
        that.
        """
        patron_id, said = storable(patron_id), storable(reason.strip())[:LONGEST_REASON]
        if not said:
            raise AmendmentRefused(AmendmentRefusal.NO_REASON)
        asked: dict[str, Any] = {"library": self._library, "patron_id": patron_id}
        with self._transaction() as connection:
            if connection.execute(_READER, asked).first() is None:
                raise AmendmentRefused(AmendmentRefusal.UNKNOWN_READER)
            described = connection.execute(_NEWEST, asked).scalar()
            if described is None:
                raise AmendmentRefused(AmendmentRefusal.NOT_DESCRIBED)
            instead_of = self._instead_of(
                connection, decode_patron(described), (field, value), patron_id=patron_id, who=who
            )
            line = {
                **asked,
                "field": field.value,
                "value": json.dumps(encode_contact(value)),
                "instead_of": None if instead_of is None else json.dumps(encode_contact(instead_of)),
                "reason": said,
                "who": storable(who),
            }
            noted = _amendment(connection.execute(_NOTE, line).one())
            connection.execute(_READER_NOW, {**asked, **_shown(value)})
            _keep(connection, self._library, JournalAct.AMENDED, noted, who=who, detail=said)
        return noted

    def _instead_of(
        self, connection: Connection, patron: Patron, put: tuple[AmendedField, Value], *, patron_id: str, who: str
    ) -> Value | Refusal | None:
        """What the ILS gives, where the newest row tells it: None where that row was amended. Makes room for a new one.

        The next run that reads the ILS finds out what it gives.
        """
        field, value = put
        asked = {"library": self._library, "patron_id": patron_id}
        earlier = [_amendment(row) for row in connection.execute(_OF_READER, asked)]
        before = next((one for one in earlier if one.in_force and one.field is field), None)
        if before is not None:
            if before.value == value:
                raise AmendmentRefused(AmendmentRefusal.SAME)
            _end(connection, self._library, {before.amendment_id: AmendmentEnd.REPLACED}, who=who)
            return before.instead_of
        # A name that was put right stands at the head of the address too.
        told_by = (field, AmendedField.NAME) if field is AmendedField.ADDRESS else (field,)
        over = (AmendmentEnd.AGREED, AmendmentEnd.CHANGED)
        if any(one.field in told_by and one.how not in over for one in earlier):
            return None
        now = given(patron, field)
        if now == value:
            raise AmendmentRefused(AmendmentRefusal.SAME)
        return now

    def end(self, amendment_id: int, *, who: str) -> str:
        """Believe the ILS again from its next reading on; whose it was. Raises AmendmentRefused when it is over."""
        with self._transaction() as connection:
            asked = {"library": self._library, "who": storable(who), "ids": [amendment_id], "hows": ["lifted"]}
            row = connection.execute(_ENDED, asked).first()
            if row is None:
                raise AmendmentRefused(AmendmentRefusal.NOT_IN_FORCE)
            ended = _amendment(row)
            _keep(connection, self._library, JournalAct.AMENDMENT_ENDED, ended, who=who, detail="")
        return ended.patron_id

    def of_reader(self, patron_id: str) -> Sequence[Amendment]:
        """All amendments of a reader, the newest first, those that ended too."""
        asked = {"library": self._library, "patron_id": storable(patron_id)}
        with self._transaction() as connection:
            return tuple(_amendment(row) for row in connection.execute(_OF_READER, asked))


def _shown(value: Value) -> dict[str, Any]:
    """What the table of readers shows of a value, None for what it leaves as it is."""
    name = value if isinstance(value, str) else None
    words: dict[str, Any] = searched(name) if name is not None else {"name_words": None, "trigrams": None}
    return {
        "name": name,
        "email": value.value if isinstance(value, EmailAddress) else None,
        "mobile": value.value if isinstance(value, MobileNumber) else None,
        **{key: None if found is None else list(found) for key, found in words.items()},
    }


def _keep(connection: Connection, library: str, act: JournalAct, one: Amendment, *, who: str, detail: str) -> None:
    """Which field was put right, never with what."""
    facts = {"amendment": one.amendment_id, "field": one.field.value, "how": "" if one.how is None else one.how.value}
    journal.keep(connection, library, who=who, act=act, patron_id=one.patron_id, detail=detail, facts=facts)


def _amendment(row: Row[Any]) -> Amendment:
    field = AmendedField(row.field)
    value = decode_contact(row.value)
    if isinstance(value, Refusal):
        raise ValueError("an amendment stands for something")
    return Amendment(
        amendment_id=row.amendment_id,
        patron_id=row.patron_id,
        field=field,
        value=value,
        instead_of=None if row.instead_of is None else decode_contact(row.instead_of),
        reason=row.reason,
        at=row.at,
        who=row.who,
        ended_at=row.ended_at,
        how=None if row.how is None else AmendmentEnd(row.how),
        ended_by=row.ended_by,
    )
