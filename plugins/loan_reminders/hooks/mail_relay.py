"""From the Airflow connection of the SMTP server to a gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.sdk import BaseHook

from loan_reminders.domain.ports.runs import MailPace
from loan_reminders.gateways.email.mail_relay import Backoff, RateLimit, Security, SmtpAccount, SmtpRelay

_USUAL_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}


def mail_relay(
    conn_id: str, *, envelope_sender: str, pace: MailPace | None = None, patience_s: float | None = None
) -> Callable[[], SmtpRelay]:
    """A function that opens relays on the SMTP server of an Airflow connection, one for each thread that sends.

    The connection is read once, here, and means what it means to the SMTP provider's `SmtpHook`: TLS from the start
    unless the extra `disable_ssl` is true, then STARTTLS unless `disable_tls` is true too; `timeout` in seconds
    (30); `ssl_context` "none" trusts any certificate. Without a port: 465, 587 or 25. Two extras are this project's:
    `answer_timeout`, in seconds, for the answer to a whole message (600), and `login_in_clear`, true to let a password
    travel without TLS. `pace` holds the messages of all of them back; without it they leave as fast as can be.
    With `patience_s` no answer is waited for longer than so many seconds, and a server that asks to wait is not asked
    again: somebody sits before a page.
    """
    connection = BaseHook.get_connection(conn_id)
    extra: dict[str, Any] = connection.extra_dejson
    if not _true(extra.get("disable_ssl")):
        security = Security.TLS
    elif not _true(extra.get("disable_tls")):
        security = Security.STARTTLS
    else:
        security = Security.PLAIN
    account = SmtpAccount(
        host=connection.host or "localhost",
        port=connection.port or _USUAL_PORTS[security],
        envelope_sender=envelope_sender,
        login=connection.login or "",
        password=connection.password or "",
        security=security,
        timeout_s=_at_most(float(extra.get("timeout") or 30), patience_s),
        answer_timeout_s=_at_most(float(extra.get("answer_timeout") or 600), patience_s),
        login_in_clear=_true(extra.get("login_in_clear")),
        verify_certificate=extra.get("ssl_context") != "none",
    )
    rate_limit = pace or RateLimit()
    backoff = Backoff() if patience_s is None else Backoff(pauses=())
    return lambda: SmtpRelay(account, rate_limit=rate_limit, backoff=backoff)


def _at_most(seconds: float, patience_s: float | None) -> float:
    return seconds if patience_s is None else min(seconds, patience_s)


def _true(value: object) -> bool:
    """A flag of a connection, which is text when the connection is given as a URI."""
    return str(value).strip().lower() in {"true", "1", "yes", "on"}
