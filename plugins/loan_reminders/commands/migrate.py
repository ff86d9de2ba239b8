"""Lay out the ledger's database, or bring it up to date.

    loan-reminders migrate upgrade
    loan-reminders migrate current

The environment says where the ledger is: `REMINDERS_LEDGER_URL`, a file named by `REMINDERS_LEDGER_URL_FILE`, or
Airflow's `AIRFLOW_CONN_REMINDERS_LEDGER`. An address without a password may be given as `--url` instead. Two
migrations at once wait for each other.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, create_engine, text

from loan_reminders import ledger
from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable, ReminderError
from loan_reminders.french.refusals import sentence
from loan_reminders.ledger.address import from_command_line, from_text
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.schema import current_revision

# Asked again and again, never waited for: whoever waits within a statement would hold up an index made meanwhile.
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_lock(hashtextextended('reminders migrations', 0))")
PATIENCE_S = 60.0


@contextmanager
def _locked(url: str | URL) -> Iterator[Connection]:
    engine = create_engine(
        from_text(url) if isinstance(url, str) else url,
        hide_parameters=True,
        connect_args={"application_name": "loan_reminders migrations", "connect_timeout": 10},
    )
    try:
        with ledger_errors(), engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '60s'"))
            connection.commit()
            _wait_alone(connection)
            yield connection
            connection.commit()
    finally:
        engine.dispose()


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
    """Bring the tables up to a revision, the newest unless told; each migration is one transaction."""
    with _locked(url) as connection:
        command.upgrade(config(connection), revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Take the tables back to an older revision; `base` removes them and all they hold."""
    with _locked(url) as connection:
        command.downgrade(config(connection), revision)


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
    parser.add_argument("--url", help="où est le registre, sans mot de passe ; sinon l'environnement le dit")
    parser.add_argument("--revision", help="la révision voulue (obligatoire pour downgrade)")
    given = parser.parse_args(arguments)
    if given.action == "downgrade" and not given.revision:
        parser.error("downgrade demande --revision")
    try:
        url = from_command_line(given.url, os.environ)
        if given.action == "upgrade":
            upgrade(url, given.revision or "head")
        elif given.action == "downgrade":
            downgrade(url, given.revision)
        sys.stdout.write(f"registre à la révision {current(url) or 'aucune'}\n")
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    return 0
