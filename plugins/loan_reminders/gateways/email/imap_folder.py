"""IMAP4rev1 (RFC 3501) as the standard library speaks it, with what it leaves to its callers.

Names of folders in modified UTF-7, moves that touch no other message (RFC 6851, or RFC 4315), and server's words
without addresses. Of the client libraries at hand, those that move without RFC 6851 expunge the whole folder.
"""

from __future__ import annotations

import imaplib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

_ADDRESS_IN_TEXT = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_NUMBERS = re.compile(rb"\bUID (\d+)")
_DELETED = re.compile(rb"FLAGS \([^)]*\\Deleted", re.IGNORECASE)
_UID_CHUNK = 500


class Refused(Exception):
    """The server says no; its words, without addresses, are the message."""


def quoted(name: str) -> str:
    """A folder's name for a command: modified UTF-7 (RFC 3501 §5.1.3), in quotes."""
    return '"' + modified_utf7(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def modified_utf7(name: str) -> str:
    """`Relances traitées` as `Relances trait&AOk-es`."""
    pieces: list[str] = []
    for run in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if run.isascii() and run.isprintable():
            pieces.append(run.replace("&", "&-"))
        else:
            pieces.append("&" + b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-")
    return "".join(pieces)


def words(data: Sequence[Any]) -> str:
    """What the server said, short and without addresses."""
    said = b" ".join(piece for piece in data if isinstance(piece, bytes)).decode("utf-8", "replace")
    return _ADDRESS_IN_TEXT.sub("<…>", said)[:200]


class ImapFolder:
    """One selected folder of an open connection."""

    def __init__(self, imap: imaplib.IMAP4, name: str) -> None:
        self._imap = imap
        self.messages = int(_answer(imap.select(quoted(name)))[0] or 0)

    def uids(self) -> Sequence[int]:
        """The messages' numbers, the oldest first, those marked deleted left out."""
        found: list[int] = []
        for first in range(1, self.messages + 1, _UID_CHUNK):
            last = min(first + _UID_CHUNK - 1, self.messages)
            for piece in _answer(self._imap.fetch(f"{first}:{last}", "(UID FLAGS)")):
                line = piece if isinstance(piece, bytes) else b""
                number = _NUMBERS.search(line)
                if number and not _DELETED.search(line):
                    found.append(int(number[1]))
        return sorted(found)

    def fetch(self, uids: Sequence[int], what: str) -> Iterator[tuple[int, bytes]]:
        """One item (`BODY.PEEK[…]`) of messages; a message gone since is not among the answers."""
        data = _answer(self._imap.uid("FETCH", _set(uids), f"(UID {what})"))
        for number, piece in enumerate(data):
            if not isinstance(piece, tuple):
                continue
            after = data[number + 1] if number + 1 < len(data) else b""
            uid = _NUMBERS.search(piece[0]) or _NUMBERS.search(after if isinstance(after, bytes) else b"")
            if uid:
                yield int(uid[1]), piece[1]

    def exists(self, name: str) -> bool:
        """Whether the account has a folder of this name."""
        return any(_answer(self._imap.list('""', quoted(name))))

    def create(self, name: str) -> None:
        """Make a folder, and show it in mail programs."""
        _answer(self._imap.create(quoted(name)))
        self._imap.subscribe(quoted(name))

    def move(self, uids: Sequence[int], name: str) -> None:
        """Move these messages and no others. A server that knows neither MOVE nor UIDPLUS keeps them, marked."""
        asked = _set(uids)
        if "MOVE" in self._imap.capabilities:
            _answer(self._imap.uid("MOVE", asked, quoted(name)))
        else:
            _answer(self._imap.uid("COPY", asked, quoted(name)))
            _answer(self._imap.uid("STORE", asked, "+FLAGS.SILENT", r"(\Deleted)"))
            if "UIDPLUS" in self._imap.capabilities:
                _answer(self._imap.uid("EXPUNGE", asked))
        self._imap.response("EXPUNGE")


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _answer(said: tuple[str, Sequence[Any]]) -> Sequence[Any]:
    status, data = said
    if status != "OK":
        raise Refused(words(data))
    return data
