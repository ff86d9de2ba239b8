"""An answer of the ledger that serves everybody who asks within a few seconds: those who come meanwhile wait for it.

Once these seconds are over the first who comes asks anew; whoever comes while that lasts has the answer before, if it
is not older than a minute, and does not wait. So what takes long keeps one person waiting, not all who work.
Only for what is the same whoever asks; each library has its own. Whatever a person changes by these pages is seen at
once by whoever is answered by the same process: every form that was acted upon makes all its answers be asked for anew,
and none of before is given. Another process may give one that is up to `MEANWHILE` old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from loan_reminders.settings.libraries import current_library

Answer = TypeVar("Answer")

KEPT = 5.0
"""Seconds for which an answer serves everybody who opens a page."""

MEANWHILE = 60.0
"""Seconds that an answer may be old that is given while the next one is asked for."""

_all: list[SharedAnswer[Any]] = []


@dataclass(slots=True, kw_only=True)
class _Kept(Generic[Answer]):
    """The answer of one library; while it is asked for, `before` is the one that may be given until a moment."""

    key: Hashable
    asked: Future[Answer]
    until: float = float("inf")
    known_at: float = float("-inf")
    before: Future[Answer] | None = None
    before_until: float = float("-inf")

    def to_give(self, now: float) -> Future[Answer]:
        """The answer for whoever does not ask: the one before while this one is under way."""
        if self.before is not None and now < self.before_until and not self.asked.done():
            return self.before
        return self.asked


class SharedAnswer(Generic[Answer]):
    """One answer a library, kept for so many seconds, for the same `key` alone.

    It is given for `meanwhile` seconds in all to those who come while the next one is asked for; with 0 they wait.
    """

    def __init__(self, seconds: float = KEPT, *, meanwhile: float = MEANWHILE) -> None:
        self._seconds, self._meanwhile = seconds, meanwhile
        self._lock = threading.Lock()
        self._kept: dict[str | None, _Kept[Answer]] = {}
        _all.append(self)

    def get(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The answer that is known or under way, or what `ask` says. What it raises, all who wait for it get.

        An error is not kept: the next one who comes asks again.
        """
        library = current_library()
        mine: _Kept[Answer] | None = None
        with self._lock:
            known, now = self._kept.get(library), time.monotonic()
            if known is not None and known.key == key and now < known.until:
                answer = known.to_give(now)
            else:
                mine = self._kept[library] = _Kept(key=key, asked=Future())
                if known is not None and known.key == key:
                    mine.before, mine.before_until = known.asked, known.known_at + self._meanwhile
                answer = mine.asked
        if mine is not None:
            self._answer(library, mine, ask)
        return answer.result()

    def _answer(self, library: str | None, mine: _Kept[Answer], ask: Callable[[], Answer]) -> None:
        try:
            found = ask()
        except BaseException as error:
            with self._lock:
                if self._kept.get(library) is mine:
                    del self._kept[library]
            mine.asked.set_exception(error)
            return
        with self._lock:
            mine.known_at = time.monotonic()
            mine.until = mine.known_at + self._seconds
        mine.asked.set_result(found)

    def forget(self) -> None:
        """Ask anew at this library's next look, also when an answer is under way: it may not know of the change."""
        with self._lock:
            self._kept.pop(current_library(), None)


def forget_all() -> None:
    """Ask for everything of this library anew: somebody changed something."""
    for one in _all:
        one.forget()
