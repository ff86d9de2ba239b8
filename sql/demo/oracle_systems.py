"""The systems on Oracle that the fictional library can stand in: whose tables, how they are filled, which views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sql.demo.tables import ALEPH, FOLDER, Library, Row, Schema
from sql.demo.view import VIEW, view_rows
from sql.demo.voyager import VOYAGER, voyager_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One kind of ILS. `rows` fills its tables for a day; `views` are files that make what is read instead of them."""

    schema: Schema
    rows: Callable[[Library, date], Mapping[str, list[Row]]]
    views: tuple[Path, ...] = ()

    def view_statements(self) -> list[str]:
        """The statements of `views`."""
        return [statement for file in self.views for statement in statements_of(file)]


def statements_of(file: Path) -> list[str]:
    """The statements of a file, without the lines that are comments."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


SYSTEMS: Mapping[str, System] = {
    "aleph": System(schema=ALEPH, rows=lambda library, today: library.rows),
    "voyager": System(schema=VOYAGER, rows=lambda library, today: voyager_rows(library, today=today)),
    "view": System(
        schema=VIEW,
        rows=lambda library, today: view_rows(library, today=today),
        views=(FOLDER.parent / "view" / "create_oracle.sql",),
    ),
}
