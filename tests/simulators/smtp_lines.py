"""A socket that speaks SMTP badly: for answers that no real server would give."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager


class Line:
    """The server's end of one connection, line by line, for answers a real server would not give."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self._sock, self._stop, self._file = sock, stop, sock.makefile("rb")

    def say(self, text: str) -> None:
        self._sock.sendall(text.encode() + b"\r\n")

    def read(self) -> bytes:
        return self._file.readline()

    def wait(self) -> None:
        self._stop.wait(5)

    def polite_until_content(self) -> None:
        self.say("220 hi")
        while line := self._file.readline():
            if line.startswith(b"DATA"):
                break
            self.say("250 ok")
        self.say("354 go")
        while self._file.readline() not in {b".\r\n", b""}:
            continue

    def close(self) -> None:
        self._file.close()


@contextmanager
def talking(server: Callable[[Line], None]) -> Iterator[int]:
    """A listening socket where each connection is handled by `server`."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while not stop.is_set():
                sock, _ = listener.accept()
                with sock, closing(Line(sock, stop)) as line:
                    if not stop.is_set():
                        server(line)

        thread = threading.Thread(target=run)
        thread.start()
        port: int = listener.getsockname()[1]
        try:
            yield port
        finally:
            stop.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join(5)
