"""Runs brought to a given point, for the ledger's tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.notices import Delivery, LoanKey, Skip
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sender import PostgresSender
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron

S = DeliveryState
STAGE_OF = {Channel.LETTER: Stage.FIRST_REMINDER, Channel.REGISTERED_LETTER: Stage.REGISTERED_LETTER}


def rows(ledger: PostgresLedger, statement: str, **parameters: Any) -> list[Any]:
    """What a query says, past the ledger's own ways."""
    with ledger.engine.begin() as connection:
        result = connection.execute(text(statement), parameters)
        return list(result.all()) if result.returns_rows else []


@contextmanager
def upgraded(ledger: PostgresLedger) -> Iterator[None]:
    """As long as this lasts, the tables are said to be those of a newer program, of revision 9999."""
    statement = "UPDATE reminders_alembic_version SET version_num = :to"
    rows(ledger, statement, to="9999")
    try:
        yield
    finally:
        rows(ledger, statement, to=SCHEMA_REVISION)


def opened(ledger: PostgresLedger, *, dag_run_id: str = "run-1", dry_run: bool = False, **changes: Any) -> Run:
    values = {
        "stage": Stage.OVERDUE_NOTICE,
        "reference_date": DUE_DATE + timedelta(days=1),
        "due_date": DUE_DATE,
        "today": DUE_DATE + timedelta(days=1),
    }
    return ledger.open_run(**{**values, **changes}, dag_run_id=dag_run_id, dry_run=dry_run)


def extracted(ledger: PostgresLedger, seen: Sequence[Loan | RejectedRow], **changes: Any) -> Run:
    run = opened(ledger, **changes)
    ledger.record_loans(run.run_id, seen)
    ledger.finish_extraction(run.run_id, len(seen))
    return run


def planned(ledger: PostgresLedger, deliveries: Sequence[Delivery], skips: Sequence[Skip] = (), **changes: Any) -> Run:
    """A run that saw the loans of these deliveries and planned them."""
    seen = {loan.loan_id: loan for delivery in deliveries for loan in delivery.notice.loans}
    run = extracted(ledger, tuple(seen.values()), **changes)
    with ledger.planning(run.run_id) as planning:
        planning.record(deliveries, skips)
    return run


def some_deliveries(count: int, *, channel: Channel = Channel.EMAIL, prefix: str = "L") -> tuple[Delivery, ...]:
    """Deliveries to as many readers, one loan each."""
    return tuple(
        a_delivery(
            channel=channel,
            notice=a_notice(
                stage=STAGE_OF.get(channel, Stage.OVERDUE_NOTICE),
                loans=(a_loan(loan_id=f"{prefix}{number}", patron=a_patron(patron_id=f"P{prefix}{number}")),),
            ),
        )
        for number in range(count)
    )


def keys(deliveries: Sequence[Delivery]) -> tuple[LoanKey, ...]:
    return tuple(
        LoanKey(loan_id=loan.loan_id, due_date=loan.due_date) for delivery in deliveries for loan in delivery.loans
    )


def answer(delivery: Delivery | uuid.UUID, state: DeliveryState, reason: Reason | None = None, **more: Any) -> Receipt:
    delivery_id = delivery.delivery_id if isinstance(delivery, Delivery) else delivery
    return Receipt(delivery_id=delivery_id, state=state, reason=reason, **more)


def ids(deliveries: Sequence[Delivery]) -> list[uuid.UUID]:
    return [delivery.delivery_id for delivery in deliveries]


def offered(sender: PostgresSender, page_size: int = 500) -> list[Delivery]:
    """Everything one pass offers."""
    return [delivery for page in sender.waiting(page_size) for delivery in page]


def states(ledger: PostgresLedger) -> dict[uuid.UUID, tuple[str, str | None]]:
    """State and reason of every delivery."""
    return {row[0]: (row[1], row[2]) for row in rows(ledger, "SELECT delivery_id, state, reason FROM deliveries")}


@contextmanager
def dead_sender(ledger: PostgresLedger, run: Run, channel: Channel) -> Iterator[PostgresSender]:
    """A sender whose process is killed at the end of the block: the server drops its connection."""
    sender = ledger.sender(run.run_id, channel)
    with sender:
        yield sender
        terminate(ledger, sender)


def terminate(ledger: PostgresLedger, sender: PostgresSender) -> None:
    """Cut a sender's connection at the server and wait until its lock is gone."""
    held = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (classid::bigint << 32 | objid::bigint) = hashtextextended(:token, 0)"
    )
    [[pid]] = rows(ledger, held, token=sender.token)
    rows(ledger, "SELECT pg_terminate_backend(:pid, 5000)", pid=pid)


def first_to_a_number(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The same, as a sender gets them when no SMS has ever reached their numbers."""
    return [replace(one, first=one.channel is Channel.SMS) for one in deliveries]


def by_id(deliveries: Sequence[Delivery]) -> list[Delivery]:
    return sorted(deliveries, key=lambda delivery: delivery.delivery_id)


def a_run(ledger: PostgresLedger, channel: Channel, count: int = 3) -> tuple[int, tuple[Delivery, ...]]:
    deliveries = some_deliveries(count, channel=channel)
    return planned(ledger, deliveries, stage=STAGE_OF.get(channel, Stage.OVERDUE_NOTICE)).run_id, deliveries
