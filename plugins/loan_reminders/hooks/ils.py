"""From the Airflow connection of the ILS to a source of loans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import IlsRejected, SettingsError
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.gateways.runs.ils_database import Engine, IlsDatabase
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_connection import OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from loan_reminders.gateways.runs.patience import AT_ONCE, Patience
from loan_reminders.gateways.runs.statements import final_text

if TYPE_CHECKING:
    from loan_reminders.gateways.runs.checks.inspection import Inspection
    from loan_reminders.settings.ils import IlsSettings

SQL_FOLDER = Path(__file__).resolve().parents[3] / "sql"
"""One folder a kind of ILS, each with its `loans_due.sql`."""


def loan_source(ils: IlsSettings, *, codes: CodeMapping, for_pages: bool = False) -> IlsLoanSource:
    """The library's loans, read through `ils.connection` with the statement of its kind of ILS; connects only later.

    What fails and may pass by itself is tried again, except `for_pages`, where a person waits.

    Raises SettingsError when the kind of ILS has no statement.
    """
    return IlsLoanSource(
        ils_database(ils, zone=getattr(codes.zone, "key", None)),
        sql=statement(ils.kind, "loans_due", ils.statement_choices()),
        now_sql=statement(ils.kind, "loan_now", ils.statement_choices()),
        binds=ils.statement_binds(),
        codes=codes,
        patience=AT_ONCE if for_pages else Patience(),
    )


def ils_database(ils: IlsSettings, *, zone: str | None) -> IlsDatabase:
    """The database that `ils.connection` leads to; connects only when a session is asked for.

    `zone` is the time zone of its sessions, an IANA name: the library's.
    """
    return OracleDatabase(
        lambda: _oracle_account(ils.connection, zone).connect(),
        call_timeout_ms=ils.call_timeout_seconds * 1000,
        array_size=ils.array_size,
    )


def ils_inspection(ils: IlsSettings, *, zone: str | None) -> Inspection:
    """The same database, to be asked about itself and about the two statements."""
    from loan_reminders.gateways.runs.checks.mariadb import MariaDbInspection
    from loan_reminders.gateways.runs.checks.oracle import OracleInspection
    from loan_reminders.gateways.runs.checks.postgresql import PostgresInspection

    inspections: Mapping[Engine, type[Inspection]] = {
        Engine.ORACLE: OracleInspection,
        Engine.POSTGRESQL: PostgresInspection,
        Engine.MARIADB: MariaDbInspection,
    }
    database = ils_database(ils, zone=zone)
    return inspections[database.engine](
        database,
        sql=statement(ils.kind, "loans_due", ils.statement_choices()),
        now_sql=statement(ils.kind, "loan_now", ils.statement_choices()),
        binds=ils.statement_binds(),
    )


def statement(ils_kind: str, name: str, choices: Mapping[str, str] | None = None) -> str:
    """One statement of one kind of ILS, `loans_due` or `loan_now`, with the forms that the settings choose.

    Raises SettingsError naming the kinds there are.
    """
    kinds = sorted(path.parent.name for path in SQL_FOLDER.glob("*/loans_due.sql"))
    if ils_kind not in kinds:
        raise SettingsError(f"ils.kind = {ils_kind!r} : valeurs permises : {', '.join(kinds)}")
    return final_text((SQL_FOLDER / ils_kind / f"{name}.sql").read_text(encoding="utf-8"), choices)


def _oracle_account(conn_id: str, zone: str | None) -> OracleAccount:
    """The Airflow connection, checked. Raises IlsRejected when there is none, or when a field of it is wrong."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise IlsRejected(f"Airflow n'a pas de connexion {conn_id} : la créer, puis relancer la tâche.") from None
    return OracleAccount(
        name=conn_id,
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        extra=connection.extra,
        zone=zone,
    )
