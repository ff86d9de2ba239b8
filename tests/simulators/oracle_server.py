"""An Oracle server for tests and the demo: real TNS on a real socket, an SQLite file behind it.

Built on seerdb's server side, whose documented `Backend` protocol `SqliteBackend` fulfils. It speaks enough of
the wire for python-oracledb's thin mode and Airflow's OracleHook: log-in, binds, types, errors, fetches, time-outs.

    ILS_PASSWORD=… python -m tests.simulators.oracle_server --database FILE --port 1521 --user ILS
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from seerdb.common.exceptions import InterfaceError
from seerdb.common.tns_consts import (
    TNS_DATA,
    TNS_MARKER,
    TNS_MARKER_TYPE_RESET,
    TNS_REFUSE,
    TTI_FETCH,
)
from seerdb.server import BackendError, PacketStream, encode_error, lockout, serve_session

from tests.simulators.oracle_backend import ALEPH_TYPES, SqliteBackend
from tests.simulators.oracle_dictionary import Dictionary

SERVICE = "DEMO"
FAULT = 'fault while reading the value "Dupont, Marie"'
"""What an error on purpose says: newer Oracles do quote data, so nothing may repeat it."""


@dataclass(slots=True)
class Faults:
    """What goes wrong, for tests to switch on while the server runs.

    `refuse` gives the listener's ORA error to every new connection, `refuse_login` the server's, once the password is
    known to be right. `hang` makes queries wait for ever,
    `hold_back` until that event.
    `fail_query` gives an ORA error to every query. `fail_fetch_after` counts the fetches answered before the
    next one gets the ORA error of `fail_fetch_with`, or no answer but a closed connection when that is 0.
    `for_the_first` is how many connections all this happens to from now on: everyone's when None.
    """

    refuse: int = 0
    refuse_login: int = 0
    for_the_first: int | None = None
    hang: bool = False
    hold_back: threading.Event | None = None
    fail_query: int = 0
    fail_fetch_after: int | None = None
    fail_fetch_with: int = 0

    def for_this_one(self) -> Faults:
        """The faults of one new connection: none once `for_the_first` is used up."""
        if self.for_the_first is None:
            return self
        self.for_the_first -= 1
        return self if self.for_the_first >= 0 else Faults()


class _Stream(PacketStream):
    """One client's packets, with the faults of the wire."""

    def __init__(self, client: socket.socket, faults: Faults) -> None:
        super().__init__(client)
        self._faults = faults
        self._fetches = 0
        self._fetching = False

    def read_packet(self, *, within: float | None = None) -> tuple[int, bytes] | None:
        received = super().read_packet(within=within)
        self._fetching = bool(
            received and received[0] == TNS_DATA and len(received[1]) > 1 and received[1][1] == TTI_FETCH
        )
        return received

    def write_packet(self, packet_type: int, body: bytes) -> None:
        if self._fetching and self._faults.fail_fetch_after is not None:
            self._fetches += 1
            if self._fetches > self._faults.fail_fetch_after:
                if not self._faults.fail_fetch_with:
                    raise ConnectionAbortedError("fault: the connection breaks during a fetch")
                code = self._faults.fail_fetch_with
                body = encode_error(code, f"ORA-{code:05d}: {FAULT}")
        super().write_packet(packet_type, body)

    def wait_for_break(self, stopping: threading.Event) -> None:
        """Hang until the client loses patience, then close its call as Oracle does: reset, reset, ORA-01013."""
        while not select.select([self._sock], [], [], 0.05)[0]:
            if stopping.is_set():
                raise ConnectionAbortedError("the server stops")
        received = self.read_packet()
        while received is not None and received[0] != TNS_MARKER:
            received = self.read_packet()
        if received is None:
            raise ConnectionAbortedError("the client left")
        self.write_packet(TNS_MARKER, bytes([1, 0, TNS_MARKER_TYPE_RESET]))
        while received is not None and (received[0] != TNS_MARKER or received[1][2] != TNS_MARKER_TYPE_RESET):
            received = self.read_packet()
        raise BackendError("user requested cancel of current operation", ora_code=1013)


