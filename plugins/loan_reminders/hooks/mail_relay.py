"""From the Airflow connection of the SMTP server to a gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import BaseHook

from loan_reminders.domain.errors import MailRelayRejected
from loan_reminders.domain.ports.runs import MailPace
from loan_reminders.gateways.email.mail_relay import Backoff, Security, SmtpAccount, SmtpRelay
from loan_reminders.hooks.extras import flag, seconds

_USUAL_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}


def mail_relay(
    conn_id: str, *, envelope_sender: str, pace: MailPace | None = None, patience_s: float | None = None
) -> Callable[[], SmtpRelay]:
    """A function that opens relays on the SMTP server of an Airflow connection, one for each thread that sends.

    The connection is read once, here. One of our type `mail_relay` says in its extra `security` how it is protected:
    tls, starttls or plain. One of type smtp means what it means to the SMTP provider's `SmtpHook`: TLS from the start
    unless the extra `disable_ssl` is true, then STARTTLS unless `disable_tls` is true too; `timeout` in seconds
    (30); `ssl_context` "none" trusts any certificate. Without a port: 465, 587 or 25. Two extras are this project's:
    `answer_timeout`, in seconds, for the answer to a whole message (600), and `login_in_clear`, true to let a password
    travel without TLS. `pace` holds the messages of all of them back; without it they leave as fast as can be.
    With `patience_s` no answer is waited for longer than so many seconds, and a server that asks to wait is not asked
    again: somebody sits before a page. Raises MailRelayRejected for a security that there is not, SettingsError for a
    time-out that is no time.
    """
    connection = BaseHook.get_connection(conn_id)
    extra: dict[str, Any] = connection.extra_dejson
    security = _security(conn_id, extra)
    account = SmtpAccount(
        host=connection.host or "localhost",
        port=connection.port or _USUAL_PORTS[security],
        envelope_sender=envelope_sender,
        login=connection.login or "",
        password=connection.password or "",
        security=security,
        timeout_s=_at_most(seconds(conn_id, extra, "timeout", 30.0), patience_s),
        answer_timeout_s=_at_most(seconds(conn_id, extra, "answer_timeout", 600.0), patience_s),
        login_in_clear=flag(extra.get("login_in_clear")),
        verify_certificate=extra.get("ssl_context") != "none",
    )
    backoff = Backoff() if patience_s is None else Backoff(pauses=())
    return lambda: SmtpRelay(account, pace=pace, backoff=backoff)


def _security(conn_id: str, extra: Mapping[str, Any]) -> Security:
    told = extra.get("security")
    if told in tuple(Security):
        return Security(told)
    if told:
        raise MailRelayRejected(
            f"Connexion Airflow {conn_id} : security = « {told} » : valeurs permises : {', '.join(Security)}."
            " La corriger, puis relancer la tâche."
        )
    if not flag(extra.get("disable_ssl")):
        return Security.TLS
    return Security.PLAIN if flag(extra.get("disable_tls")) else Security.STARTTLS


def _at_most(seconds: float, patience_s: float | None) -> float:
    return seconds if patience_s is None else min(seconds, patience_s)
