"""Open the ledger."""

from __future__ import annotations

from sqlalchemy import URL, Engine, create_engine, event

from loan_reminders.ledger.address import from_text
from loan_reminders.ledger.repository import PostgresLedger

_SETTINGS = (
    "SET statement_timeout = '120s'",
    "SET idle_in_transaction_session_timeout = '600s'",
    "SET timezone = 'UTC'",
    # Tables grow a thousandfold within one transaction: a plan kept from the first page would be wrong for the last.
    "SET plan_cache_mode = 'force_custom_plan'",
    # A sender whose machine died must not look alive for two hours, the usual delay of TCP.
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)


FEW, FOR_PAGES = 2, 10
"""Connections kept open: a task works with one or two, a process of the web server answers several people at once."""


def engine_for(url: str | URL, *, lock_seconds: float = 15, kept: int = FEW) -> Engine:
    """An engine that keeps some connections, each with sensible time limits; statements' values never show in errors.

    The ledger needs session-level locks: behind PgBouncer, its pool must be in session mode.
    """
    engine = create_engine(
        from_text(url) if isinstance(url, str) else url,
        pool_size=kept,
        max_overflow=4,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"application_name": "loan_reminders", "connect_timeout": 10},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _record: object) -> None:
        statements = (*_SETTINGS, f"SET lock_timeout = '{int(lock_seconds * 1000)}ms'")
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("; ".join(statements))  # in one question: a task opens several connections
        connection.commit()  # type: ignore[attr-defined]

    return engine


def connect(url: str | URL, *, library: str, lock_seconds: float = 15, for_pages: bool = False) -> PostgresLedger:
    """The ledger of one library at this URL; nothing is opened before the first use. Close it after use.

    `lock_seconds`: how long to wait for what another process holds before LedgerUnavailable. `for_pages`: for several
    people at once and for weeks; more connections stay open, and an upgrade meanwhile is noticed.
    """
    engine = engine_for(url, lock_seconds=lock_seconds, kept=FOR_PAGES if for_pages else FEW)
    return PostgresLedger(engine, library=library, for_pages=for_pages)
