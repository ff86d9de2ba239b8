"""What the SMS provider was told `OK` for is in the ledger, whatever happens; what is not, it is asked to say again."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from loan_reminders.domain.errors import LedgerUnavailable
from loan_reminders.web.sms import callbacks
from tests.bench.callbacks import burst, receipts
from tests.sample_sizes import sample
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, in_force
from tests.scenes.sms_callbacks import METHODS, ack, call, reply, told_ok
from tests.web.client import TOKEN, FixedRole, TestClient, browsing

pytestmark = pytest.mark.usefixtures("installed")
RECEIPTS = sample(300, full=1_000)
MORE_THAN_THERE_IS_TIME_FOR = 2_000


@METHODS
def test_what_cannot_be_kept_is_not_answered_ok(monkeypatch, tmp_path, method, caplog):
    gone = {"conn_type": "postgres", "login": "postgres", "schema": "ledger", "extra": {"host": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(gone))
    with browsing("") as client:
        answer = call(client, method, ack())
    assert (answer.status_code, "OK" in answer.text) == (503, False)
    assert NUMBER not in caplog.text
    assert TOKEN not in caplog.text


def test_without_a_connection_to_the_ledger_nothing_is_answered_ok(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing("") as client:
        assert call(client, "GET", ack()).status_code == 503


@contextmanager
def locked(ledger):
    """A ledger that cannot keep a receipt as long as this lasts."""
    with ledger.engine.begin() as connection:
        connection.execute(text("LOCK TABLE sms_acks IN ACCESS EXCLUSIVE MODE"))
        yield


@contextmanager
def several_at_once():
    """A client of an application of its own, as a librarian, and threads that use it."""
    from loan_reminders.web.app import create_app

    with (
        TestClient(create_app(FixedRole("biblio"))) as client,
        ThreadPoolExecutor(20) as threads,
    ):
        yield client, threads


def asked_for(count, client, threads):
    return [threads.submit(call, client, "GET", ack(sms_id=f"id-{number}")) for number in range(count)]


def test_a_flood_is_refused_before_it_reaches_the_ledger_and_the_pages_answer(ledger, monkeypatch):
    monkeypatch.setattr(callbacks, "MOST_WAITING", 3)
    with several_at_once() as (client, threads):
        with locked(ledger):
            calls = asked_for(12, client, threads)
            while sum(one.done() for one in calls) < 12 - callbacks.AT_ONCE - 3:
                time.sleep(0.01)
            assert {one.result().status_code for one in calls if one.done()} == {503}
            assert all(one.result().headers["retry-after"] for one in calls if one.done())
            assert client.get("/lots").status_code == 200
        codes = [one.result().status_code for one in calls]
    assert (codes.count(200), codes.count(503)) == (callbacks.AT_ONCE + 3, 7)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(callbacks.AT_ONCE + 3,)]


def test_what_a_slow_ledger_does_not_keep_in_time_is_to_be_said_again(ledger, monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS_TO_KEEP", 0.3)
    with several_at_once() as (client, threads):
        with locked(ledger):
            assert [one.result().status_code for one in asked_for(5, client, threads)] == [503] * 5
        monkeypatch.setattr(callbacks, "SECONDS_TO_KEEP", 30)
        assert all(told_ok(one.result()) for one in asked_for(5, client, threads))
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(5,)]


def test_what_is_kept_but_not_settled_is_answered_ok_and_settled_by_the_next(ledger, monkeypatch):
    settle = callbacks._settle

    def broken():
        raise LedgerUnavailable("down")

    monkeypatch.setattr(callbacks, "_settle", broken)
    with browsing("") as client:
        assert told_ok(call(client, "POST", reply("STOP")))
        assert in_force(ledger) == {}
        monkeypatch.setattr(callbacks, "_settle", settle)
        assert told_ok(call(client, "POST", ack("1", sms_id="another")))
    assert in_force(ledger) == {NUMBER: "stop"}


def test_several_at_once_are_all_settled(ledger):
    with several_at_once() as (client, threads):
        assert all(told_ok(one.result()) for one in asked_for(30, client, threads))
    assert rows(ledger, "SELECT count(*) FROM sms_acks WHERE settled_at IS NOT NULL") == [(30,)]


def test_a_burst_is_kept_whole_in_bounded_time(postgres_server, ledger_database):
    began = time.monotonic()
    found = burst(postgres_server, ledger_database, RECEIPTS)
    assert (found.said_ok, found.kept, found.lost) == (RECEIPTS, RECEIPTS, 0)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("method", ["POST", "GET"][: sample(1, full=2)])  # the same code answers both
def test_none_answered_ok_is_lost_when_the_process_is_killed(postgres_server, ledger_database, method):
    found = burst(postgres_server, ledger_database, MORE_THAN_THERE_IS_TIME_FOR, kill_after_s=0.5, method=method)
    assert found.lost == 0
    assert 0 < found.said_ok < MORE_THAN_THERE_IS_TIME_FOR


def test_receipts_are_told_apart():
    assert len({one["smsId"] for one in receipts(100)}) == 100
