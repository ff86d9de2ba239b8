"""Make sure that the tables of the ledger are those that this program was written for."""

from __future__ import annotations

import time

from sqlalchemy import Connection, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.ledger.tables import SCHEMA_REVISION
from loan_reminders.places import COMMAND

VERSION_TABLE = "reminders_alembic_version"
"""The ledger's own version table, so that it never meets another program's."""

CHECKED_AGAIN_S = 5.0
"""How many seconds a process of the web server relies on what it saw of the tables."""

UPGRADE_COMMAND = f"{COMMAND} migrate upgrade"


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at, or None when it was never laid out."""
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": VERSION_TABLE}).scalar() is None:
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM reminders_alembic_version")).scalar()
    return revision


def check_schema(connection: Connection) -> None:
    """Raise LedgerRefused, naming the command that mends it, when the tables are missing, older or newer."""
    revision = current_revision(connection)
    if revision == SCHEMA_REVISION:
        return
    if revision is None:
        raise LedgerRefused(LedgerRefusal.NO_TABLES, command=UPGRADE_COMMAND)
    if revision < SCHEMA_REVISION:
        raise LedgerRefused(
            LedgerRefusal.OLDER_TABLES, revision=revision, wanted=SCHEMA_REVISION, command=UPGRADE_COMMAND
        )
    raise LedgerRefused(LedgerRefusal.NEWER_TABLES, revision=revision, wanted=SCHEMA_REVISION)


class SchemaCheck:
    """Checks the tables before the first use of a ledger and, in a process that lives long, again every few seconds.

    Between an upgrade and its restart a web server of before would go on writing to tables it does not know. A task is
    short, and what it sent must be recorded: it looks once.
    """

    def __init__(self, *, again: bool) -> None:
        self._again = again
        self._checked_at: float | None = None

    def __call__(self, connection: Connection) -> None:
        """Check, unless that was done lately. Raises like `check_schema`."""
        now = time.monotonic()
        if self._checked_at is None or (self._again and now - self._checked_at >= CHECKED_AGAIN_S):
            check_schema(connection)
            self._checked_at = now
