"""An answer of the ledger that serves everybody who asks within a few seconds: those who come meanwhile wait for it.

Only for what is the same whoever asks. Whatever a person changes by these pages is seen at once: every form that was
acted upon makes all answers be asked for anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")

KEPT = 5.0
"""Seconds for which an answer serves everybody who opens a page."""

_all: list[SharedAnswer[Any]] = []


class SharedAnswer(Generic[Answer]):
    """One answer, kept for so many seconds, for the same `key` alone."""

    def __init__(self, seconds: float = KEPT) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._key: Hashable = None
        self._asked: Future[Answer] | None = None
        self._until = float("inf")
        _all.append(self)

    def get(self, key: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The answer that is known or under way, or what `ask` says. What it raises, all who wait for it get.

        An error is not kept: the next one who comes asks again.
        """
        with self._lock:
            known = self._asked if self._key == key and time.monotonic() < self._until else None
            answer: Future[Answer] = known or Future()
            if known is None:
                self._asked, self._key, self._until = answer, key, float("inf")
        if known is None:
            self._answer(answer, ask)
        return answer.result()

    def _answer(self, mine: Future[Answer], ask: Callable[[], Answer]) -> None:
        try:
            found = ask()
        except BaseException as error:
            self._drop(mine)
            mine.set_exception(error)
            return
        with self._lock:
            if self._asked is mine:
                self._until = time.monotonic() + self._seconds
        mine.set_result(found)

    def _drop(self, asked: Future[Answer]) -> None:
        with self._lock:
            if self._asked is asked:
                self._asked = None

    def forget(self) -> None:
        """Ask anew at the next look, also when an answer is under way: it may not know of the change."""
        with self._lock:
            self._asked = None


def forget_all() -> None:
    """Ask for everything anew: somebody changed something."""
    for one in _all:
        one.forget()
