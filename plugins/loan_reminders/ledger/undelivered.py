"""Deliveries that did not arrive: listed on the desk page until a librarian, or a later message, has settled them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from loan_reminders.domain.desk import DeskList, NotReached, StuckDelivery
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.readers.reader_numbers import number_of
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS

_PAPER = "delivery.channel IN ('letter', 'registered_letter')"
_NOT_LAID_OUT = f"({_PAPER} AND delivery.state = 'refused' AND delivery.reason IN ('not_rendered', 'text_too_long'))"
_ORDER = f"ARRAY[{STAGES_OF_LOANS}]"
# A loan is told by what was accepted at a later stage, or at this one: in the same slot, or, when it is sure that this
# message did not arrive, in the other. An SMS in doubt is not settled by the e-mail that went beside it.
_OPEN = f"""
    delivery.state NOT IN ('accepted', 'delivered') AND {{which}}
    AND NOT EXISTS (SELECT FROM desk_settlements settled WHERE settled.delivery_id = delivery.delivery_id)
    AND EXISTS (
        SELECT FROM delivery_loans claim
        WHERE claim.delivery_id = delivery.delivery_id AND claim.dropped IS NULL AND NOT EXISTS (
            SELECT FROM delivery_loans held JOIN deliveries arrived USING (delivery_id)
            WHERE held.library = claim.library AND held.loan_id = claim.loan_id AND held.due_date = claim.due_date
              AND held.live AND held.dropped IS NULL AND arrived.state IN ('accepted', 'delivered')
              AND NOT arrived.redirected
              AND (array_position({_ORDER}, arrived.stage) > array_position({_ORDER}, delivery.stage)
                   OR arrived.stage = delivery.stage
                      AND (arrived.slot = delivery.slot OR delivery.state NOT IN ('in_doubt', 'claimed')))
        )
    )
"""  # noqa: S608 - the pieces are this module's own
_RUNS = "run.library = :library AND run.started_at >= :since AND NOT run.dry_run"
_OF_STAGE = "(CAST(:stage AS text) IS NULL OR run.stage = :stage)"
# Run by run, the newest (or the oldest) first, so that a year of them is not gone through for the lines of one page;
# OFFSET 0 keeps PostgreSQL from joining them all before it sorts. The names are looked up for what is shown alone.
_STUCK = f"""
    SELECT stuck.*, notice.patron_id, {number_of("notice.patron_id")},
           seen.record->'patron'->>'name' AS name, seen.record->'patron'->>'barcode' AS barcode
    FROM (
        SELECT run.started_at, run.today, found.*
        FROM (SELECT * FROM runs run WHERE {_RUNS} AND {_OF_STAGE} ORDER BY run.started_at {{way}} OFFSET 0) AS run
        CROSS JOIN LATERAL (
            SELECT delivery.delivery_id, delivery.state, delivery.reason, delivery.stage, delivery.channel,
                   delivery.claimed_at, delivery.notice_id
            FROM deliveries delivery WHERE delivery.run_id = run.run_id AND {_OPEN}
            OFFSET 0
        ) AS found
        ORDER BY run.started_at {{way}}, found.delivery_id {{way}} LIMIT :limit OFFSET :offset
    ) AS stuck
    JOIN notices notice USING (notice_id)
    LEFT JOIN loans_seen seen
      ON seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1] AND seen.due_date = notice.due_date
    ORDER BY stuck.started_at {{way}}, stuck.delivery_id {{way}}
"""  # noqa: S608 - the pieces are this module's own
_NUMBER = f"""
    SELECT count(*) AS number, min(stuck.at) AS since FROM (
        SELECT coalesce(delivery.claimed_at, run.started_at) AS at
        FROM runs run JOIN deliveries delivery USING (run_id)
        WHERE {_RUNS} AND {_OPEN} LIMIT :limit
    ) AS stuck
