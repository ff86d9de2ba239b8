"""The lines of docs/deployment.md that keep and bring back databases and letters, typed as they stand there.

Without Docker they are typed on the machine of `docker_host.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from loan_reminders.commands import migrate
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.e2e.docker_host import Host, Terminal, databases
from tests.scenes.any_revision import contents, tables
from tests.simulators import container
from tests.simulators.compose_file import COMPOSE, ROOT

PAGE = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
LETTERS = "/var/lib/relances/letters"


def lines(section: str) -> list[str]:
    """The commands of a part of the page."""
    text = PAGE.split(f"\n### {section}\n", 1)[1].split("\n##", 1)[0]
    found = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert found, section
    return found


@pytest.fixture
def terminal(network: container.Network, folder: Path) -> Iterator[Terminal]:
    """An installation whose ledger and Airflow each hold something, and one letter."""
    host = Host(folder, network)
    with databases(host) as postgres:
        migrate.upgrade(postgres.url("ledger", user="ledger"))
        with psycopg.connect(postgres.url("ledger", user="ledger")) as ledger:
            ledger.execute("INSERT INTO journal (library, who, act) VALUES ('montclar', 'zoé', 'held')")
        with psycopg.connect(postgres.url("airflow", user="airflow")) as airflow:
            airflow.execute("CREATE TABLE dag (dag_id text)")
            airflow.execute("INSERT INTO dag VALUES ('overdue_notice')")
        made = host.run("scheduler", "sh", "-c", f"umask 077; mkdir {LETTERS}/lot-1; echo PDF > {LETTERS}/lot-1/a.pdf")
        assert made.returncode == 0, made.stderr
        yield Terminal(folder, host, postgres)


def test_what_was_dumped_comes_back_as_it_was_and_the_programs_account_may_use_it(terminal: Terminal) -> None:
    postgres = terminal.postgres
    before = contents(postgres, "ledger", tables(postgres, "ledger"))
    *dumps, look = lines("Dump")
    terminal.type(*dumps)
    assert "TABLE DATA public journal" in terminal.type(look)
    with psycopg.connect(postgres.url("ledger", user="ledger")) as ledger:
        ledger.execute("INSERT INTO journal (library, who, act) VALUES ('montclar', 'zoé', 'hold_lifted')")
    postgres.execute("DELETE FROM dag", database="airflow")
    terminal.host.run("scheduler", "rm", "-r", f"{LETTERS}/lot-1")

    stop, letters, *database = lines("Restore")
    assert stop.startswith("docker compose stop ")
    terminal.type(stop, letters, *database, *(line.replace("ledger", "airflow") for line in database))

    assert contents(postgres, "ledger", tables(postgres, "ledger")) == before
    assert postgres.execute("SELECT dag_id FROM dag", database="airflow") == [("overdue_notice",)]
    for account, of_another in (("ledger", "airflow"), ("airflow", "ledger")):
        assert terminal.may_connect(account, account)
        assert not terminal.may_connect(account, of_another)
    kept = postgres.execute("SELECT who FROM journal WHERE act = 'hold_lifted'", database="ledger_before")
    assert kept == [("zoé",)], "what was there is not lost"

    said = terminal.type("docker compose exec scheduler loan-reminders migrate upgrade")
    assert f"registre à la révision {SCHEMA_REVISION}" in said, "its account finds it and may change it"
    with psycopg.connect(postgres.url("ledger", user="ledger")) as ledger, pytest.raises(psycopg.errors.RaiseException):
        ledger.execute("DELETE FROM journal")
    [letter] = terminal.host.machine.volume("letters").rglob("*.pdf")
    assert (letter.stat().st_uid, letter.stat().st_mode & 0o777) == (container.USER, 0o600)
    assert letter.read_text(encoding="ascii") == "PDF\n"


def test_what_is_stopped_first_is_all_that_writes() -> None:
    stop, *_ = lines("Restore")
    writes = {name for name, one in COMPOSE["services"].items() if "connections" in str(one.get("secrets", []))}
    assert set(stop.split()[3:]) == writes - {"init", "worker"}, "the page names the worker beside the line"


def test_the_page_gives_the_letters_a_disk_of_their_own(tmp_path: Path) -> None:
    [block] = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (over := tmp_path / "docker-compose.override.yaml").write_text(block, encoding="utf-8")
    run = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", over]
    assert subprocess.run(run, capture_output=True, check=False).returncode == 0
    [(volume, said)] = yaml.safe_load(block)["volumes"].items()
    assert f"{volume}:{LETTERS}" in COMPOSE["services"]["scheduler"]["volumes"]
    made = re.search(r"`install --directory --owner=(\d+) --group=(\d+) --mode=0700 (\S+)`", PAGE)
    assert made is not None
    assert made.groups() == (str(container.USER), str(container.USER), said["driver_opts"]["device"])
