"""What SMS cost after an upgrade from a ledger that kept credits as if they were euros."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from loan_reminders.commands import migrate
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.costs import PostgresCosts
from loan_reminders.ledger.statistics.counting import count_again
from tests.scenes.ledger_runs import answer, ids, planned, rows
from tests.scenes.ledger_sms import an_sms
from tests.scenes.planted import YOUNG, Planted, plant, remove
from tests.simulators.postgres import EmbeddedPostgres

TODAY = datetime.now(UTC).date()
SPAN = {"first": TODAY - timedelta(days=2), "last": TODAY + timedelta(days=2), "zone": "Europe/Paris"}
COUNTED = "SELECT * FROM message_counters ORDER BY run_id, moment, channel"
BOOKS = "SELECT run_id, books FROM runs ORDER BY run_id"


@pytest.fixture
def url(postgres_server: EmbeddedPostgres, own_ledger: str) -> str:
    return postgres_server.url(own_ledger)


@contextmanager
def of_before(url: str) -> Iterator[PostgresLedger]:
    """A ledger to be filled as the program before filled it; then it is brought up to date."""
    with connect(url, library="demo") as ledger:
        yield ledger
    migrate.downgrade(url, "0032")
    migrate.upgrade(url)


def sent(ledger: PostgresLedger, name: str, costs: list[float], *, doubts: int = 0) -> None:
    """A closed run of SMS of one segment each: those accepted at these costs, and those that nobody answered for."""
    number = 100 * len(rows(ledger, "SELECT 1 FROM runs"))
    sms = [an_sms(f"33639{number + place:06d}") for place in range(len(costs) + doubts)]
    run = planned(ledger, sms, dag_run_id=name)
    receipts = [
        answer(one, DeliveryState.ACCEPTED, segments=1, cost=cost)
        for one, cost in zip(sms[: len(costs)], costs, strict=True)
    ]
    receipts += [answer(one, DeliveryState.IN_DOUBT, Reason.NO_ANSWER, segments=1) for one in sms[len(costs) :]]
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        sender.claim(ids(sms))
        sender.record(receipts)
    ledger.close_run(run.run_id)


def counted_anew(ledger: PostgresLedger) -> None:
    with ledger.engine.begin() as connection:
        count_again(connection, "demo", [run_id for run_id, _ in rows(ledger, BOOKS)])


def costs(ledger: PostgresLedger) -> tuple[float, int, int]:
    """Euros told, segments, and those of which none were, as the command of costs has them; counters say the same."""
    lines, [month] = ledger.sms_costs(**SPAN), ledger.part(PostgresCosts).counted(**SPAN)
    found = sum(one.cost for one in lines), sum(one.segments for one in lines), sum(one.unpriced for one in lines)
    assert (pytest.approx(float(month.told_by_provider)), month.segments, month.unpriced) == found
    return found


def test_credits_become_segments_without_a_price_and_euros_stay(url):
    with of_before(url) as ledger:
        sent(ledger, "credits", [15, 45, 15])
        sent(ledger, "credits, and nearly all in doubt", [15], doubts=20)
        sent(ledger, "euros", [0.05, 0.19], doubts=1)
    with connect(url, library="demo") as ledger:
        assert costs(ledger) == (pytest.approx(0.24), 27, 25)
        kept = rows(ledger, COUNTED), rows(ledger, BOOKS)
        assert [(books["cost"], books["unpriced"]) for _, books in kept[1]] == [(0, 3), (0, 1), (0.24, 0)]
        for run_id, _ in kept[1]:
            ledger.close_run(run_id)
        assert (rows(ledger, COUNTED), rows(ledger, BOOKS)) == kept


def test_credits_that_the_program_before_records_during_the_upgrade_are_found_too(url):
    with connect(url, library="demo") as ledger:
        sent(ledger, "under way", [0])
    migrate.downgrade(url, "0032")
    recorded = []

    def record(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if "UPDATE runs SET books" in statement and not recorded:
            recorded.append(statement)
            with psycopg.connect(url) as sender:
                sender.execute("UPDATE deliveries SET cost = 15")

    event.listen(Engine, "after_cursor_execute", record)
    try:
        migrate.upgrade(url)
    finally:
        event.remove(Engine, "after_cursor_execute", record)
    assert recorded
    with connect(url, library="demo") as ledger:
        assert costs(ledger) == (0, 1, 1)


def test_credits_of_sms_that_were_removed_become_segments_without_a_price(url, tmp_path):
    with of_before(url) as ledger:
        plant(ledger, tmp_path, [Planted(number=1), Planted(number=2, ended_on=YOUNG, seen_on=YOUNG)])
        rows(ledger, "UPDATE deliveries SET cost = 15 WHERE channel = 'sms'")
        for run_id, _ in rows(ledger, BOOKS):
            ledger.close_run(run_id)
        assert remove(ledger, tmp_path).loans == 1
    with connect(url, library="demo") as ledger:
        assert rows(ledger, "SELECT cost, unpriced FROM removed_messages WHERE channel = 'sms'") == [(0, 1)]
        kept = rows(ledger, COUNTED), rows(ledger, BOOKS)
        for run_id, _ in kept[1]:
            ledger.close_run(run_id)
        assert (rows(ledger, COUNTED), rows(ledger, BOOKS)) == kept
        assert [(one.cost, one.unpriced) for one in ledger.sms_costs(**SPAN)] == [(0, 2)]


def test_of_a_run_of_which_only_counters_are_left_they_tell(url):
    with of_before(url) as ledger:
        sent(ledger, "credits", [15, 15])
        sent(ledger, "euros", [0.05, 0.05])
        rows(ledger, "UPDATE counted_runs SET frozen = true")
        rows(ledger, "DELETE FROM deliveries")
    with connect(url, library="demo") as ledger:
        assert costs(ledger) == (pytest.approx(0.1), 4, 2)
