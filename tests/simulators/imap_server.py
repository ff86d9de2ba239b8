"""An IMAP4rev1 server for tests: one account, folders in memory, and faults when told to.

In a test: `with ImapServer() as server:` then `server.port`, `server.add(b"…")`, `server.folders`, `server.faults`.
"""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class Faults:
    """What the server does wrong; each may be changed while it runs."""

    greeting: bytes = b""  # instead of the usual one
    login: str = ""  # the answer to LOGIN, `NO [UNAVAILABLE] …`
    drop_at: str = ""  # the line is cut when this command comes
    unreadable: set[int] = field(default_factory=set)  # messages that cannot be fetched
    refuse: dict[str, str] = field(default_factory=dict)  # a command and its answer, `NO [OVERQUOTA] …`


@dataclass
class Stored:
    """One message of a folder."""

    uid: int
    content: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """The server, each connection in a thread; a context manager."""

    def __init__(
        self,
        *,
        login: str = "retours",
        password: str = "mot de passe",
        extensions: Iterable[str] = ("UIDPLUS", "MOVE"),
        certificate: ssl.SSLContext | None = None,
    ) -> None:
        self.credentials = (login, password)
        self.capabilities = " ".join(("IMAP4REV1", "AUTH=PLAIN", *extensions))
        self.certificate = certificate
        self.faults = Faults()
        self.folders: dict[str, list[Stored]] = {"INBOX": []}
        self.commands: list[str] = []
        self.largest_answer = 0
        self._next_uid = 1
        self._server = _Listener(("127.0.0.1", 0), _Line)
        self._server.ours = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> ImapServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def add(self, *contents: bytes, folder: str = "INBOX") -> None:
        """Messages arrive."""
        for content in contents:
            stored = Stored(uid=self._next_uid, content=re.sub(rb"\r?\n", b"\r\n", content))
            self.folders.setdefault(folder, []).append(stored)
            self._next_uid += 1

    def contents(self, folder: str = "INBOX") -> list[bytes]:
        """What is in a folder."""
        return [stored.content for stored in self.folders.get(folder, [])]

    def copy(self, stored: Stored, folder: str) -> None:
        """A message goes to another folder under a number of that folder."""
        self.folders[folder].append(
            Stored(uid=self._next_uid, content=stored.content, flags=stored.flags - {"\\Deleted"})
        )
        self._next_uid += 1


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = False
    allow_reuse_address = True
    ours: ImapServer

    def get_request(self) -> tuple[socket.socket, object]:
        line, address = super().get_request()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A line that was cut is no event."""


class _Line(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Listener

    def setup(self) -> None:
        self.ours = self.server.ours
        self.folder: list[Stored] = []
        if self.ours.certificate is not None:
            try:
                self.request = self.ours.certificate.wrap_socket(self.request, server_side=True)
            except OSError:
                self.request.close()
                raise
        super().setup()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        with suppress(OSError):
            self.request.close()

    def handle(self) -> None:
        self.say(self.ours.faults.greeting or f"* OK [CAPABILITY {self.ours.capabilities}] ready".encode())
        while line := self.rfile.readline():
            tag, _, rest = line.decode("utf-8").rstrip("\r\n").partition(" ")
            uid, rest = (True, rest[4:]) if rest.upper().startswith("UID ") else (False, rest)
            name, _, arguments = rest.partition(" ")
            name = name.upper()
            self.ours.commands.append(f"{'UID ' * uid}{name} {'' if name == 'LOGIN' else arguments}".strip())
            faults = self.ours.faults
            if faults.drop_at == name:
                faults.drop_at = ""
                return
            answer = faults.refuse.get(name) or getattr(self, f"do_{name.lower()}")(arguments, uid)
            self.say(f"{tag} {answer or 'OK done'}".encode())
            if name == "LOGOUT":
                return

    def say(self, line: bytes) -> None:
        self.ours.largest_answer = max(self.ours.largest_answer, len(line))
        self.wfile.write(line + b"\r\n")

    def do_capability(self, arguments: str, uid: bool) -> str:
        self.say(f"* CAPABILITY {self.ours.capabilities}".encode())
        return ""

    def do_login(self, arguments: str, uid: bool) -> str:
        given = tuple(one.strip('"') for one in re.findall(r'"[^"]*"|\S+', arguments))
        return self.ours.faults.login or self._checked(given)

    def do_authenticate(self, arguments: str, uid: bool) -> str:
        self.say(b"+ ")
        _, login, password = b64decode(self.rfile.readline()).decode("utf-8").split("\0")
        return self._checked((login, password))

    def _checked(self, given: tuple[str, ...]) -> str:
        return "" if given == self.ours.credentials else "NO [AUTHENTICATIONFAILED] wrong for retours@bu.example.fr"

    def do_select(self, arguments: str, uid: bool) -> str:
        folder = self.ours.folders.get(arguments.strip('"'))
        if folder is None:
            return "NO [NONEXISTENT] Mailbox does not exist"
        self.folder = folder
        self.say(f"* {len(folder)} EXISTS".encode())
        self.say(b"* OK [UIDVALIDITY 1]")
        return "OK [READ-WRITE] selected"

    def do_list(self, arguments: str, uid: bool) -> str:
        name = re.findall(r'"([^"]*)"', arguments)[-1]
        if name in self.ours.folders:
            self.say(f'* LIST () "/" "{name}"'.encode())
        return ""

    def do_create(self, arguments: str, uid: bool) -> str:
        self.ours.folders[arguments.strip('"')] = []
        return ""

    def do_subscribe(self, arguments: str, uid: bool) -> str:
        return ""

    def do_logout(self, arguments: str, uid: bool) -> str:
        self.say(b"* BYE")
        return ""

    def _chosen(self, asked: str, uid: bool) -> list[tuple[int, Stored]]:
        wanted: set[int] = set()
        for piece in asked.split(","):
            first, _, last = piece.partition(":")
            wanted |= set(range(int(first), int(last or first) + 1))
        return [
            (number, stored)
            for number, stored in enumerate(self.folder, 1)
            if (stored.uid if uid else number) in wanted
        ]

    def do_fetch(self, arguments: str, uid: bool) -> str:
        asked, _, what = arguments.partition(" ")
        chosen = self._chosen(asked, uid)
        if any(stored.uid in self.ours.faults.unreadable for _, stored in chosen) and "BODY" in what:
            return "NO [SERVERBUG] message is corrupted"
        for number, stored in chosen:
            found = re.search(r"BODY(\.PEEK)?\[(HEADER)?\](?:<0\.(\d+)>)?", what)
            if found is None:
                self.say(f"* {number} FETCH (UID {stored.uid} FLAGS ({' '.join(sorted(stored.flags))}))".encode())
                continue
            if not found[1]:
                stored.flags.add("\\Seen")
            content = stored.content
            if found[2]:
                content = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            content = content[: int(found[3] or len(content))]
            item = f"BODY[{found[2] or ''}]{'<0>' if found[3] else ''}"
            self.say(f"* {number} FETCH (UID {stored.uid} {item} {{{len(content)}}}\r\n".encode() + content + b")")
        return ""

    def do_copy(self, arguments: str, uid: bool) -> str:
        asked, _, name = arguments.partition(" ")
        if name.strip('"') not in self.ours.folders:
            return "NO [TRYCREATE] no such mailbox"
        for _, stored in self._chosen(asked, uid):
            self.ours.copy(stored, name.strip('"'))
        return ""

    def do_store(self, arguments: str, uid: bool) -> str:
        asked = arguments.partition(" ")[0]
        for _, stored in self._chosen(asked, uid):
            stored.flags.add("\\Deleted")
        return ""

    def do_expunge(self, arguments: str, uid: bool) -> str:
        gone = {id(stored) for _, stored in self._chosen(arguments, True)} if uid else None
        self._remove([one for one in self.folder if "\\Deleted" in one.flags and (gone is None or id(one) in gone)])
        return ""

    def do_move(self, arguments: str, uid: bool) -> str:
        asked, _, name = arguments.partition(" ")
        moved = [stored for _, stored in self._chosen(asked, uid)]
        for stored in moved:
            self.ours.copy(stored, name.strip('"'))
        self._remove(moved)
        return ""

    def _remove(self, gone: list[Stored]) -> None:
        ids = {id(one) for one in gone}
        for number in range(len(self.folder), 0, -1):
            if id(self.folder[number - 1]) in ids:
                del self.folder[number - 1]
                self.say(f"* {number} EXPUNGE".encode())
