"""The advisory locks of those who send or print; PostgreSQL releases each when its connection ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, exc, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable
from loan_reminders.domain.stages import Channel

LETTERS = frozenset({Channel.LETTER, Channel.REGISTERED_LETTER})

_LIFE = text("SELECT pg_advisory_lock(hashtextextended(:token, 0))")
_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_SMS = text("SELECT pg_advisory_lock(hashtextextended('reminders sms ' || :library, 0))")
_SLOT = text("SELECT pg_try_advisory_lock(hashtextextended('reminders smtp ' || :library || ' ' || :slot, 0))")
_LET_GO = text("SELECT pg_advisory_unlock_all()")
_LOCK_NOT_AVAILABLE = "55P03"
"""The SQLSTATE of a lock that was waited for too long (PostgreSQL manual, appendix A)."""


def show_life(connection: Connection, token: str) -> None:
    """Hold the lock named after a sender's token: when another process can take it, the sender is dead."""
    connection.execute(_LIFE, {"token": token})


def lock_letters(connection: Connection, library: str, run_id: int, kind: Channel) -> None:
    """Be the only one who lays out, prints or approves a run's letters of one kind, until the connection ends.

    Two batches under way at once would have one name, and the second would take the place of the first's files.
    Raises LedgerUnavailable at once when another task holds the lock.
    """
    name = f"reminders press {library} {run_id} {kind.value}"
    if not connection.execute(_TRY, {"name": name}).scalar_one():
        raise LedgerUnavailable(LedgerRefusal.ANOTHER_TASK_PRINTS)


@contextmanager
def letters_alone(connection: Connection, library: str, run_id: int, kind: Channel) -> Iterator[None]:
    """Hold a run's letters of one kind for a while on a connection that serves nothing else and ends with it."""
    connection.detach()
    try:
        lock_letters(connection, library, run_id, kind)
        connection.commit()
        yield
    finally:
        let_go(connection)


def lock_sms(connection: Connection, library: str) -> None:
    """Be the library's only sender of SMS, in all its runs, until the connection ends.

    What a number had today, what the day and the month cost and what is left on the account are read once, before the
    first SMS: another sender meanwhile would make all of it untrue. Waits as long as for any lock, then raises
    LedgerUnavailable.
    """
    try:
        connection.execute(_SMS, {"library": library})
    except exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise LedgerUnavailable(LedgerRefusal.ANOTHER_TASK_TEXTS) from None


def take_mail_connections(connection: Connection, library: str, *, of: int, wanted: int) -> int:
    """Take at most `wanted` of the `of` SMTP connections that a library may keep open, until this connection ends.

    All its senders share them, on whatever machine, of whatever run. Returns how many are taken, 0 when none is free.
    """
    taken = 0
    for slot in range(of):
        if taken == wanted:
            break
        taken += bool(connection.execute(_SLOT, {"library": library, "slot": str(slot)}).scalar_one())
    return taken


def let_go(connection: Connection) -> None:
    """Give back every lock of a connection of one's own, then end it.

    PostgreSQL notices that a client has gone only a moment after it went: whoever comes next must not meet the lock of
    a task that is done. On a connection that is lost there is nothing to give back.
    """
    try:
        with suppress(exc.SQLAlchemyError):
            connection.rollback()
            connection.execute(_LET_GO)
            connection.commit()
    finally:
        connection.close()
