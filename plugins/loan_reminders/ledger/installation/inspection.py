"""What the ledger's database says of itself: its version, its clock, the account's rights, and whether it is ours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, TextClause, exc, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.schema import check_schema
from loan_reminders.ledger.tables import metadata

_SELF = text("""
    SELECT current_setting('server_version') AS version, rolsuper AS superuser, pg_is_in_recovery() AS replica
    FROM pg_roles WHERE rolname = current_user
""")
_CLOCK = text("SELECT clock_timestamp() AS now")
_RIGHTS = text("""
    SELECT format('%s sur %s', wanted.privilege, wanted.table_name) AS missing
    FROM (
        SELECT table_name, privilege FROM unnest(CAST(:tables AS text[])) AS table_name
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
        WHERE NOT (table_name = 'journal' AND privilege = 'DELETE')
    ) AS wanted
    WHERE NOT has_table_privilege(wanted.table_name, wanted.privilege)
    ORDER BY 1
""")
_WRITE = text("INSERT INTO form_keys (key, library, who, what) VALUES (:key, :library, 'doctor', 'essai')")
_READ = text("SELECT count(*) FROM form_keys WHERE key = :key AND library = :library")
_LINE = text("INSERT INTO journal (library, who, act) VALUES (:library, 'doctor', :act) RETURNING entry_id")
# Each is tried on a line of our own, which is taken back.
_CHANGES = (
    text("UPDATE journal SET who = 'somebody else' WHERE entry_id = :entry_id"),
    text("DELETE FROM journal WHERE entry_id = :entry_id"),
)
_RUN_IN_EARNEST = text("""
    SELECT EXISTS (
        SELECT FROM runs run WHERE run.library = :library AND NOT run.dry_run AND EXISTS (
            SELECT FROM deliveries delivery
            WHERE delivery.run_id = run.run_id AND delivery.state IN ('accepted', 'delivered')
            HAVING count(*) > 0 AND NOT bool_or(delivery.redirected)
        )
    )
""")
_RUN = text("SELECT EXISTS (SELECT FROM runs WHERE library = :library)")
_PLACE = text("""
    SELECT inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr() AS is_here,
        CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory')
             ELSE '' END AS folder
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLook:
    """What was found. `missing_rights` each in a few words; `journal_guarded`: nobody can change a line of it."""

    version: str
    superuser: bool
    replica: bool
    missing_rights: tuple[str, ...]
    journal_guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPlace:
    """Where the server keeps its files: in which folder, if the account may know it, and of which machine.

    `is_here`: it is surely this one. Another address may still be this machine: that of a container beside ours.
    """

    is_here: bool
    folder: str


class LedgerInspection:
    """Asks, and leaves nothing behind. Each method raises LedgerUnavailable or LedgerRefused."""

    def __init__(self, engine: Engine, *, library: str) -> None:
        self._engine = engine
        self._library = library

    def look(self) -> LedgerLook:
        """Everything but the clock; the tables must be those of this program."""
        with ledger_errors(), self._engine.connect() as connection:
            check_schema(connection)
            itself = connection.execute(_SELF).one()
            missing = connection.execute(_RIGHTS, {"tables": sorted(metadata.tables)}).scalars().all()
            connection.rollback()
            if not missing and not itself.replica:
                self._write(connection)
            return LedgerLook(
                version=itself.version,
                superuser=itself.superuser,
                replica=itself.replica,
                missing_rights=tuple(missing),
                journal_guarded=itself.replica or all(self._is_refused(connection, change) for change in _CHANGES),
            )

    def clock(self) -> datetime:
        """The server's own clock."""
        with ledger_errors(), self._engine.connect() as connection:
            now: datetime = connection.execute(_CLOCK).scalar_one()
            return now

    def place(self) -> LedgerPlace:
        """Where the ledger lies."""
        with ledger_errors(), self._engine.connect() as connection:
            found = connection.execute(_PLACE).one()
            return LedgerPlace(is_here=found.is_here, folder=found.folder)

    def any_run_in_earnest(self) -> bool:
        """Whether a run of this library ever told readers; one in a trial, even of colleagues named in it, did not."""
        with ledger_errors(), self._engine.connect() as connection:
            check_schema(connection)
            return bool(connection.execute(_RUN_IN_EARNEST, {"library": self._library}).scalar_one())

    def any_run(self) -> bool:
        """Whether the ledger has a run of this library, be it one whose settings are not here any more."""
        with ledger_errors(), self._engine.connect() as connection:
            check_schema(connection)
            return bool(connection.execute(_RUN, {"library": self._library}).scalar_one())

    def _write(self, connection: Connection) -> None:
        """Write a line, read it, take it back."""
        row = {"key": uuid.uuid4(), "library": self._library}
        try:
            connection.execute(_WRITE, row)
            connection.execute(_READ, row).scalar_one()
        finally:
            connection.rollback()

    def _is_refused(self, connection: Connection, change: TextClause) -> bool:
        try:
            line = {"library": self._library, "act": JournalAct.HELD.value}
            connection.execute(change, {"entry_id": connection.execute(_LINE, line).scalar_one()})
        except exc.DBAPIError as error:
            return getattr(error.orig, "sqlstate", None) in {"P0001", "42501"}  # our trigger, or no right at all
        else:
            return False
        finally:
            connection.rollback()
