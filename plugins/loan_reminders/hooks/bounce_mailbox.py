"""From the Airflow connection of the mailbox where e-mails come back to a gateway."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from airflow.sdk import BaseHook

from loan_reminders.gateways.email.bounce_mailbox import ImapBounceMailbox, MailboxAccount
from loan_reminders.hooks.extras import flag, seconds

_TLS_PORT, _PLAIN_PORT = 993, 143


def bounce_mailbox(
    conn_id: str = "bounce_mailbox", *, folder: str, done_folder: str, bounce_addresses: Collection[str] = ()
) -> ImapBounceMailbox:
    """The mailbox of an Airflow connection, opened at the first question: bounce_mailbox or imap, host, port, login.

    TLS from the start, with a certificate that the system's authorities vouch for, unless the extra says otherwise:
    `use_ssl` false reads in clear, which is refused unless `login_in_clear` is true; `ssl_context` "none" trusts any
    certificate. `timeout` in seconds (30). Without a port: 993, or 143 in clear. Raises SettingsError for a
    time-out that is no time, AirflowNotFoundException when there is no such connection.
    """
    connection = BaseHook.get_connection(conn_id)
    extra: dict[str, Any] = connection.extra_dejson
    tls = str(extra.get("use_ssl", True)).strip().lower() not in {"false", "0", "no", "off"}
    return ImapBounceMailbox(
        MailboxAccount(
            host=connection.host or "localhost",
            port=connection.port or (_TLS_PORT if tls else _PLAIN_PORT),
            login=connection.login or "",
            password=connection.password or "",
            folder=folder,
            done_folder=done_folder,
            bounce_addresses=bounce_addresses,
            tls=tls,
            login_in_clear=flag(extra.get("login_in_clear")),
            verify_certificate=extra.get("ssl_context") != "none",
            timeout_s=seconds(conn_id, extra, "timeout", 30.0),
        )
    )
