"""Two processes that live the same days side by side, and wait for each other every evening."""

from __future__ import annotations

import multiprocessing
import sys
import traceback
from collections.abc import Callable
from threading import BrokenBarrierError

Meet = Callable[[], object]
"""Wait until the other process has come as far."""


def side_by_side(mine: Callable[[Meet], None], other: Callable[[Meet], None]) -> None:
    """Do `mine` here and `other` in a fork of this process. Raises RuntimeError when the other one fails."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)

    def guarded() -> None:
        try:
            other(barrier.wait)
        except BrokenBarrierError:  # this one failed, and says why
            sys.exit(1)
        except BaseException:
            traceback.print_exc()
            barrier.abort()
            sys.exit(1)

    process = context.Process(target=guarded)
    process.start()
    try:
        mine(barrier.wait)
    except BrokenBarrierError:
        raise RuntimeError("the other process failed: its error stands above") from None
    except BaseException:
        barrier.abort()
        raise
    finally:
        process.join()
    if process.exitcode:
        raise RuntimeError(f"the other process ended with status {process.exitcode}")
