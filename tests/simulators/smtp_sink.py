"""An SMTP server for tests and the demo: keeps each mail as a file, and misbehaves when told to.

In a test: `with SmtpSink(folder) as sink:` then `sink.port`, `sink.faults`, `sink.messages()`.
By hand: `python -m tests.simulators.smtp_sink --folder DIR --port 2525`; the port is printed once it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import hashlib
import logging
import os
import re
import signal
import ssl
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from tests.simulators.smtp_discard import Discard


@dataclass
class Faults:
    """What the server does wrong; each may be changed while it runs. Answers are whole SMTP answers, `550 No`."""

    refuse: str = ""  # recipients matching this pattern get `refusal`, or 550 5.1.1
    refusal: str = ""
    at_once: int = 0  # no more connections than this at once: the next get 421
    defer: int = 0  # the next so many RCPT get 451
    mail: str = ""  # the answer to MAIL FROM
    rcpt: str = ""  # the answer to RCPT TO
    data: str = ""  # the answer to DATA, before the content
    content: str = ""  # the answer to the content
    drop_at: str = ""  # the line is cut at MAIL, RCPT or DATA, or at CONTENT once it was kept
    drops: int = 1  # how many times `drop_at` happens
    close_after: int = 0  # 421 after so many messages of one connection
    silent: bool = False  # the content is kept and never answered
    late: int = 0  # the answer to the next so many contents, once kept, comes `late_s` seconds later
    late_s: float = 0


class SmtpSink:
    """The server, in its own thread; a context manager.

    `folder` keeps the mails; `discard` does the least work possible instead, for benchmarks. `login` and `password`
    make the server ask for them, `pipelining` lets it offer RFC 2920. `latency` is what an answer takes in seconds (of
    a keeping server, to a message). `certificate` is a server context, used by STARTTLS or, with `tls`, at once.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        discard: bool = False,
        pipelining: bool = False,
        login: str = "",
        password: str = "",
        certificate: ssl.SSLContext | None = None,
        tls: bool = False,
        faults: Faults | None = None,
        latency: float = 0,
    ) -> None:
        self.folder, self.host, self.port, self.discard = folder, host, port, discard
        self.credentials = (login.encode(), password.encode())
        self.certificate, self.tls = certificate, tls
        self.faults = faults or Faults()
        self.pipelining, self.latency = pipelining, latency
        self.senders: list[str] = []
        self.connections = 0
        self.received = 0
        self.open_lines: set[asyncio.BaseTransport] = set()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="smtp-sink", daemon=True)

    def __enter__(self) -> SmtpSink:
        self._thread.start()
        self._ready.wait(10)
        if self._failure is not None or not self._ready.is_set():
            raise RuntimeError("the SMTP sink did not start") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def messages(self) -> list[EmailMessage]:
        """The mails kept, in the order they came, read by the standard library's parser."""
        paths = sorted(self.folder.glob("*.eml")) if self.folder else []
        return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]

    def keep(self, content: bytes) -> None:
        """Store one mail; the file name is a counter and a digest of its Message-ID."""
        self.received += 1
        if self.folder is None:
            return
        found = re.search(rb"(?mi)^message-id:\s*(\S+)", content)
        digest = hashlib.sha256(found[1] if found else content).hexdigest()[:12]
        part = self.folder / f".{self.received:07d}.part"
        part.write_bytes(content)
        part.replace(self.folder / f"{self.received:07d}-{digest}.eml")

    def _run(self) -> None:
        try:
            asyncio.run(self.serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def serve(self, on_ready: Callable[[], None] | None = None) -> None:
        """Listen until told to stop."""
        self._loop = loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        context = self.certificate if self.tls else None
        server = await loop.create_server(self._protocol, self.host, self.port, ssl=context, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        if on_ready is not None:
            on_ready()
        await self._stop.wait()
        server.close()
        for line in list(self.open_lines):
            if isinstance(line, asyncio.Transport):
                line.abort()
        await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Stop a server started with `serve`; for signal handlers of its loop."""
        if self._stop is not None:
            self._stop.set()

    def _protocol(self) -> asyncio.BaseProtocol:
        if self.discard:
            return Discard(self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # aiosmtpd advises against a login without TLS
            return _Keeper(self)


class _Keeper(SMTP):
    """One connection, by aiosmtpd."""

    command_size_limit = 2000

    def __init__(self, sink: SmtpSink) -> None:
        super().__init__(
            _Contents(sink),
            hostname="sink.example",
            loop=asyncio.get_running_loop(),
            tls_context=None if sink.tls else sink.certificate,
            auth_required=bool(sink.credentials[0]),
            auth_require_tls=False,
            authenticator=self._check_login,
        )
        self.sink = sink
        self.taken = 0
        self.line: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.line is None:
            self.line = transport
            self.sink.connections += 1
            self.sink.open_lines.add(transport)
            if 0 < self.sink.faults.at_once < len(self.sink.open_lines):
                transport.write(b"421 4.7.0 too many connections from you\r\n")  # type: ignore[attr-defined]
                transport.close()
                return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.line is not None:
            self.sink.open_lines.discard(self.line)
        super().connection_lost(error)

    def _check_login(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == self.sink.credentials, handled=False)

    async def _fails(self, step: str, answer: str) -> bool:
        faults = self.sink.faults
        if faults.drop_at == step and faults.drops > 0:
            faults.drops -= 1
            self.transport.abort()
            return True
        if answer:
            await self.push(answer)
            if answer.startswith("421"):
                self.transport.close()
            return True
        return False

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        faults = self.sink.faults
        over = bool(faults.close_after) and self.taken >= faults.close_after
        if not await self._fails("MAIL", "421 4.7.0 too many messages, come back" if over else faults.mail):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        faults, answer = self.sink.faults, self.sink.faults.rcpt
        if faults.refuse and re.search(faults.refuse, arg or ""):
            answer = faults.refusal or f"550 5.1.1 {(arg or '').partition(':')[2]} no such user"
        elif faults.defer > 0:
            faults.defer -= 1
            answer = "451 4.7.1 greylisted, try again later"
        if not await self._fails("RCPT", answer):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._fails("DATA", self.sink.faults.data):
            await super().smtp_DATA(arg)


class _Contents:
    """What happens to a whole message."""

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: _Keeper, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self.sink.pipelining else responses

    async def handle_DATA(self, server: _Keeper, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        faults = self.sink.faults
        if faults.content:
            if faults.content.startswith("421"):
                asyncio.get_running_loop().call_later(0.01, server.transport.close)
            return faults.content
        self.sink.keep(envelope.original_content)
        self.sink.senders.append(envelope.mail_from)
        server.taken += 1
        if faults.drop_at == "CONTENT" and faults.drops > 0:
            faults.drops -= 1
            server.transport.abort()
        if faults.silent:
            await asyncio.sleep(3600)
        await asyncio.sleep(self.sink.latency)
        if faults.late > 0:
            faults.late -= 1
            await asyncio.sleep(faults.late_s)
        return f"250 2.0.0 Ok: queued as {self.sink.received:07X}"


def main() -> None:
    """Run the server until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        description="SMTP server that keeps every mail as a file. SMTP_PASSWORD goes with --login"
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--discard", action="store_true", help="keep nothing, answer as fast as possible")
    parser.add_argument("--login", default="")
    parser.add_argument("--refuse", default="", metavar="PATTERN", help="550 to recipients that match")
    parser.add_argument("--defer", type=int, default=0, metavar="N", help="451 to the first N recipients")
    parser.add_argument("--close-after", type=int, default=0, metavar="N", help="421 after N messages a connection")
    parser.add_argument("--latency", type=float, default=0, metavar="S", help="seconds that an answer takes")
    asked = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    sink = SmtpSink(
        asked.folder, host=asked.host, port=asked.port, discard=asked.discard, latency=asked.latency,
        login=asked.login, password=os.environ.get("SMTP_PASSWORD", ""),
        faults=Faults(refuse=asked.refuse, defer=asked.defer, close_after=asked.close_after),
    )  # fmt: skip

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, sink.stop)
        await sink.serve(lambda: print(sink.port, flush=True))

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()
