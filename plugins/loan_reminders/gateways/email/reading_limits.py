"""The limits of reading one message: how many parts, lines and seconds. A message beyond them is put aside unread.

The standard library's parser and the heuristics for old servers take time that grows with the square of some counts;
whoever may write to the mailbox could keep it busy for ever. The counts are bounded before anything is parsed.
"""

from __future__ import annotations

import re
import time

SECONDS = 5.0
MOST_BOUNDARIES = 24
MOST_MESSAGES_WITHIN = 16
MOST_LINES = 12_000
MOST_GROUPS = 2_000
MOST_DASHED = 400
_MULTIPART = re.compile(rb"boundary", re.IGNORECASE)
_MESSAGE_WITHIN = re.compile(rb"message/", re.IGNORECASE)


class TooCostly(Exception):
    """Reading this message would take more than the limits allow."""


class TimeLimit:
    """The seconds of work that one message may take; asked between the steps of reading it."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._end = time.thread_time() + seconds

    def check(self) -> None:
        """Raise TooCostly when the time is over."""
        if time.thread_time() > self._end:
            raise TooCostly


def within_limits(content: bytes) -> bytes:
    """The message with its blank lines in a row made one. Raises TooCostly when it has too much of anything."""
    if (
        len(_MULTIPART.findall(content)) > MOST_BOUNDARIES
        or len(_MESSAGE_WITHIN.findall(content)) > MOST_MESSAGES_WITHIN
    ):
        raise TooCostly
    lines: list[bytes] = []
    groups = dashed = 0
    for line in content.split(b"\n"):
        if not line.strip():
            if lines and not lines[-1]:
                continue
            groups += 1
            line = b""
        elif line.startswith(b"--"):
            dashed += 1
        lines.append(line)
    if len(lines) > MOST_LINES or groups > MOST_GROUPS or dashed > MOST_DASHED:
        raise TooCostly
    return b"\n".join(lines)
