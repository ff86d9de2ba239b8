"""What the ledger's machine does while this one computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self, TypeVar

Answer = TypeVar("Answer")


class Beside:
    """Does what is asked for in one other thread, in the order it was asked; a context manager that ends with all done.

    After something went wrong nothing more is done: whoever waits for an answer is told of that first error, and so is
    who leaves the block. Nobody else may use what is used here meanwhile, such as a connection.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._wrong: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Waits for what is under way, also after an error: the next try finds nobody at work.
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None and self._wrong is not None:
            raise self._wrong

    def ask(self, work: Callable[..., Answer], *given: Any) -> Future[Answer]:
        """Begin this once all that was asked before is done; `result` of what is returned waits for its answer."""
        return self._pool.submit(copy_context().run, self._in_turn, work, given)

    def _in_turn(self, work: Callable[..., Answer], given: tuple[Any, ...]) -> Answer:
        if self._wrong is not None:
            raise self._wrong
        try:
            return work(*given)
        except BaseException as error:
            self._wrong = error
            raise
