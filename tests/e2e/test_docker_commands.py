"""The commands of docker-compose.yaml, run as Docker would: the file's own environment, user, secrets and folders.

Airflow with FAB on Celery workers, a real Redis, a real PostgreSQL; the demo's SMS provider is the outside world. Each
service is in Linux namespaces of its own (`tests/simulators/container.py`), on a read-only root.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.docker_host import Host, databases
from tests.simulators import container

PROFILES = ("demo", "scale")
LOOKED_AT = (
    "settings", "templates", "fonts", "ledger", "storage", "allmysms", "callback", "dags", "processes", "accounts",
    "secrets",
)  # fmt: skip
"""What `doctor` looks at in the demo, but the stand-ins that are not played here: Oracle and the mail catcher.

All services played here share one loopback; that Docker's do not is in `tests/commands/installation/test_outside.py`.
"""
OUTSIDE = ("ils_oracle", "mail_relay", "allmysms")
AT_THE_DOOR = """
import json, sys, time, urllib.request
url, password, dag = "http://api-server:8080", sys.argv[1], sys.argv[2]
def ask(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **headers}, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)
token = ask("POST", "/auth/token", {"username": "admin", "password": password})["access_token"]
said = {"Authorization": f"Bearer {token}"}
deadline = time.time() + 900
while dag not in {one["dag_id"] for one in ask("GET", "/api/v2/dags?limit=100", **said)["dags"]}:
    assert time.time() < deadline, ask("GET", "/api/v2/importErrors", **said)
    time.sleep(1)
ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False}, **said)
run = ask("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None}, **said)["dag_run_id"]
while (state := ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}", **said)["state"]) not in ("success", "failed"):
    assert time.time() < deadline + 300, state
    time.sleep(1)
tasks = ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", **said)["task_instances"]
print(json.dumps({"state": state, "tasks": {one["task_id"]: [one["state"], one["hostname"]] for one in tasks}}))
"""


def test_without_its_connections_nothing_starts_and_a_sentence_says_why(
    network: container.Network, folder: Path
) -> None:
    """What `docker compose up` does right after docker/make-env.sh, with the example's library.toml."""
    host = Host(folder, network)
    done = host.run("init")
    assert done.returncode == 1
    told = done.stderr
    assert "encore celui de la bibliothèque fictive" in told
    for conn_id in OUTSIDE:
        assert re.search(rf"Connexion {conn_id} : (host|login)( et login)? à remplir", done.stdout), done.stdout
    assert "reminders_ledger" not in told + done.stdout, "that one is made"
    assert host.secret("ledger_db_password") not in told + done.stdout
    assert "alembic" not in told, "no table was touched"


def test_connections_that_are_to_be_given_in_airflows_form_do_not_keep_it_from_starting(
    network: container.Network, folder: Path
) -> None:
    """A new server, its own library, and of secrets/connections.json what the page says to leave in it."""
    host = Host(folder, network)
    host.services["init"]["environment"]["REMINDERS_DEMO"] = "demo"  # the fictional library stands for its own
    with databases(host):
        connections = json.loads(host.secret("connections.json"))
        host.machine.secret("connections.json", json.dumps({"reminders_ledger": connections["reminders_ledger"]}))
        done = host.run("init")
    assert done.returncode == 0, done.stdout + done.stderr
    for conn_id in OUTSIDE:
        assert f"Connexion {conn_id} : manque. La donner dans l'interface d'Airflow" in done.stdout
    assert "premier administrateur : admin est créé" in done.stdout


@pytest.fixture
def installed(network: container.Network, folder: Path) -> Iterator[Host]:
    """A demo on workers, its databases made by the file's own script."""
    if not os.environ.get("COMPOSE"):
        pytest.skip("a whole installation in containers takes many minutes: make compose")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    host = Host(folder, network, *PROFILES)
    with databases(host), host.processes:
        host.machine.secret("redis.conf", host.secret("redis.conf").replace("dir /data", "dir /tmp"))
        host.services["redis"]["volumes"] = []
        for name in ("fernet_key", "jwt_secret", "sql_alchemy_conn", "celery_broker_url", "sms_callback_token"):
            host.machine.secret(name, f"{host.secret(name)}\n")  # as an editor leaves a file
        yield host


def test_the_whole_of_it_starts_is_healthy_and_runs_a_dag_on_a_worker(installed: Host) -> None:
    first = installed.run("init")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "rôles : 3 créés" in first.stdout
    assert "premier administrateur : admin est créé" in first.stdout
    assert installed.secret("admin_password") not in first.stdout + first.stderr

    installed.start("redis", "allmysms", "api-server")
    for name in ("redis", "allmysms", "api-server"):
        installed.wait_for(name)
    installed.start("scheduler", "dag-processor", "triggerer", "worker")

    named = f'mount --bind {installed.machine.folder}/hosts /etc/hosts && exec "$@"'
    door = ["nsenter", f"--net={installed.network.path}", "unshare", "--mount", "sh", "-c", named, "client"]
    client = [sys.executable, "-c", AT_THE_DOOR, installed.secret("admin_password"), "sms_feedback"]
    done = subprocess.run([*door, *client], capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["state"] == "success", told
    assert {state for state, _ in told["tasks"].values()} == {"success"}, told
    assert "celery" in installed.log("worker").lower()

    for name in ("scheduler", "dag-processor", "triggerer", "worker"):
        installed.wait_for(name)
    looked = installed.run("scheduler", "loan-reminders", "doctor", *(f"--only={name}" for name in LOOKED_AT))
    assert (looked.returncode, "✗" in looked.stdout) == (1, False), looked.stdout
    assert installed.processes.dead() == []
    written = [path for path in installed.machine.volume("logs").rglob("*.log") if "sms_feedback" in str(path)]
    assert written, "the logs of tasks are on the volume"
    everything = "".join(installed.log(path.stem) for path in installed.processes.logs.glob("*.log"))
    everything += "".join(path.read_text(encoding="utf-8", errors="replace") for path in written)
    secrets = {installed.secret(name) for name in ("fernet_key", "jwt_secret", "redis_password", "allmysms_api_key")}
    secrets |= {installed.secret(name) for name in ("ledger_db_password", "airflow_db_password", "sms_callback_token")}
    assert {secret for secret in secrets if secret in everything} == set()
    assert "Read-only file system" not in everything
    assert "Permission denied" not in everything
