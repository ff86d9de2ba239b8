"""A ledger is brought up to date while senders use it: they wait for moments, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from loan_reminders.commands import migrate
from loan_reminders.domain.errors import LedgerFault, LedgerRefusal, LedgerUnavailable
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.scenes.any_revision import contents, same
from tests.simulators.postgres import EmbeddedPostgres


@pytest.mark.parametrize("fault", [LedgerFault.LOCK_HELD, LedgerFault.BLOCKED])
def test_a_step_that_others_were_in_the_way_of_is_tried_again(
    postgres_server: EmbeddedPostgres, own_ledger: str, monkeypatch: pytest.MonkeyPatch, fault: LedgerFault
) -> None:
    tried: list[str] = []

    def once_in_the_way(_config: object, revision: str) -> None:
        tried.append(revision)
        if len(tried) == 1:
            raise LedgerUnavailable(LedgerRefusal.UNAVAILABLE, fault=fault)

    monkeypatch.setattr(migrate.command, "upgrade", once_in_the_way)
    migrate.upgrade(postgres_server.url(own_ledger))
    assert tried == ["head", "head"]


def test_each_step_has_its_own_minute_however_long_those_before_it_took(
    postgres_server: EmbeddedPostgres, own_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time stands still but for the tries, of which each comes so far in so many seconds and meets others there."""
    clock = [0.0]
    tries = [("0026", 3600), ("0026", 59), ("0027", 5), ("0028", 3600), ("0028", 61)]
    tried: list[tuple[str, int]] = []

    def comes_so_far(_config: object, _revision: str) -> None:
        revision, seconds = tries[len(tried)]
        tried.append((revision, seconds))
        statement = f"UPDATE reminders_alembic_version SET version_num = '{revision}'"
        postgres_server.execute(statement, database=own_ledger)
        clock[0] += seconds
        raise LedgerUnavailable(LedgerRefusal.UNAVAILABLE, fault=LedgerFault.LOCK_HELD)

    monkeypatch.setattr(migrate.command, "upgrade", comes_so_far)
    monkeypatch.setattr(migrate.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(migrate.time, "sleep", lambda _: None)
    with pytest.raises(LedgerUnavailable):
        migrate.upgrade(postgres_server.url(own_ledger))
    assert tried == tries


class Load:
    """Sessions that read and write as senders do, while the tables change; a context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(2)]
        self.longest_s = 0.0
        self.written = 0
        self.failures: list[BaseException] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute("SET lock_timeout = '15s'")  # what a sender has
                while not self._over.is_set():
                    # Who meets the upgrade's locks in another order is refused, as a temporary fault: a sender begins
                    # again, and so does this.
                    with suppress(psycopg.errors.DeadlockDetected):
                        self._turn(connection, f"load {number} {self.written}")
        except BaseException as error:
            self.failures.append(error)

    def _turn(self, connection: psycopg.Connection, name: str) -> None:
        since = time.monotonic()
        with connection.transaction():
            row = connection.execute(
                "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
                " VALUES ('demo', 'overdue_notice', '2026-11-27', '2026-11-26', '2026-11-27', %s, 1, false)"
                " RETURNING run_id",
                (name,),
            ).fetchone()
            assert row is not None
            connection.execute(
                "INSERT INTO skips (library, run_id, loan_id, patron_id, reason)"
                " VALUES ('demo', %s, 'L', 'P', 'returned')",
                row,
            )
            connection.execute("SELECT count(*) FROM deliveries WHERE run_id = %s", row)
            connection.execute("UPDATE runs SET rows_read = 1 WHERE run_id = %s", row)
        self.longest_s = max(self.longest_s, time.monotonic() - since)
        self.written += 1


GROW = (
    "INSERT INTO loans_seen SELECT 1, loan_id || n, due_date, library, patron_id || n, seq, record"
    " FROM loans_seen, generate_series(1, 2000) AS n WHERE run_id = 1",
    "INSERT INTO receipts (library, delivery_id, state, applied) SELECT library, delivery_id, 'accepted', true"
    " FROM deliveries, generate_series(1, 1000)",
)


def test_an_upgrade_of_a_ledger_in_use_keeps_senders_waiting_for_moments_only(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str]
) -> None:
    database = copies(filled("0001"))
    for statement in GROW:
        postgres_server.execute(statement, database=database)
    before = contents(postgres_server, database, ["runs", "notices", "deliveries", "delivery_loans"])
    url = postgres_server.url(database)
    with Load(url) as load:
        migrate.upgrade(url)
    assert load.failures == []
    assert load.written > 10
    assert load.longest_s < migrate.LOCK_S + 5
    same(before, contents(postgres_server, database, before))
    [(kept,)] = postgres_server.execute("SELECT count(*) FROM runs WHERE dag_run_id LIKE 'load %'", database=database)
    assert kept == load.written


def test_nobody_waits_while_all_that_was_ever_sent_is_searched_for_trials(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str]
) -> None:
    url = postgres_server.url(copies(filled("0028")))
    searched = 0

    def use(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        nonlocal searched
        if "sent_words" in statement:
            searched += 1
            with psycopg.connect(url) as sender:
                sender.execute("SET lock_timeout = '1s'")
                sender.execute("UPDATE deliveries SET attempts = attempts + 1")
                sender.execute("SELECT count(*) FROM letter_batches")

    event.listen(Engine, "after_cursor_execute", use)
    try:
        migrate.upgrade(url, "0029")
    finally:
        event.remove(Engine, "after_cursor_execute", use)
    assert searched


def test_whoever_holds_a_table_is_waited_for_and_nobody_else_waits_behind(
    postgres_server: EmbeddedPostgres,
    filled: Callable[[str], str],
    copies: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrate, "LOCK_S", 1)
    database = copies(filled("0015"))
    url = postgres_server.url(database)
    done = threading.Event()

    def run() -> None:
        migrate.upgrade(url)
        done.set()

    upgrade = threading.Thread(target=run)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM runs")  # in a transaction that stays open
        upgrade.start()
        with Load(url) as load:
            assert not done.wait(3)
        reader.rollback()
    upgrade.join()
    assert load.failures == []
    assert load.longest_s < 3
    assert migrate.current(url) == SCHEMA_REVISION


def test_whoever_never_lets_go_is_told_of_and_nothing_is_half_done(
    postgres_server: EmbeddedPostgres,
    filled: Callable[[str], str],
    copies: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrate, "LOCK_S", 1)
    monkeypatch.setattr(migrate, "PATIENCE_S", 0.5)
    database = copies(filled("0015"))
    url = postgres_server.url(database)
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM runs")
        with pytest.raises(LedgerUnavailable):
            migrate.upgrade(url)
    assert migrate.current(url) == "0015"
    migrate.upgrade(url)
