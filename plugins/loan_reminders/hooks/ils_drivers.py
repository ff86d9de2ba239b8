"""Airflow's hooks for databases of an ILS on PostgreSQL and MariaDB.

Of a hook only `get_conn` is used: its `run` and `get_records` fetch all rows at once, commit, and log statements.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.hooks.sql import DbApiHook
from attrs import evolve

from loan_reminders.gateways.runs.mariadb_connection import connect

if TYPE_CHECKING:
    from airflow.sdk import Connection as AirflowConnection
    from psycopg import Connection
    from pymysql.connections import Connection as MariaDbConnection

_USUAL = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Of libpq, in seconds: without them it waits for ever for a server that is off the network."""
_OURS = frozenset({"engine"})


def open_postgres(connection: AirflowConnection) -> Connection:
    """A connection of psycopg 3 by Airflow's PostgresHook: every extra is an option of libpq, such as `sslmode`."""
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    extra = {name: value for name, value in connection.extra_dejson.items() if name not in _OURS}
    asked = evolve(connection, extra=json.dumps({**_USUAL, **extra}))
    opened: Connection = PostgresHook(connection=asked, log_sql=False).get_conn()  # type: ignore[assignment]
    return opened


class MariaDbHook(DbApiHook):
    """Airflow's common SQL hook over PyMySQL.

    Airflow's own provider for MySQL is not used: it needs `mysqlclient`, which is built in C against the client
    library of the machine; it leaves out every time-out that the connection names; and it does not open PyMySQL.
    """

    conn_name_attr = "mysql_conn_id"
    default_conn_name = "mysql_default"
    conn_type = "mysql"
    hook_name = "MariaDB"
    supports_autocommit = True

    def __init__(self, *args: Any, call_timeout_ms: int = 60_000, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._call_timeout_ms = call_timeout_ms

    def get_conn(self) -> MariaDbConnection[Any]:
        """An open connection. Raises IlsRejected for a wrong extra, and the driver's errors."""
        asked = self.connection
        return connect(
            host=asked.host,
            port=asked.port,
            login=asked.login,
            password=asked.password,
            database=asked.schema,
            extra=asked.extra_dejson,
            call_timeout_ms=self._call_timeout_ms,
        )
