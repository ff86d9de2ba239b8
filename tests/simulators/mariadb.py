"""A real MariaDB on this machine's loopback, on a free port and in a folder of its own.

Needs Debian's package `mariadb-server-core`. MariaDB refuses to run as root without being told to: it runs as an
account without rights then.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql

from tests.simulators.certificates import self_made_certificate

PROGRAM = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
INSTALL = shutil.which("mariadb-install-db")
MISSING = "a real MariaDB needs Debian's package mariadb-server-core: apt-get install -y mariadb-server-core"
ACCOUNT = "nobody"
ADMINISTRATOR = "root"
_SMALL = (
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--key-buffer-size=8M",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--lock-wait-timeout=30",
)


def available() -> bool:
    """Whether this machine can start one."""
    return bool(PROGRAM and INSTALL)


class MariaDb:
    """A context manager: the server, with an administrator who has no password, reached from this machine alone.

    It offers TLS, with a `certificate` that it signed itself. Its folder is made below /tmp, and deleted at the end.
    """

    host = "127.0.0.1"

    def __init__(self, *, options: Sequence[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lr-maria-", dir="/tmp"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server((self.host, 0)) as taken:
            self.port: int = taken.getsockname()[1]

    def __enter__(self) -> Self:
        self.certificate = self_made_certificate(self.folder)
        as_account: tuple[str, ...] = ()
        if os.geteuid() == 0:
            self.folder.chmod(0o755)
            for path in (self.folder, self.certificate):
                shutil.chown(path, ACCOUNT)
            as_account = (f"--user={ACCOUNT}",)
        data = f"--datadir={self.folder / 'data'}"
        try:
            self._install(data, *as_account)
            self._start(data, *as_account)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and delete its folder; nothing in it is worth a clean end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, database: str | None = None, *, user: str = ADMINISTRATOR, password: str = "") -> Any:
        """A connection of PyMySQL that commits each statement."""
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=10,
        )

    def execute(self, *statements: str, database: str | None = None) -> Sequence[tuple[Any, ...]]:
        """Run statements as the administrator; the rows of the last."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else ()

    def create_database(self, name: str = "", *, options: str = "CHARACTER SET utf8mb4") -> str:
        """Make an empty database; returns its name."""
        name = name or f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} {options}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database."""
        self.execute(f"DROP DATABASE IF EXISTS {name}")

    def sessions(self, user: str) -> list[int]:
        """The ids of a user's connections that are open now."""
        rows = self.execute(f"SELECT id FROM information_schema.processlist WHERE user = '{user}'")
        return [int(row[0]) for row in rows]

    def _install(self, *options: str) -> None:
        done = subprocess.run(
            [
                str(INSTALL),
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-log-file-size=32M",
                *options,
            ],
            capture_output=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            told = (done.stdout + done.stderr).decode(errors="replace")
            raise RuntimeError(f"MariaDB cannot be set up: {told[-2000:]}")

    def _start(self, *options: str) -> None:
        log = self.folder / "log"
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [
                    str(PROGRAM),
                    "--no-defaults",
                    f"--bind-address={self.host}",
                    f"--port={self.port}",
                    f"--socket={self.folder / 'socket'}",
                    f"--pid-file={self.folder / 'pid'}",
                    f"--ssl-cert={self.certificate}",
                    f"--ssl-key={self.certificate}",
                    *_SMALL,
                    *options,
                    *self._options,
                ],
                stdout=sink,
                stderr=sink,
            )
        end = time.monotonic() + 120
        while True:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"MariaDB does not start: {log.read_text(errors='replace')[-2000:]}") from None
                time.sleep(0.05)
            else:
                return
