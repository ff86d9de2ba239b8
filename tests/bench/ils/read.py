"""The loans of one day: by the project's own source, and by the bare driver, which throws the rows away."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from typing import Any

from tests.bench.clock import Clock


def read_loans(clock: Clock, *, due: str, today: str, rounds: int, beside: bool = True) -> dict[str, Any]:
    """Read the day once unwatched, then so many times; `beside` reads it by the bare driver, too, each time in turn.

    Answers the number of loans, and the seconds of every time, ours and the driver's.
    """
    ours, bare = _source(date.fromisoformat(due), date.fromisoformat(today))
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    ways = {"ours": ours, "bare": bare} if beside else {"ours": ours}
    counted = set()
    for number in range(rounds + 1):
        for name, read in ways.items():
            since = time.perf_counter()
            with clock:
                counted.add(read())
            if number:
                taken[name].append(time.perf_counter() - since)
    if len(counted) > 1:
        raise SystemExit(f"the two ways do not read the same loans: {sorted(counted)}")
    return {"rows": counted.pop(), **taken}


def _source(due: date, today: date) -> tuple[Callable[[], int], Callable[[], int]]:
    from loan_reminders.domain.loans import Loan
    from loan_reminders.gateways.runs.binds import values_named
    from loan_reminders.gateways.runs.loan_source import days_offered
    from loan_reminders.hooks.ils import loan_source, statement
    from loan_reminders.settings.library_toml import settings

    ils, codes = settings().ils, settings().codes()
    source = loan_source(ils, codes=codes)
    sql = statement(ils.kind, "loans_due", ils.statement_choices())
    binds = values_named(sql, {**ils.statement_binds(), **days_offered(due, today)})
    server = json.loads(os.environ[f"AIRFLOW_CONN_{ils.connection.upper()}"])
    by_driver = {"oracle": _by_oracledb, "mysql": _by_pymysql}[server["conn_type"]]
    return (
        lambda: sum(isinstance(loan, Loan) for loan in source.loans_due(due, today=today)),
        lambda: by_driver(server, sql, binds),
    )


def _by_oracledb(server: Mapping[str, Any], sql: str, binds: Mapping[str, object]) -> int:
    import oracledb

    place = f"{server['host']}:{server['port']}/{server['extra']['service_name']}"
    with (
        oracledb.connect(user=server["login"], password=server["password"], dsn=place) as connection,
        connection.cursor() as cursor,
    ):
        cursor.arraysize, cursor.prefetchrows = 1000, 1001
        cursor.execute(sql, dict(binds))
        return _rows(cursor)


def _by_pymysql(server: Mapping[str, Any], sql: str, binds: Mapping[str, object]) -> int:
    import pymysql

    from loan_reminders.gateways.runs.binds import percent_binds

    with (
        closing(
            pymysql.connect(
                host=server["host"], port=server["port"], user=server["login"], password=server["password"],
                database=server["schema"], charset="utf8mb4", cursorclass=pymysql.cursors.SSCursor,
            )
        ) as connection,
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(percent_binds(sql), dict(binds))
        return _rows(cursor)


def _rows(cursor: Any) -> int:
    count = 0
    while rows := cursor.fetchmany(1000):
        count += len(rows)
    return count
