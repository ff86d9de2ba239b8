"""From the Airflow connection of the ILS to a source of loans."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import IlsRejected, SettingsError
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.gateways.runs.ils_database import IlsDatabase
from loan_reminders.gateways.runs.loan_source import IlsLoanSource
from loan_reminders.gateways.runs.oracle_database import OracleDatabase

if TYPE_CHECKING:
    from oracledb import Connection

    from loan_reminders.settings.ils import IlsSettings

SQL_FOLDER = Path(__file__).resolve().parents[3] / "sql"
"""One folder a kind of ILS, each with its `loans_due.sql`."""


def loan_source(ils: IlsSettings, *, codes: CodeMapping) -> IlsLoanSource:
    """The library's loans, read through `ils.connection` with the statement of its kind of ILS; connects only later.

    Raises SettingsError when the kind of ILS has no statement.
    """
    return IlsLoanSource(
        ils_database(ils),
        sql=statement(ils.kind, "loans_due"),
        now_sql=statement(ils.kind, "loan_now"),
        binds=ils.binds,
        codes=codes,
    )


def ils_database(ils: IlsSettings) -> IlsDatabase:
    """The database that `ils.connection` leads to; connects only when a session is asked for."""
    return OracleDatabase(
        lambda: _connect(ils.connection),
        call_timeout_ms=ils.call_timeout_seconds * 1000,
        array_size=ils.array_size,
    )


def statement(ils_kind: str, name: str) -> str:
    """One statement of one kind of ILS, `loans_due` or `loan_now`. Raises SettingsError naming the kinds there are."""
    kinds = sorted(path.parent.name for path in SQL_FOLDER.glob("*/loans_due.sql"))
    if ils_kind not in kinds:
        raise SettingsError(f"ils.kind = {ils_kind!r} : valeurs permises : {', '.join(kinds)}")
    return (SQL_FOLDER / ils_kind / f"{name}.sql").read_text(encoding="utf-8")


def _connect(conn_id: str) -> Connection:
    """Open the connection with Airflow's Oracle hook, which passes the driver's own errors on."""
    from airflow.providers.oracle.hooks.oracle import OracleHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return OracleHook(oracle_conn_id=conn_id, log_sql=False).get_conn()
    except AirflowNotFoundException:
        raise IlsRejected(f"Airflow n'a pas de connexion {conn_id} : la créer, puis relancer la tâche.") from None
