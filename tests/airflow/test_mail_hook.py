"""The Airflow Connection `mail_relay`, as what it asks of the SMTP server."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loan_reminders.domain.errors import MailRelayRejected
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.email.mail_relay import Security
from loan_reminders.hooks.mail_relay import mail_relay
from tests.scenes.builders import a_mail
from tests.simulators.smtp_sink import SmtpSink

SENDER = "relances@bu.example.fr"
PLAIN = {"disable_ssl": True, "disable_tls": True}


def connected(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Any:
    monkeypatch.setenv("AIRFLOW_CONN_MAIL_RELAY", json.dumps({"conn_type": "smtp", "host": "127.0.0.1", **fields}))
    return mail_relay("mail_relay", envelope_sender=SENDER)


@pytest.mark.parametrize(
    ("extra", "security", "port"),
    [
        ({}, Security.TLS, 465),
        ({"disable_ssl": "true"}, Security.STARTTLS, 587),
        ({"disable_ssl": True, "disable_tls": "True"}, Security.PLAIN, 25),
    ],
)
def test_what_the_connection_says_of_protection(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], security: Security, port: int
) -> None:
    account = connected(monkeypatch, extra=extra)()._account
    assert (account.security, account.port, account.verify_certificate) == (security, port, True)
    assert (account.timeout_s, account.answer_timeout_s, account.login_in_clear) == (30, 600, False)


def test_a_password_in_clear_must_be_allowed_by_the_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with SmtpSink(tmp_path, login="bu", password="s3cret") as sink:
        asked = {"port": sink.port, "login": "bu", "password": "s3cret"}
        with closing(connected(monkeypatch, **asked, extra=PLAIN)()) as relay, pytest.raises(MailRelayRejected) as no:
            relay.send(a_mail())
        assert "login_in_clear" in str(no.value)
        assert "s3cret" not in str(no.value)
        with closing(connected(monkeypatch, **asked, extra={**PLAIN, "login_in_clear": "true"})()) as relay:
            assert relay.send(a_mail()).state is DeliveryState.ACCEPTED


def test_all_relays_of_a_connection_wait_for_turns_of_one_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[int] = []
    pace = SimpleNamespace(wait=lambda: turns.append(1))
    with SmtpSink() as sink:
        connected(monkeypatch, port=sink.port, extra=PLAIN)
        open_relay = mail_relay("mail_relay", envelope_sender=SENDER, pace=pace)
        for _ in range(2):
            with closing(open_relay()) as relay:
                assert relay.send(a_mail()).state is DeliveryState.ACCEPTED
    assert len(turns) == 2
