"""The statements of a ledger as they are really executed, each with its plan at that moment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

_PLANNED = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_INDEXED = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
_LIBRARY_ALONE = re.compile(r"\(+(?:\w+\.)?library = (?:'[^']*'::text|\w+\.library)\)+")


@dataclass(slots=True)
class Plans:
    """What was executed, and which large tables were read from end to end for it. `small`: indexes of what waits."""

    large: tuple[str, ...]
    small: tuple[str, ...]
    statements: dict[str, None] = field(default_factory=dict)
    scans: dict[str, str] = field(default_factory=dict)

    def look(self, _connection: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        """Called before each execution, within its transaction; EXPLAIN executes nothing."""
        if not _PLANNED.match(statement) or isinstance(parameters, list):
            return
        self.statements[" ".join(statement.split())] = None
        with cursor.connection.cursor() as asking:
            asking.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            [[[said]]] = asking.fetchall()
        for node, table in _nodes(said["Plan"], ""):
            if table in self.large and (why := self._whole(node)):
                self.scans[f"{why} of {table}"] = " ".join(statement.split())

    def _whole(self, node: Mapping[str, Any]) -> str:
        """Why a node reads a whole table, empty when it does not."""
        kind = node["Node Type"]
        if kind == "Seq Scan":
            return "sequential scan"
        if kind not in _INDEXED or node["Index Name"] in self.small:
            return ""
        condition = node.get("Index Cond", "")
        if not condition or _LIBRARY_ALONE.fullmatch(condition):
            return f"whole index {node['Index Name']}"
        return ""


def _nodes(node: Mapping[str, Any], table: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    table = node.get("Relation Name", table)
    yield node, table
    for below in node.get("Plans", ()):
        yield from _nodes(below, table if node["Node Type"].startswith("Bitmap") else "")


@contextmanager
def planned(engine: Engine, *, large: tuple[str, ...], small: tuple[str, ...]) -> Iterator[Plans]:
    """Look at every statement of an engine within the block."""
    plans = Plans(large=large, small=small)
    event.listen(engine, "before_cursor_execute", plans.look)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", plans.look)
