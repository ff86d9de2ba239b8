"""What time it is for a database of an ILS."""

from __future__ import annotations

from datetime import UTC, datetime

from loan_reminders.gateways.runs.checks.inspection import all_rows
from loan_reminders.gateways.runs.ils_database import Engine, IlsDatabase

# Oracle has no seconds since 1970; SYS_EXTRACT_UTC is in the SQL Language Reference, of every version that is read.
_ASKED = {
    Engine.ORACLE: "SELECT TO_CHAR(SYS_EXTRACT_UTC(CURRENT_TIMESTAMP), 'YYYYMMDDHH24MISS') AS moment FROM dual",
    Engine.POSTGRESQL: "SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint) AS moment",
    Engine.MARIADB: "SELECT UNIX_TIMESTAMP() AS moment",
}


def server_clock(database: IlsDatabase) -> datetime:
    """The server's clock, to the second. Raises IlsUnavailable or IlsRejected."""
    with database.session() as session:
        (row,) = all_rows(session, _ASKED[database.engine])
    if database.engine is Engine.ORACLE:
        return datetime.strptime(str(row["moment"]), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(row["moment"]), UTC)
