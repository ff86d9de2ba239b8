"""From the Airflow connection `reminders_ledger` to the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from sqlalchemy import URL

    from loan_reminders.domain.ports.email_feedback import SharedMailbox
    from loan_reminders.domain.ports.outside import Ledger
    from loan_reminders.domain.ports.sms_feedback import SharedAccount, SmsFeedback
    from loan_reminders.ledger.email.pace import PostgresMailPace
    from loan_reminders.ledger.repository import PostgresLedger


def ledger(conn_id: str = "reminders_ledger", *, library: str, for_pages: bool = False) -> PostgresLedger:
    """The ledger of one library, opened at first use; use it as a context manager.

    The connection is of type postgres: host, port, login, password, schema (the database), and in its extra any
    setting of libpq such as `sslmode`. A host that is a folder, in its field or as `host` in the extra, is the
    folder of the server's Unix socket. `for_pages`: for several people at once, and for weeks.
    """
    from loan_reminders.ledger.connect import connect

    url = url_of(BaseHook.get_connection(conn_id))
    return connect(url, library=library, for_pages=for_pages)


def url_of(connection: Any) -> URL:
    """The address in an Airflow connection of type postgres."""
    from loan_reminders.ledger.address import from_connection

    return from_connection(
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        database=connection.schema,
        extra=connection.extra_dejson,
    )


def sms_feedback_of(ledger: Ledger, libraries: Sequence[str]) -> tuple[SmsFeedback, ...]:
    """The part about SMS of other libraries' ledgers, over the connections of this one."""
    from loan_reminders.ledger.sms.feedback import PostgresSmsFeedback

    part = cast("PostgresLedger", ledger).part
    return tuple(
        part(lambda transaction, library, of=other: PostgresSmsFeedback(transaction, library=of)) for other in libraries
    )


def shared_account(ledger: Ledger, libraries: Sequence[str]) -> SharedAccount | None:
    """These other libraries, whose receipts come to the same address as this one's; None without any."""
    from loan_reminders.ledger.sms.shared_account import PostgresSharedAccount

    part = cast("PostgresLedger", ledger).part
    return part(partial(PostgresSharedAccount, others=libraries)) if libraries else None


def shared_mailbox(ledger: Ledger, libraries: Sequence[str]) -> SharedMailbox | None:
    """These other libraries, whose bounces come to the same mailbox as this one's; None without any."""
    from loan_reminders.ledger.email.shared_mailbox import PostgresSharedMailbox

    part = cast("PostgresLedger", ledger).part
    return part(partial(PostgresSharedMailbox, others=libraries)) if libraries else None


@contextmanager
def mail_pace(
    conn_id: str = "reminders_ledger", *, library: str, messages_per_minute: int
) -> Iterator[PostgresMailPace | None]:
    """The turns of a library's e-mails, so many a minute whoever sends them; None at 0: as fast as can be."""
    if not messages_per_minute:
        yield None
        return
    from loan_reminders.ledger.email.pace import PostgresMailPace

    with (
        ledger(conn_id, library=library) as opened,
        closing(PostgresMailPace(opened.engine, library=library, per_minute=messages_per_minute)) as pace,
    ):
        yield pace
