"""Where the files lie that come with the program, and those of the site: the only module that knows.

In a clone of the repository `templates/`, `sql/` and `dags/` lie at its root, and so does the site's `library.toml`.
Installed as a package they lie inside it, in `shipped/`, and the site's own files in Airflow's home.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The package itself, which brings its fonts and the ledger's migrations."""

IS_PACKAGED = (PACKAGE / "shipped").is_dir()
"""Whether the program was installed from a wheel; False in a clone, installed from it in place or not at all."""

SHIPPED = PACKAGE / "shipped" if IS_PACKAGED else PACKAGE.parents[1]
"""The folder of all that is delivered, an example of `library.toml` among it."""

TEMPLATES = SHIPPED / "templates"
"""The words for readers, as they are delivered."""

SQL = SHIPPED / "sql"
"""The statements for library systems, a folder a system."""

DAGS = SHIPPED / "dags"
"""The DAG files, which Airflow reads from a folder of its own."""

HOME = Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser() if IS_PACKAGED else SHIPPED
"""The site's folder: its `library.toml`, and its letters, where nothing else is said."""

COMMAND = "loan-reminders" if IS_PACKAGED else "python -m loan_reminders"
"""How a person calls the program on this installation."""


def statement_folders() -> dict[str, Path]:
    """The folder of each kind of library system that has a statement, by name.

    A site may add its own in a folder `sql` beside its `library.toml`; one of the same name replaces ours.
    """
    return {path.parent.name: path.parent for place in _sql() for path in sorted(place.glob("*/loans_due.sql"))}


def notice_statements(kind: str) -> dict[str, Path]:
    """The statement of each notice that is not about loans, for one kind of library system, by the notice's name.

    Those of the site beside its `library.toml` are added to ours, and one of the same name replaces it.
    """
    return {path.stem: path for place in _sql() for path in sorted((place / kind / "notices").glob("*.sql"))}


def _sql() -> tuple[Path, Path]:
    """The statements that are delivered, then those of the site."""
    told = Path(os.environ.get("REMINDERS_CONFIG") or HOME / "library.toml")
    return SQL, (told if told.is_dir() else told.parent) / "sql"
