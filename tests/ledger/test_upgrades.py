"""Every earlier revision of the ledger, filled with rows, brought up to date: alone, under load, cut short."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event

from loan_reminders.commands import migrate
from loan_reminders.domain.errors import LedgerRefused
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.sample_sizes import FULL
from tests.scenes.any_revision import LIBRARY, ROWS, contents, same, tables
from tests.scenes.asked import EVERYTHING
from tests.simulators.postgres import EmbeddedPostgres

SCRIPTS = ScriptDirectory.from_config(migrate.config())
REVISIONS = sorted(script.revision for script in SCRIPTS.walk_revisions())
EARLIER = REVISIONS[:-1]
IN_TWO_STEPS = [
    script.revision
    for script in SCRIPTS.walk_revisions()
    if "autocommit_block" in Path(script.path).read_text(encoding="utf-8")
]
"""Migrations that are not one transaction: what is cut short in the middle leaves something behind."""

ASKED_OF = EARLIER[:: 1 if FULL else 6]
"""Of which everything is asked that the program ever asks, and which are upgraded twice; in `make faults` all are."""

CUT = IN_TWO_STEPS if FULL else sorted({*IN_TWO_STEPS[::5], *sorted(IN_TWO_STEPS)[-3:]})
"""Those that are cut short, the newest in any case; in `make faults` all are."""

CUT_EACH = 1 if FULL else 4
"""At which statements of such a migration it is cut short: each, or one of so many."""

ONE_A_LIBRARY = frozenset({"retention_state", "marks", "gaps"})


@pytest.mark.parametrize("revision", EARLIER)
def test_each_earlier_ledger_keeps_everything_and_is_read_by_todays_program(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str], revision: str
) -> None:
    database = copies(filled(revision))
    url = postgres_server.url(database)
    known = tables(postgres_server, database)
    before = contents(postgres_server, database, known)
    short = {table: len(rows) for table, rows in before.items() if len(rows) != ROWS}
    assert set(short) <= ONE_A_LIBRARY, short
    assert all(before.values())
    for _ in range(2 if revision in ASKED_OF else 1):  # a second time changes nothing
        migrate.upgrade(url)
        assert migrate.current(url) == SCHEMA_REVISION
        same(before, contents(postgres_server, database, known))
    if revision in ASKED_OF:
        with connect(url, library=LIBRARY) as ledger:
            for ask in EVERYTHING:
                ask(ledger)


def test_a_ledger_of_today_goes_down_step_by_step_and_up_again(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str]
) -> None:
    database = copies(filled(SCHEMA_REVISION))
    url = postgres_server.url(database)
    # Further down, letters that wait are removed: rows made without a story hang together as no real ones do.
    for revision in reversed(EARLIER[2:]):
        migrate.downgrade(url, revision)
        assert migrate.current(url) == revision
    assert all(contents(postgres_server, database, tables(postgres_server, database)).values())
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION


class Cut(Exception):
    """The process is gone."""


@contextmanager
def cut_short(at: int) -> Iterator[list[str]]:
    """The process is gone at its statement of this number, from 1, if it comes so far; gives the statements it did."""
    done: list[str] = []

    def cut(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if re.match(r"\s*(?:CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)", statement):
            if len(done) + 1 == at:
                raise Cut
            done.append(statement)

    event.listen(Engine, "before_cursor_execute", cut)
    try:
        yield done
    finally:
        event.remove(Engine, "before_cursor_execute", cut)


@pytest.mark.parametrize("revision", CUT)
def test_what_is_cut_short_at_any_statement_is_done_again(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str], revision: str
) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1]
    cuts = 0
    for cut_at in range(1 + int(revision) % CUT_EACH, 200, CUT_EACH):
        database = copies(filled(before))
        url = postgres_server.url(database)
        with suppress(Cut), cut_short(cut_at):
            migrate.upgrade(url, revision)
            break
        cuts += 1
        migrate.upgrade(url, revision)
        assert migrate.current(url) == revision
        postgres_server.drop_database(database)
    assert cuts >= (3 if FULL else 1)


@pytest.mark.parametrize("revision", CUT)
def test_what_is_cut_short_on_the_way_back_is_done_again(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str], revision: str
) -> None:
    """At its last statement in any case, when all is done but the number of the revision is not written."""
    before = REVISIONS[REVISIONS.index(revision) - 1]
    url = postgres_server.url(copies(filled(revision)))
    with cut_short(0) as whole:
        migrate.downgrade(url, before)
    assert "alembic_version" in whole[-1]
    for cut_at in range(len(whole), 0, -CUT_EACH):
        database = copies(filled(revision))
        url = postgres_server.url(database)
        with pytest.raises(Cut), cut_short(cut_at):
            migrate.downgrade(url, before)
        assert migrate.current(url) == revision
        migrate.downgrade(url, before)
        assert migrate.current(url) == before
        postgres_server.drop_database(database)


def test_kill_9_in_the_middle_of_all_of_them(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str]
) -> None:
    database = copies(filled("0001"))
    before = contents(postgres_server, database, tables(postgres_server, database))
    url = postgres_server.url(database)
    code = f"from loan_reminders.commands.migrate import upgrade; upgrade({url!r})"
    killed = 0
    for pause in (0.0, 0.1, 0.2, 0.4):
        at = migrate.current(url)
        with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=os.environ) as process:
            while process.poll() is None and migrate_is_at(postgres_server, database) == at:
                time.sleep(0.01)
            time.sleep(pause)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
    assert killed
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION
    same(before, contents(postgres_server, database, before))


def migrate_is_at(server: EmbeddedPostgres, database: str) -> str:
    return str(server.execute("SELECT version_num FROM reminders_alembic_version", database=database)[0][0])


def test_two_upgrades_of_a_filled_ledger_at_once(
    postgres_server: EmbeddedPostgres, filled: Callable[[str], str], copies: Callable[[str], str]
) -> None:
    url = postgres_server.url(copies(filled("0004")))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(url)
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert failures == []
    assert migrate.current(url) == SCHEMA_REVISION


@pytest.mark.parametrize("action", ["upgrade", "downgrade"])
def test_a_ledger_newer_than_the_program_is_left_alone_and_told(
    postgres_server: EmbeddedPostgres,
    filled: Callable[[str], str],
    copies: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    action: str,
) -> None:
    database = copies(filled(SCHEMA_REVISION))
    postgres_server.execute("UPDATE reminders_alembic_version SET version_num = '0999'", database=database)
    before = contents(postgres_server, database, tables(postgres_server, database))
    url = postgres_server.url(database)
    assert migrate.main([action, "--url", url, "--revision", "0001" if action == "downgrade" else "head"]) == 1
    assert f"révision 0999, ce programme connaît {SCHEMA_REVISION}" in capsys.readouterr().err
    assert contents(postgres_server, database, tables(postgres_server, database)) == before
    with connect(url, library=LIBRARY) as ledger, pytest.raises(LedgerRefused):
        ledger.volume_answer(1)
    assert migrate_is_at(postgres_server, database) == "0999"
