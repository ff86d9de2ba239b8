"""From the Airflow connection of the ILS to a source of loans."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from loan_reminders.domain.errors import IlsRejected, SettingsError
from loan_reminders.domain.runs.extraction import CodeMapping
from loan_reminders.domain.runs.reading.consent import NO_CODES
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.gateways.runs.ils_database import Engine, IlsDatabase, IlsSession
from loan_reminders.gateways.runs.loan_source import IlsLoanSource, IlsNoticeSource
from loan_reminders.gateways.runs.mariadb_database import MariaDbDatabase
from loan_reminders.gateways.runs.oracle_connection import OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
from loan_reminders.gateways.runs.patience import AT_ONCE, Patience
from loan_reminders.gateways.runs.postgres_database import PostgresDatabase
from loan_reminders.gateways.runs.statements import final_text
from loan_reminders.places import notice_statements, statement_folders
from loan_reminders.services.runs.check_notices import CheckedNotice

if TYPE_CHECKING:
    from airflow.sdk import Connection as AirflowConnection

    from loan_reminders.gateways.runs.checks.inspection import Inspection
    from loan_reminders.settings.ils import IlsSettings
    from loan_reminders.settings.library_toml import Settings

OUR_TYPE = "ils"
"""The type of connection with a form of our own (`connection_types`); its extra `engine` says which engine it is."""

_ENGINES = {
    "oracle": Engine.ORACLE,
    "postgres": Engine.POSTGRESQL,
    "mysql": Engine.MARIADB,
    "mariadb": Engine.MARIADB,
}
"""The engine behind each type of connection. Airflow's pages do not offer `mysql` without its provider, which this
project does without: a connection of type `generic` says the same in its extra `engine`."""


def loan_source(ils: IlsSettings, *, codes: CodeMapping, for_pages: bool = False) -> IlsLoanSource:
    """The library's loans, read through `ils.connection` with the statement of its kind of ILS; connects only later.

    What fails and may pass by itself is tried again, except `for_pages`, where a person waits.

    Raises SettingsError when the kind of ILS has no statement.
    """
    return IlsLoanSource(
        _AskedLater(ils=ils, zone=codes.zone),
        sql=statement(ils.kind, "loans_due", ils.statement_choices(codes.consent.columns)),
        now_sql=statement(ils.kind, "loan_now", ils.statement_choices()),
        binds=ils.statement_binds(),
        codes=codes,
        patience=AT_ONCE if for_pages else Patience(),
    )


def source_for(ours: Settings, stage: Stage | None, *, today: date, for_pages: bool = False) -> IlsLoanSource:
    """What a library's runs of a stage read: its loans, or what another notice of it tells of; without a stage, loans.

    `today` is the day of whoever asks. Raises like `loan_source`.
    """
    if stage is None or stage.is_about_loans:
        return loan_source(ours.ils, codes=ours.codes(), for_pages=for_pages)
    rule, codes = ours.policy().rule(stage), _codes_of(ours, stage)
    return IlsNoticeSource(
        _AskedLater(ils=ours.ils, zone=ours.zone),
        stage=stage,
        sql=notice_statement(ours.ils, stage, codes.consent.columns),
        days_back=rule.days_back,
        today=today,
        binds=ours.ils.statement_binds(),
        codes=codes,
        patience=AT_ONCE if for_pages else Patience(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _AskedLater:
    """The database, whose Airflow connection is looked up at the first question.

    A run is begun before that question, so that one without a connection is on the pages as a run that failed.
    """

    ils: IlsSettings
    zone: tzinfo | None

    def session(self) -> AbstractContextManager[IlsSession]:
        return ils_database(self.ils, zone=self.zone).session()


def ils_database(ils: IlsSettings, *, zone: tzinfo | None = None, conn_id: str = "") -> IlsDatabase:
    """The database that `ils.connection` leads to, by its type; connects only when a session is asked for.

    `zone` is the library's, for the session; `conn_id` another connection, which is tried before it is kept. Raises
    IlsRejected when Airflow has no such connection, or when its type is of no database that can be read.
    """
    connection = _airflow_connection(conn_id or ils.connection)
    time_out, size = ils.call_timeout_seconds * 1000, ils.array_size
    match _engine(connection):
        case Engine.POSTGRESQL:
            from loan_reminders.hooks.ils_drivers import open_postgres

            return PostgresDatabase(
                lambda: open_postgres(connection), zone=zone, call_timeout_ms=time_out, array_size=size
            )
        case Engine.MARIADB:
            from loan_reminders.hooks.ils_drivers import MariaDbHook

            hook = MariaDbHook(connection=connection, log_sql=False, call_timeout_ms=time_out)
            return MariaDbDatabase(hook.get_conn, zone=zone, call_timeout_ms=time_out, array_size=size)
        case _:
            account = _oracle_account(connection, zone)
            return OracleDatabase(account.connect, call_timeout_ms=time_out, array_size=size)


def ils_inspection(
    ils: IlsSettings,
    *,
    zone: tzinfo | None = None,
    conn_id: str = "",
    of: Stage | None = None,
    asked: Sequence[str] = (),
) -> Inspection:
    """The same database, to be asked about itself and about the two statements.

    `of` names a notice whose own statement takes the place of the first; `asked` are optional columns that it shall
    return. Raises like `ils_database`.
    """
    from loan_reminders.gateways.runs.checks.mariadb import MariaDbInspection
    from loan_reminders.gateways.runs.checks.oracle import OracleInspection
    from loan_reminders.gateways.runs.checks.postgresql import PostgresInspection

    inspections: Mapping[Engine, type[Inspection]] = {
        Engine.ORACLE: OracleInspection,
        Engine.POSTGRESQL: PostgresInspection,
        Engine.MARIADB: MariaDbInspection,
    }
    database = ils_database(ils, zone=zone, conn_id=conn_id)
    if of is None:
        sql = statement(ils.kind, "loans_due", ils.statement_choices(asked))
    else:
        sql = notice_statement(ils, of, asked)
    return inspections[database.engine](
        database,
        sql=sql,
        now_sql=statement(ils.kind, "loan_now", ils.statement_choices()),
        binds=ils.statement_binds(),
    )


def _codes_of(ours: Settings, stage: Stage) -> CodeMapping:
    """The codes of another notice: of one without SMS, who may have an SMS is no question."""
    if any(one.channel is Channel.SMS for one in ours.policy().rule(stage).channels):
        return ours.codes()
    return replace(ours.codes(), consent=NO_CODES)


def checked_notices(ours: Settings, *, today: date) -> Iterator[CheckedNotice]:
    """The notices of a library that are not about loans, to be checked."""
    for stage in ours.other_notices:
        asked = _codes_of(ours, stage).consent.columns
        yield CheckedNotice(
            stage=stage,
            columns=partial(_columns, ours, stage, asked),
            asked=asked,
            source=source_for(ours, stage, today=today, for_pages=True),
        )


def _columns(ours: Settings, stage: Stage, asked: Sequence[str]) -> Sequence[str]:
    return ils_inspection(ours.ils, zone=ours.zone, of=stage, asked=asked).columns()


def ils_clock(ils: IlsSettings, *, zone: tzinfo | None = None) -> datetime:
    """What time it is for the same database. Raises like `ils_database`, IlsUnavailable or IlsRejected."""
    from loan_reminders.gateways.runs.checks.clock import server_clock

    return server_clock(ils_database(ils, zone=zone))


def statement(ils_kind: str, name: str, choices: Mapping[str, str] | None = None) -> str:
    """One statement of one kind of ILS, `loans_due` or `loan_now`, with the forms that the settings choose.

    Raises SettingsError naming the kinds there are.
    """
    folders = statement_folders()
    if ils_kind not in folders:
        raise SettingsError(f"ils.kind = {ils_kind!r} : valeurs permises : {', '.join(sorted(folders))}")
    return final_text((folders[ils_kind] / f"{name}.sql").read_text(encoding="utf-8"), choices)


def notice_statement(ils: IlsSettings, stage: Stage, asked: Sequence[str] = ()) -> str:
    """The statement of a notice that is not about loans, with the forms that the settings choose.

    `asked` are optional columns that it shall return. Raises SettingsError when it is not there any more.
    """
    file = notice_statements(ils.kind).get(stage.value)
    if file is None:
        raise SettingsError(f"[notices.{stage.value}] : il manque sa requête, sql/{ils.kind}/notices/{stage.value}.sql")
    return final_text(file.read_text(encoding="utf-8"), ils.statement_choices(asked))


def _airflow_connection(conn_id: str) -> AirflowConnection:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise IlsRejected(f"Airflow n'a pas de connexion {conn_id} : la créer, puis relancer la tâche.") from None
    if connection.conn_type != OUR_TYPE:
        return connection
    # The form of our type has fields for every engine; those left empty are none of this one's.
    filled = {name: value for name, value in connection.extra_dejson.items() if value not in (None, "")}
    return evolve(connection, extra=json.dumps(filled))


def _engine(connection: AirflowConnection) -> Engine:
    told = connection.conn_type or ""
    name = str(connection.extra_dejson.get("engine") or "") if told in ("generic", OUR_TYPE) else told
    try:
        return _ENGINES[name.lower()]
    except KeyError:
        raise IlsRejected(
            f"La connexion {connection.conn_id} est de type « {told} », qui ne mène à aucune base lisible."
            " Types permis : ils (SIGB), avec son moteur ; oracle, postgres, mysql ; ou generic, avec l'extra engine"
            " qui dit oracle, postgres ou mariadb. La corriger dans Airflow, puis relancer la tâche."
        ) from None


def _oracle_account(connection: AirflowConnection, zone: tzinfo | None) -> OracleAccount:
    """The Airflow connection, checked. Raises IlsRejected when a field of it is wrong."""
    return OracleAccount(
        name=connection.conn_id,
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        extra=connection.extra,
        zone=getattr(zone, "key", None),
    )
