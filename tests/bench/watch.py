"""How much memory a process takes at its peak, alone, and together with its children (Linux)."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

EVERY_S = 0.2


def peak_mb() -> float:
    """The most resident memory that this process has had.

    `getrusage` says at least what its parent had when it started this one, be that another program.
    """
    return status_mb("self", "VmHWM")


def status_mb(pid: int | str, name: str) -> float:
    """What the system says of a process: `VmRSS`, its resident memory, or `VmHWM`, the most that it has had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


class Watch:
    """A context manager; `peak_mb` is the largest sum seen, pages that processes share counted once. Pid 0: nobody."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        if self._pid:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._pid:
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            self.peak_mb = max(self.peak_mb, sum(map(_megabytes, _family(self._pid))))


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return found


def _megabytes(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
