"""The least an SMTP server can do: for benchmarks, so that the server is not what is measured."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Counts(Protocol):
    """What a server counts."""

    connections: int
    received: int
    open_lines: set[asyncio.BaseTransport]
    latency: float


class Discard(asyncio.Protocol):
    """One connection that says yes to everything and keeps nothing."""

    def __init__(self, sink: Counts) -> None:
        self.sink = sink
        self.rest = b""
        self.in_content = False
        self.leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.sink.connections += 1
        self.sink.open_lines.add(transport)
        self._say(b"220 sink.example ESMTP\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open_lines.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        self.answers: list[bytes] = []
        while data:
            end = b"\r\n.\r\n" if self.in_content else b"\r\n"
            found, separator, after = data.partition(end)
            if not separator:
                break
            data = after
            if self.in_content:
                self.in_content = False
                self.sink.received += 1
                self.answers.append(b"250 2.0.0 Ok\r\n")
            else:
                self._command(found[:4].upper())
        self.rest = data
        self._say(b"".join(self.answers))
        if self.leaving:
            self.transport.close()

    def _say(self, answers: bytes) -> None:
        """Answer, after the time a server far away takes."""
        if self.sink.latency and not self.leaving:
            asyncio.get_running_loop().call_later(self.sink.latency, self.transport.write, answers)
        else:
            self.transport.write(answers)

    def _command(self, verb: bytes) -> None:
        if verb == b"DATA":
            self.in_content = True
            self.answers.append(b"354 go\r\n")
        elif verb == b"QUIT":
            self.answers.append(b"221 bye\r\n")
            self.leaving = True
        elif verb == b"EHLO":
            self.answers.append(b"250-sink.example\r\n250 PIPELINING\r\n")
        else:
            self.answers.append(b"250 sink.example\r\n")
