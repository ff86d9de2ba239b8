"""How fast the e-mails of one library leave, whatever process, machine or run they leave from.

Before a message leaves, its process holds a lock of PostgreSQL for as long as one message takes at that pace: two
messages of a library are never closer than that. Nothing is kept anywhere, so a process that is killed leaves nothing
behind but its lock, which ends with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.sender_locks import let_go

SHORTEST_S = 0.05
"""A turn in seconds, at least: at a fast pace it is that of several messages, or the lock itself would slow them."""

_TAKE = text("SELECT pg_advisory_lock(hashtextextended('reminders mail pace ' || :library, 0))")
_GIVE_BACK = text("SELECT pg_advisory_unlock(hashtextextended('reminders mail pace ' || :library, 0))")
# Each holder gives the lock back after a turn: whoever waits for it does so behind as many turns as there are others.
_PATIENT = text("SET lock_timeout = 0; SET statement_timeout = 0")


class PostgresMailPace:
    """So many messages a minute at most, evenly, for all senders of a library. Its threads may share it.

    A time without messages is not made up for. Close it after use: it keeps a connection.
    """

    def __init__(
        self, engine: Engine, *, library: str, per_minute: int, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        interval = 60 / per_minute
        self._at_once = max(1, int(SHORTEST_S / interval))
        self._turn_s = self._at_once * interval
        self._engine, self._library, self._sleep = engine, library, sleep
        self._connection: Connection | None = None
        self._left = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next message may leave. Raises LedgerUnavailable; then none may."""
        with self._lock, ledger_errors():
            if not self._left:
                connection = self._open()
                connection.execute(_TAKE, {"library": self._library})
                self._sleep(self._turn_s)
                connection.execute(_GIVE_BACK, {"library": self._library})
                self._left = self._at_once
            self._left -= 1

    def close(self) -> None:
        """End its connection, and with it the lock."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                let_go(connection)

    def _open(self) -> Connection:
        if self._connection is None or self._connection.invalidated:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
            connection.execute(_PATIENT)
            self._connection = connection
        return self._connection