"""  # noqa: S608 - the pieces are this module's own
# What a run still sends is not for librarians to see to: the run is closed first, or a day old.
_DOUBTFUL = """delivery.state IN ('in_doubt', 'claimed') AND (
    delivery.claimed_at < :doubtful_before OR run.closed_at IS NOT NULL
    OR delivery.channel = 'sms' AND delivery.reason = 'interrupted'
)"""
_NUMBER_IN_DOUBT = text(_NUMBER.format(which=_DOUBTFUL))
# What waits in a run that never went on is not sent by itself; what waits for a librarian's approval is no trouble.
_LOST = f"""(
    delivery.state IN ('refused', 'failed', 'bounced') AND NOT {_NOT_LAID_OUT}
    OR delivery.state = 'cancelled' AND delivery.reason = 'dead_address'
    OR delivery.state = 'planned' AND run.started_at < :doubtful_before AND NOT EXISTS (
        SELECT FROM letter_batches draft WHERE draft.run_id = run.run_id AND draft.state = 'draft'
    )
)"""
_NUMBER_NOT_ARRIVED = text(_NUMBER.format(which=_LOST))


def _both_ways(which: str) -> Mapping[bool, TextClause]:
    """The query of a list: the oldest first, or the newest."""
    return {oldest: text(_STUCK.format(which=which, way="ASC" if oldest else "DESC")) for oldest in (True, False)}


_LISTS = {
    DeskList.IN_DOUBT: _both_ways(_DOUBTFUL),
    DeskList.NOT_RENDERED: _both_ways(_NOT_LAID_OUT),
    DeskList.NOT_ARRIVED: _both_ways(_LOST),
}
_SETTLE = text("""
    WITH settled AS (
        INSERT INTO desk_settlements (delivery_id, library, who)
        SELECT delivery_id, library, :who FROM deliveries
        WHERE library = :library AND delivery_id = :delivery_id AND state NOT IN ('accepted', 'delivered')
        ON CONFLICT (delivery_id) DO NOTHING
        RETURNING delivery_id
    )
    SELECT run_id, channel, stage FROM deliveries JOIN settled USING (delivery_id)
""")


def stuck(
    connection: Connection, which: DeskList, asked: Mapping[str, Any], *, oldest_first: bool = False
) -> Sequence[StuckDelivery]:
    """A list of deliveries.

    `IN_DOUBT`: they may or may not have left, or were claimed by a task that never came to an end. `NOT_RENDERED`:
    letters that could not be laid out, or are too long to print. `NOT_ARRIVED`: what was refused, came back, was given
    up, or waits in a run that was not taken up again.
    """
    return read_stuck(connection, _LISTS[which][oldest_first], asked)


def count_in_doubt(connection: Connection, asked: Mapping[str, Any]) -> tuple[int, datetime | None]:
    """How many deliveries may or may not have left, up to the limit, and since when the oldest of them."""
    row = connection.execute(_NUMBER_IN_DOUBT, asked).one()
    return row.number, row.since


def count_not_arrived(connection: Connection, asked: Mapping[str, Any]) -> tuple[int, datetime | None]:
    """How many deliveries did not arrive, up to the limit, and since when the oldest of them."""
    row = connection.execute(_NUMBER_NOT_ARRIVED, asked).one()
    return row.number, row.since


def settle(connection: Connection, library: str, delivery_id: uuid.UUID, *, who: str) -> bool:
    """Keep that somebody saw to a delivery's reader; False when it is unknown, has arrived or was settled before."""
    asked = {"library": library, "delivery_id": delivery_id, "who": storable(who)}
    row = connection.execute(_SETTLE, asked).first()
    if row is None:
        return False
    facts = {"channel": row.channel, "stage": row.stage}
    act = JournalAct.DELIVERY_SETTLED
    keep(connection, library, who=who, act=act, delivery_id=delivery_id, run_id=row.run_id, facts=facts)
    return True


def read_stuck(connection: Connection, query: TextClause, asked: Mapping[str, Any]) -> Sequence[StuckDelivery]:
    """The deliveries that a query finds; its columns are those of `_STUCK`."""
    return tuple(
        StuckDelivery(
            delivery_id=row.delivery_id,
            patron_id=row.patron_id,
            patron_name=row.name or "",
            patron_barcode=row.barcode or "",
            reader_number=row.reader_number,
            stage=Stage(row.stage),
            channel=Channel(row.channel),
            state=DeliveryState(row.state),
            reason=None if row.reason is None else Reason(row.reason),
            day=row.today,
            at=row.claimed_at,
        )
        for row in connection.execute(query, asked)
    )


def read_not_reached(row: Row[Any]) -> NotReached:
    """A reader whom no message reached, as a list of them has him."""
    return NotReached(
        patron_id=row.patron_id,
        patron_name=row.name or "",
        patron_barcode=row.barcode or "",
        reader_number=row.reader_number,
        stage=Stage(row.stage),
        day=row.today,
        reason=SkipReason(row.reason),
        detail=row.detail,
    )
