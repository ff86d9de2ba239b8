"""Lay out the ledger's database, or bring it up to date.

    loan-reminders migrate upgrade
    loan-reminders migrate current

Airflow's connection `reminders_ledger` says where the ledger is, unless `REMINDERS_LEDGER_URL` does or a file named by
`REMINDERS_LEDGER_URL_FILE`. An address without a password may be given as `--url` instead. Two migrations at once wait
for each other.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event, text

from loan_reminders import ledger
from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.errors import (
    LedgerFault,
    LedgerRefusal,
    LedgerRefused,
    LedgerUnavailable,
    ReminderError,
)
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.for_commands import ledger_url
from loan_reminders.ledger.address import from_text
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.schema import current_revision
from loan_reminders.ledger.tables import SCHEMA_REVISION

# Asked again and again, never waited for: whoever waits within a statement would hold up an index made meanwhile.
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_lock(hashtextextended('reminders migrations', 0))")
PATIENCE_S = 60.0
"""How long, in seconds, a step of an upgrade is tried again while others hold what it needs."""

_IN_THE_WAY = (LedgerFault.LOCK_HELD, LedgerFault.BLOCKED)
"""Others hold what a step needs, or each waits for the other and PostgreSQL gave up this one: it is tried again."""

LOCK_S = 5
"""How long, in seconds, one statement waits for a table in use. Whoever wants the table meanwhile waits behind it, and
a sender gives up after 15: so the statement gives up first, lets them pass, and is tried again."""

INDEX_S = 600
"""How long, in seconds, an index made while the ledger is in use waits for older transactions. Nobody waits behind it,
and what was cut short would have to be made from the beginning."""


@contextmanager
def _locked(url: str | URL) -> Iterator[Connection]:
    engine = create_engine(
        from_text(url) if isinstance(url, str) else url,
        hide_parameters=True,
        connect_args={"application_name": "loan_reminders migrations", "connect_timeout": 10},
    )
    event.listen(engine, "before_cursor_execute", _wait_long_for_an_index)
    event.listen(engine, "after_cursor_execute", _wait_shortly_again)
    try:
        with ledger_errors(), engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = '{LOCK_S}s'"))
            connection.commit()
            _wait_alone(connection)
            yield connection
            connection.commit()
    finally:
        engine.dispose()


def _wait_long_for_an_index(_connection: Any, cursor: Any, statement: str, *_others: Any) -> None:
    if "CONCURRENTLY" in statement:
        cursor.execute(f"SET lock_timeout = '{INDEX_S}s'")


def _wait_shortly_again(_connection: Any, cursor: Any, statement: str, *_others: Any) -> None:
    if "CONCURRENTLY" in statement:
        cursor.execute(f"SET lock_timeout = '{LOCK_S}s'")


def _wait_alone(connection: Connection) -> None:
    """Be the only migration until the connection ends. Raises LedgerUnavailable."""
    deadline = time.monotonic() + PATIENCE_S
    while not connection.execute(_ONE_AT_A_TIME).scalar_one():
        connection.rollback()
        if time.monotonic() > deadline:
            raise LedgerUnavailable(LedgerRefusal.ANOTHER_UPGRADE)
        time.sleep(0.1)
    connection.commit()


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without an ini file; commands run on the connection given."""
    made = Config()
    made.set_main_option("script_location", str(Path(ledger.__file__).parent / "migrations").replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def upgrade(url: str | URL, revision: str = "head") -> None:
    """Bring the tables up to a revision, the newest unless told; each migration is one transaction.

    One that cannot have a table in use within some seconds, or is in the way of others, is undone and tried again for
    a minute; those before it stay, and each has its own minute. Raises LedgerRefused, before anything is written, when
    the tables are newer than this program.
    """
    _move(url, command.upgrade, revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Take the tables back to an older revision, for an older program; `base` removes them and all they hold.

    What the older tables have no place for is removed. Raises like `upgrade`.
    """
    _move(url, command.downgrade, revision)


def _move(url: str | URL, move: Callable[[Config, str], None], revision: str) -> None:
    reached: str | None = None
    deadline = 0.0
    while True:
        try:
            with _locked(url) as connection:
                _refuse_newer(connection)
                move(config(connection), revision)
            return
        except LedgerUnavailable as error:
            if error.facts.get("fault") not in _IN_THE_WAY:
                raise
            # Counted from when others are met at this step: those before it, or an index, may have taken hours.
            now, before, reached = time.monotonic(), reached, current(url)
            if not deadline or reached != before:
                deadline = now + PATIENCE_S
            if now > deadline:
                raise
            time.sleep(1)


def _refuse_newer(connection: Connection) -> None:
    """Raise LedgerRefused when the tables are of a newer program: nothing is known of them here."""
    revision = current_revision(connection)
    connection.rollback()
    if revision is not None and revision > SCHEMA_REVISION:
        raise LedgerRefused(LedgerRefusal.NEWER_TABLES, revision=revision, wanted=SCHEMA_REVISION)


def current(url: str | URL) -> str | None:
    """The revision of the tables, None when there are none."""
    with _locked(url) as connection:
        return current_revision(connection)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("migrate")
    parser.add_argument(
        "action",
        choices=("upgrade", "downgrade", "current"),
        help="mettre à jour, revenir en arrière, ou dire seulement la révision",
    )
    parser.add_argument("--url", help="où est le registre, sans mot de passe ; sinon, la connexion d'Airflow")
    parser.add_argument("--revision", help="la révision voulue (obligatoire pour downgrade)")
    given = parser.parse_args(arguments)
    if given.action == "downgrade" and not given.revision:
        parser.error("downgrade demande --revision")
    try:
        url = ledger_url(given.url)
        if given.action == "upgrade":
            upgrade(url, given.revision or "head")
        elif given.action == "downgrade":
            downgrade(url, given.revision)
        sys.stdout.write(f"registre à la révision {current(url) or 'aucune'}\n")
    except CommandError:  # Alembic's, in English
        parser.error(
            f"--revision {given.revision} : révision inconnue, ou sans chemin depuis celle du registre"
            " (loan-reminders migrate current)"
        )
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0
