"""Make sure that the tables of the ledger are those that this program was written for."""

from __future__ import annotations

from sqlalchemy import Connection, text

from loan_reminders.domain.errors import PermanentError
from loan_reminders.ledger.tables import SCHEMA_REVISION

VERSION_TABLE = "reminders_alembic_version"
"""The ledger's own version table, so that it never meets another program's."""

UPGRADE_COMMAND = "python -m loan_reminders.commands.migrate upgrade"


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at, or None when it was never laid out."""
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": VERSION_TABLE}).scalar() is None:
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM reminders_alembic_version")).scalar()
    return revision


def check_schema(connection: Connection) -> None:
    """Raise PermanentError, naming the command that mends it, when the tables are missing, older or newer."""
    revision = current_revision(connection)
    if revision == SCHEMA_REVISION:
        return
    if revision is None:
        raise PermanentError(f"La base du registre n'a pas encore de tables : lancer `{UPGRADE_COMMAND}`.")
    if revision < SCHEMA_REVISION:
        raise PermanentError(
            f"Les tables du registre sont à la révision {revision}, il faut {SCHEMA_REVISION} :"
            f" lancer `{UPGRADE_COMMAND}`."
        )
    raise PermanentError(
        f"Les tables du registre sont à la révision {revision}, ce programme connaît {SCHEMA_REVISION} :"
        " installer la nouvelle version du programme."
    )
