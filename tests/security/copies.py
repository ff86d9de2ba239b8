"""What a copy of a database holds, as whoever steals a backup reads it."""

from __future__ import annotations

from tests.simulators.postgres import EmbeddedPostgres

TABLES = (
    "SELECT format('SELECT row_to_json(t)::text FROM %s t', oid::regclass) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def everything(server: EmbeddedPostgres, database: str) -> str:
    """All rows of all tables, as text."""
    statements = [statement for (statement,) in server.execute(TABLES, database=database)]
    return "\n".join(row for statement in statements for (row,) in server.execute(statement, database=database))
