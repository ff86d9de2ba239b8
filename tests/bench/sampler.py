"""Which steps of our own code the time goes to: a thread looks at the stacks of all others every few milliseconds.

It takes some percent of the time itself, so it watches a pass of its own, never one that is timed. The thread that does
the work is counted by the clock, what it waits for included, and so are, in a server, those that answer a request; any
other thread only while it computes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType, TracebackType

from tests.bench.report import ROOT, SHOWN

EVERY_S = 0.004
OURS = f"{ROOT / 'plugins' / 'loan_reminders'}/"
_ELSEWHERE = "outside of our code"


class Sampler:
    """A context manager that may be entered several times; `top` says where the time went in its blocks.

    `server`: whoever enters it does none of the work; any thread does that is inside our code.
    """

    def __init__(self, *, server: bool = False) -> None:
        self._server = server
        self._weights: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._look, args=[threading.current_thread()], daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def top(self) -> list[str]:
        """The steps that took most, with their share."""
        whole = sum(self._weights.values()) or 1.0
        return [f"{100 * weight / whole:.0f} % {step}" for step, weight in self._weights.most_common(SHOWN)]

    def _look(self, worker: threading.Thread) -> None:
        computed: dict[int, float] = {}
        since = time.perf_counter()
        while not self._over.wait(EVERY_S):
            stacks = sys._current_frames()
            now = time.perf_counter()
            for thread in threading.enumerate():
                frame = stacks.get(thread.ident or 0)
                if frame is None or thread is self._thread:
                    continue
                name = step(frame)
                works = not name.startswith(_ELSEWHERE) if self._server else thread is worker
                self._weights[name] += now - since if works else _computed(thread, computed)
            since = now


def step(frame: FrameType) -> str:
    """The innermost function of ours on a stack, and the library that it is waiting for."""
    innermost, found = frame, frame
    while not found.f_code.co_filename.startswith(OURS):
        if found.f_back is None:
            return f"{_ELSEWHERE}, in {_library(innermost.f_code)}"
        found = found.f_back
    name = f"{found.f_code.co_filename.removeprefix(OURS)} {found.f_code.co_qualname}"
    return name if found is innermost else f"{name}, in {_library(innermost.f_code)}"


def _library(code: CodeType) -> str:
    path = Path(code.co_filename.removeprefix("<frozen ").removesuffix(">"))  # Python's own import machinery
    parts = path.parts
    for place in ("site-packages", f"python{sys.version_info.major}.{sys.version_info.minor}"):
        if place in parts:
            return parts[parts.index(place) + 1].removesuffix(".py")
    return path.stem


def _computed(thread: threading.Thread, known: dict[int, float]) -> float:
    """Seconds that a thread computed since it was last looked at (Linux)."""
    number = thread.native_id or 0
    try:
        spent = int(Path(f"/proc/self/task/{number}/schedstat").read_text().split()[0]) / 1e9
    except OSError:  # it ended meanwhile
        return 0.0
    before = known.get(number, spent)
    known[number] = spent
    return spent - before
