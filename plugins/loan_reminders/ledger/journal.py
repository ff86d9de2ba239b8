"""The journal of who did what, and the forms that were sent; each act is kept in the transaction that does it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.ledger.json_codecs import storable

_KEEP = text("""
    INSERT INTO journal (library, who, act, patron_id, delivery_id, batch_id, run_id, detail, facts)
    VALUES (:library, :who, :act, coalesce(nullif(:patron_id, ''), (
        SELECT notice.patron_id FROM deliveries delivery JOIN notices notice USING (notice_id)
        WHERE delivery.delivery_id = CAST(:delivery_id AS uuid)
    ), ''), :delivery_id, :batch_id, :run_id, :detail, CAST(:facts AS jsonb))
""")
_KEEP_ONCE = text("""
    INSERT INTO journal (library, who, act, patron_id) SELECT :library, :who, :act, :patron_id
    WHERE NOT EXISTS (
        SELECT FROM journal WHERE library = :library AND patron_id = :patron_id AND patron_id <> ''
          AND at > now() - CAST(:within AS interval) AND who = :who AND act = :act
    )
""")
_KEEP_OF_LETTERS = text("""
    INSERT INTO journal (library, who, act, patron_id, delivery_id, batch_id, run_id, detail)
    SELECT :library, :who, line.act, notice.patron_id, line.delivery_id, line.batch_id, deliveries.run_id, line.detail
    FROM json_to_recordset(CAST(:lines AS json)) AS line(act text, delivery_id uuid, batch_id bigint, detail text)
    JOIN deliveries USING (delivery_id) JOIN notices notice USING (notice_id)
""")
_TAKE = text("""
    INSERT INTO form_keys (library, key, who, what) VALUES (:library, :key, :who, :what)
    ON CONFLICT (library, key) DO NOTHING RETURNING key
""")
_TAKEN = text("SELECT who, what, led_to FROM form_keys WHERE library = :library AND key = :key")
_DONE = text("UPDATE form_keys SET led_to = :led_to WHERE library = :library AND key = :key")
_FORGET = text("DELETE FROM form_keys WHERE library = :library AND key = :key")
_FORGET_OLD = text("DELETE FROM form_keys WHERE at < now() - interval '1 day'")

Transaction = Callable[[], AbstractContextManager[Connection]]


def keep(
    connection: Connection,
    library: str,
    *,
    who: str,
    act: JournalAct,
    patron_id: str = "",
    delivery_id: uuid.UUID | None = None,
    batch_id: int | None = None,
    run_id: int | None = None,
    detail: str = "",
    facts: Mapping[str, object] | None = None,
) -> None:
    """Add one line to the journal, in the caller's transaction: what is not done is not in it.

    The reader of a delivery need not be named: the line gets him.
    """
    line = {
        "library": library,
        "who": storable(who),
        "act": act.value,
        "patron_id": patron_id,
        "delivery_id": delivery_id,
        "batch_id": batch_id,
        "run_id": run_id,
        "detail": storable(detail),
        "facts": json.dumps(facts or {}),
    }
    connection.execute(_KEEP, line)


def keep_of_letters(connection: Connection, library: str, *, who: str, lines: Sequence[Mapping[str, object]]) -> None:
    """Add a line about each of these letters, with its reader, in one statement and in the caller's transaction.

    A line has `act`, `delivery_id`, `batch_id` and `detail`.
    """
    if lines:
        written = json.dumps([{**line, "delivery_id": str(line["delivery_id"])} for line in lines])
        connection.execute(_KEEP_OF_LETTERS, {"library": library, "who": storable(who), "lines": storable(written)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenKey:
    """Whether a form came for the first time; if not, where its answer led, empty while it is in hand."""

    first: bool
    led_to: str = ""


class PostgresFormKeys:
    """The forms of the pages that were sent."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def take(self, key: uuid.UUID, *, who: str, what: str) -> TakenKey:
        """Take a form in hand. One that another person sent, or that was made for another page, is new nowhere."""
        asked = {"library": self._library, "key": key}
        with self._transaction() as connection:
            connection.execute(_FORGET_OLD)
            if connection.execute(_TAKE, {**asked, "who": storable(who), "what": what}).first() is not None:
                return TakenKey(first=True)
            row = connection.execute(_TAKEN, asked).one()
            ours = (row.who, row.what) == (storable(who), what)
            return TakenKey(first=False, led_to=(row.led_to or "") if ours else "")

    def done(self, key: uuid.UUID, *, led_to: str) -> None:
        """Keep where the answer to a form led; with nothing, the form may be sent again."""
        asked = {"library": self._library, "key": key}
        with self._transaction() as connection:
            if led_to:
                connection.execute(_DONE, {**asked, "led_to": led_to})
            else:
                connection.execute(_FORGET, asked)


class PostgresJournal:
    """The journal of one library."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def keep(self, *, who: str, act: JournalAct, patron_id: str = "", detail: str = "") -> None:
        """Add one line about something that changes nothing in the ledger, such as a look at a reader's page."""
        with self._transaction() as connection:
            keep(connection, self._library, who=who, act=act, patron_id=patron_id, detail=detail)

    def keep_once(self, *, who: str, act: JournalAct, patron_id: str, within: timedelta) -> None:
        """Add one line about a look at a reader's page, unless the same person had the same look within this time."""
        asked = {"library": self._library, "who": storable(who), "act": act.value, "patron_id": patron_id}
        with self._transaction() as connection:
            connection.execute(_KEEP_ONCE, {**asked, "within": within})
