"""Connections that are used again: three months have three thousand senders, each with a connection that ends with it.

In Airflow each is that of a task, and a task is a process of its own. In one process PostgreSQL would start a server
process for each, which learns the tables anew: a quarter of what the ledger did in all. Whoever ends a connection has
given back its locks before (`sender_locks.let_go`); the next one sets it as a new one is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Engine, event


class _Kept(psycopg.Connection[Any]):
    """A connection whose end is a pause, as long as `free` takes it."""

    free: list[_Kept] | None = None

    def close(self) -> None:
        """Wait for the next who connects."""
        free = _Kept.free
        if free is None or self.closed:
            super().close()
            return
        with suppress(psycopg.Error):
            self.rollback()
            self.autocommit = False
            free.append(self)
            return
        super().close()


@contextmanager
def kept_connections(engine: Engine) -> Iterator[None]:
    """Whatever this engine connects to, it connects to once; all is closed at the end."""
    _Kept.free = free = []

    def connected(_dialect: Any, _record: Any, words: Any, names: Any) -> _Kept:
        return free.pop() if free else _Kept.connect(*words, **names)

    event.listen(engine, "do_connect", connected)
    try:
        yield
    finally:
        engine.dispose()
        _Kept.free = None
        for one in free:
            one.close()
