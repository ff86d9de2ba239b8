"""What everybody on this machine can read about programs: their arguments, as `ps` shows them."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

EVERY_S = 0.2


class ArgumentsSeen:
    """Looks at the process list again and again inside its `with` block; `seen` holds each program's arguments once."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="process list", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        """Add what the list shows now."""
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                self.seen.add(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
