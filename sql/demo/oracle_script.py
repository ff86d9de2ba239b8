"""The fictional library as an SQL*Plus script, for a real Oracle in a container."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from sql.demo.tables import ALEPH, Library, Row, Schema

_COMMIT_EVERY = 1000
_PIECE = 500
_HEADER = """\
-- Made by sql/demo/generator.py. For the folder container-entrypoint-initdb.d of an Oracle Free image,
-- whose scripts run as SYSDBA in the root container.
SET DEFINE OFF
SET SQLBLANKLINES ON
SET FEEDBACK OFF
WHENEVER SQLERROR EXIT SQL.SQLCODE
ALTER SESSION SET CONTAINER = {container};
ALTER SESSION SET CURRENT_SCHEMA = {schema};
"""


def write_oracle_sql(path: Path, library: Library, *, schema: str = "ILS", container: str = "FREEPDB1") -> None:
    """The library as Aleph's tables; see `write_script`."""
    write_script(path, ALEPH, library.rows, schema=schema, container=container)


def write_script(
    path: Path,
    tables: Schema,
    rows: Mapping[str, Iterable[Row]],
    *,
    views: Iterable[str] = (),
    schema: str = "ILS",
    container: str = "FREEPDB1",
) -> None:
    """Write the tables, an INSERT for each row, and `views`, in ASCII whatever the client's NLS_LANG.

    Texts beyond ASCII are written with UNISTR; columns count characters, which SYS does only when each one says so.
    """
    with path.open("w", encoding="ascii", newline="\n") as script:
        script.write(_HEADER.format(schema=schema, container=container))
        script.write(re.sub(r"(CHAR2?)\((\d+)\)", r"\1(\2 CHAR)", tables.ddl.read_text(encoding="ascii")))
        for count, statement in enumerate(_inserts(tables, rows), start=1):
            script.write(statement)
            if count % _COMMIT_EVERY == 0:
                script.write("COMMIT;\n")
        for view in views:
            script.write(f"{view.strip()};\n")
        script.write("COMMIT;\nEXIT\n")


def _inserts(tables: Schema, rows: Mapping[str, Iterable[Row]]) -> Iterator[str]:
    for table, columns in tables.columns.items():
        head = f"INSERT INTO {table} ({', '.join(columns)})\nVALUES (\n"
        for row in rows[table]:
            yield head + ",\n".join(literal(value) for value in row) + "\n);\n"


def literal(value: object) -> str:
    """An Oracle literal: a number, NULL (also for empty text), a DATE, or text in pieces short enough for SQL*Plus."""
    if value is None or value == "":
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return f"TO_DATE('{value.isoformat(' ')}', 'YYYY-MM-DD HH24:MI:SS')"
    text = str(value)
    return "||\n".join(_text(text[start : start + _PIECE]) for start in range(0, len(text), _PIECE))


def _text(piece: str) -> str:
    plain = all(" " <= character <= "~" for character in piece)
    if plain:
        return "'" + piece.replace("'", "''") + "'"
    return "UNISTR('" + "".join(_unistr(character) for character in piece) + "')"


def _unistr(character: str) -> str:
    if character == "'":
        return "''"
    if " " <= character <= "~" and character != "\\":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\{units[i : i + 2].hex().upper()}" for i in range(0, len(units), 2))
