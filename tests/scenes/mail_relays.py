"""An account on a simulated SMTP server, and what that server kept."""

from __future__ import annotations

from typing import Any

from loan_reminders.gateways.email.mail_relay import Security, SmtpAccount
from tests.simulators.smtp_sink import SmtpSink


def account(port: int, **changes: Any) -> SmtpAccount:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "envelope_sender": "relances@bu.example.fr",
        "security": Security.PLAIN,
        "timeout_s": 5,
        "answer_timeout_s": 5,
        "login_in_clear": True,
    }
    return SmtpAccount(**{**values, **changes})


def kept(sink: SmtpSink) -> list[str]:
    return [str(message["Message-ID"]) for message in sink.messages()]
