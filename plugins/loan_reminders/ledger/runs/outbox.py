"""Deliveries out of the ledger, as the values they were when they were planned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from loan_reminders.domain.email.share import WHOLE
from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import Delivery, Notice
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.json_codecs import decode_loan, decode_recipient
from loan_reminders.ledger.suppressions.numbers_reached import never_reached
from loan_reminders.ledger.tables.columns import OFFERED_IN_DOUBT

LoanRecord = tuple[int, str, date]
"""A loan as one run saw it: run, loan id, due date."""

# Not a condition that an index of the ids would serve: one plan is kept for shares of every size, the whole run too.
IN_SHARE = "CASE WHEN delivery.delivery_id BETWEEN :first AND :last THEN true ELSE false END"
"""Whether a delivery is in the sender's share of its run; `first` and `last` are ids."""
ALL_IDS = {"first": WHOLE.first, "last": WHOLE.last}
"""The share that is all of a run."""

OFFERED = f"(delivery.state = ANY(CAST(:offered AS text[])) AND (delivery.state <> 'in_doubt' OR {OFFERED_IN_DOUBT}))"
"""Whether a row `delivery` is offered to a sender; `offered` are the states of its channel in which it may be."""

_PAGE = text(f"""
    SELECT delivery.delivery_id, delivery.channel, delivery.recipient, notice.notice_id, notice.stage,
           notice.due_date, notice.run_id, notice.loan_ids,
           ARRAY(
               SELECT loan_id FROM delivery_loans
               WHERE delivery_id = delivery.delivery_id AND dropped IS NULL
           ) AS claimed
    FROM deliveries delivery JOIN notices notice USING (notice_id)
    WHERE delivery.library = :library AND delivery.run_id = :run_id AND delivery.channel = :channel
      AND {OFFERED} AND delivery.delivery_id > :after
      AND (delivery.claimed_at IS NULL OR delivery.claimed_at < :since) AND {IN_SHARE}
    ORDER BY delivery.delivery_id
    LIMIT :page
""")  # noqa: S608 - the condition is this module's own
_RECORDS = text("""
    SELECT seen.run_id, seen.loan_id, seen.due_date, seen.record
    FROM unnest(CAST(:run_id AS bigint[]), CAST(:loan_id AS text[]), CAST(:due_date AS date[]))
        AS asked(run_id, loan_id, due_date)
    CROSS JOIN LATERAL (
        SELECT * FROM loans_seen
        WHERE run_id = asked.run_id AND loan_id = asked.loan_id AND due_date = asked.due_date
        OFFSET 0
    ) AS seen
""")


def offered_states(channel: Channel) -> tuple[str, ...]:
    """States in which a delivery is offered to a sender: an SMS in doubt never is, it costs money and intrudes."""
    if channel is Channel.SMS:
        return (DeliveryState.PLANNED.value,)
    return (DeliveryState.PLANNED.value, DeliveryState.IN_DOUBT.value)


def sample(connection: Connection, library: str, run_id: int, channel: Channel, size: int) -> Sequence[Delivery]:
    """The first deliveries that wait in a run by a channel, `size` at most."""
    now = connection.execute(select(func.clock_timestamp())).scalar_one()
    asked = {"library": library, "run_id": run_id, "channel": channel.value, "offered": list(offered_states(channel))}
    return read_page(connection, {**asked, **ALL_IDS, "after": uuid.UUID(int=0), "since": now, "page": size})


def read_page(connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Delivery]:
    """The next deliveries of a run, channel and share in the states offered, not tried since the pass began."""
    rows = connection.execute(_PAGE, parameters).all()
    loans = _loans(connection, rows)
    texted = {row.recipient for row in rows if row.channel == Channel.SMS.value}
    strangers = never_reached(connection, parameters["library"], texted)
    return tuple(_delivery(row, loans, first=row.recipient in strangers) for row in rows)


def _loans(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[LoanRecord, Loan]:
    wanted = sorted({(row.run_id, loan_id, row.due_date) for row in rows for loan_id in row.loan_ids})
    if not wanted:
        return {}
    parameters = dict(zip(("run_id", "loan_id", "due_date"), map(list, zip(*wanted, strict=True)), strict=True))
    return {
        (row.run_id, row.loan_id, row.due_date): decode_loan(row.record)
        for row in connection.execute(_RECORDS, parameters)
    }


def _delivery(row: Row[Any], loans: Mapping[LoanRecord, Loan], *, first: bool) -> Delivery:
    try:
        all_loans = tuple(loans[row.run_id, loan_id, row.due_date] for loan_id in row.loan_ids)
    except KeyError:
        raise LedgerRefused(LedgerRefusal.LOAN_LOST, delivery_id=row.delivery_id) from None
    claimed = frozenset(row.claimed)
    notice = Notice(
        notice_id=row.notice_id,
        stage=Stage(row.stage),
        patron=all_loans[0].patron,
        due_date=row.due_date,
        loans=all_loans,
    )
    channel = Channel(row.channel)
    return Delivery(
        delivery_id=row.delivery_id,
        notice=notice,
        channel=channel,
        recipient=decode_recipient(channel, row.recipient),
        loans=tuple(loan for loan in all_loans if loan.loan_id in claimed),
        first=first,
    )
