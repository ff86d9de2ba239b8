"""The lines of docs/install.md, typed as they stand: the package, the folder, and what comes then."""

from __future__ import annotations

from pathlib import Path

import pytest

from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.package.conftest import ROOT, Site, clone, new_environment, page_lines

IN_SERVERS_NEED = "loan-reminders doctor", "loan-reminders check-ils"
"""They ask servers: tests/e2e/test_doctor.py and tests/commands/ give them some."""


@pytest.fixture
def bare(tmp_path: Path) -> Site:
    """A clone, and an environment that holds Airflow and all that the program needs, and not the program."""
    (tmp_path / "work").mkdir()
    return Site(python=new_environment(tmp_path / "venv"), clone=clone(tmp_path / "clone"), folder=tmp_path / "work")


def test_the_folder_runs_in_place(bare: Site) -> None:
    lines = [line.replace("/srv/relances", str(bare.clone)) for line in page_lines("The folder")]
    assert sum(str(bare.clone) in line for line in lines) == 3
    assert "library.toml" in bare.type(*lines)


def test_the_package_is_installed_and_the_first_commands_run(bare: Site, postgres_server, empty_database) -> None:
    dags, home = bare.folder / "dags", bare.folder / "airflow"
    home.mkdir()
    for line in page_lines("The package"):
        bare.type(line.replace("/opt/airflow/dags", str(dags)))
    written = {path.name: path.read_bytes() for path in dags.glob("*.py")}
    assert written == {path.name: path.read_bytes() for path in (ROOT / "dags").glob("*.py")}
    bare.type(f"loan-reminders check-settings --exemple {home}/library.toml")
    then = page_lines("Then")
    asked = [line for line in then if not line.startswith(IN_SERVERS_NEED)]
    assert len(then) - len(asked) == 2
    said = bare.type(*asked, AIRFLOW_CONN_REMINDERS_LEDGER=postgres_server.url(empty_database))
    assert f"registre à la révision {SCHEMA_REVISION}" in said