class OracleServer:
    """Starts listening at once; use as a context manager, or `start` and `stop`.

    With `certificate`, a PEM file that holds its key too, it speaks TCPS.
    """

    def __init__(
        self,
        database: Path,
        *,
        user: str = "ILS",
        password: str = "ils",
        host: str = "127.0.0.1",
        port: int = 0,
        types: Mapping[str, str] = ALEPH_TYPES,
        certificate: Path | None = None,
    ) -> None:
        self.faults = Faults()
        self.dictionary = Dictionary()
        self.statements: list[str] = []
        self.user, self.password = user, password
        self._database, self._types = database, types
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._stopping = threading.Event()
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port))
        self._listener.settimeout(0.1)
        self.host, self.port = self._listener.getsockname()[:2]

    @property
    def dsn(self) -> str:
        """What a client connects to: host, port and service."""
        return f"{self.host}:{self.port}/{SERVICE}"

    @property
    def sessions(self) -> int:
        """Connections open now."""
        with self._lock:
            return len(self._clients)

    def start(self) -> OracleServer:
        self._spawn(self._accept)
        return self

    def stop(self) -> None:
        """Stop listening, cut every session, and wait for their threads."""
        self._stopping.set()
        self._listener.close()
        with self._lock:
            clients, threads = list(self._clients), list(self._threads)
        for client in clients:
            _cut(client)
        for thread in threads:
            thread.join(timeout=5)
        self.unlock()

    def unlock(self) -> None:
        """Forget wrong passwords: ten of them lock the user, and each makes the next answer slower."""
        lockout.unlock(self.user)

    def __enter__(self) -> OracleServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _spawn(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()] + [thread]
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._clients.add(client)
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        faults = self.faults.for_this_one()
        backend = None
        try:
            client.settimeout(10)
            client = self._encrypted(client)
            client.settimeout(None)
            stream = _Stream(client, faults)
            if faults.refuse:
                stream.read_packet()
                stream.write_packet(TNS_REFUSE, _refusal(faults.refuse))
                return
            backend = SqliteBackend(
                self._database,
                accounts={self.user: self.password},
                types=self._types,
                log=self.statements.append,
                before_query=lambda: self._before_query(stream, faults),
                refuse_login=faults.refuse_login,
                dictionary=self.dictionary,
            )
            serve_session(stream, backend)
        except (OSError, InterfaceError) as error:  # the client left, or was not let in
            logging.getLogger(__name__).info("session ended: %s", error)
        finally:
            if backend is not None:
                backend.close()
            _cut(client)
            with self._lock:
                self._clients.discard(client)

    def _encrypted(self, client: socket.socket) -> socket.socket:
        if self._tls is None:
            return client
        encrypted = self._tls.wrap_socket(client, server_side=True)
        with self._lock:
            self._clients.discard(client)
            self._clients.add(encrypted)
        return encrypted

    def _before_query(self, stream: _Stream, faults: Faults) -> None:
        if faults.hang:
            stream.wait_for_break(self._stopping)
        if faults.hold_back is not None:
            faults.hold_back.wait(60)
        if faults.fail_query:
            raise BackendError(FAULT, ora_code=faults.fail_query)


def _refusal(code: int) -> bytes:
    """The listener's refusal, as its TNS packet carries it."""
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR={code})(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4))))".encode()
    return bytes([4, 0]) + len(text).to_bytes(2, "big") + text


def _cut(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        logging.getLogger(__name__).debug("already disconnected")
    client.close()


def main() -> int:
    """Serve one SQLite file until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        description="Oracle wire server over an SQLite file, for tests and the demo; its password is ILS_PASSWORD"
    )
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--user", default="ILS")
    options = parser.parse_args()
    if not options.database.is_file():
        parser.error(f"no such database: {options.database}")
    done = threading.Event()

    def finish(number: int, frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, finish)
    signal.signal(signal.SIGINT, finish)
    arguments = {name: getattr(options, name) for name in ("host", "port", "user")}
    arguments["password"] = os.environ.get("ILS_PASSWORD", "ils")
    with OracleServer(options.database, **arguments) as server:
        print(server.port, flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
