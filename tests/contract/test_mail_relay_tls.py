"""The SMTP relay over TLS: who is trusted, and never in clear when TLS was asked for."""

from __future__ import annotations

import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loan_reminders.domain.errors import MailRelayRejected
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.mail_relay import Security, SmtpAccount, SmtpRelay
from tests.builders import a_mail
from tests.simulators.certificates import self_made_certificate
from tests.simulators.smtp_sink import SmtpSink

S = DeliveryState


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_made_certificate(tmp_path_factory.mktemp("certificate"))


def account(port: int, **changes: Any) -> SmtpAccount:
    values: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "envelope_sender": "relances@bu.example.fr",
        "security": Security.PLAIN,
        "timeout_s": 5,
    }
    return SmtpAccount(**{**values, **changes})


def tls_sink(folder: Path, certificate: Path, security: Security) -> SmtpSink:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return SmtpSink(folder, certificate=context, tls=security is Security.TLS)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_tls_with_a_certificate_vouched_for(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        tls_sink(tmp_path, certificate, security) as sink,
        closing(SmtpRelay(account(sink.port, security=security))) as relay,
    ):
        assert [relay.send(a_mail()).state for _ in range(2)] == [S.ACCEPTED] * 2
        assert sink.connections == 1


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_tls_with_an_unknown_certificate_is_refused(tmp_path: Path, certificate: Path, security: Security) -> None:
    with (
        tls_sink(tmp_path, certificate, security) as sink,
        closing(SmtpRelay(account(sink.port, security=security))) as relay,
        pytest.raises(MailRelayRejected, match="certificat non reconnu"),
    ):
        relay.send(a_mail())
    assert sink.received == 0


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_tls_with_an_unknown_certificate_may_be_allowed(tmp_path: Path, certificate: Path, security: Security) -> None:
    with (
        tls_sink(tmp_path, certificate, security) as sink,
        closing(SmtpRelay(account(sink.port, security=security, verify_certificate=False))) as relay,
    ):
        assert relay.send(a_mail()).state is S.ACCEPTED


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_server_without_tls_is_never_used_in_clear(tmp_path: Path, security: Security) -> None:
    with (
        SmtpSink(tmp_path) as sink,
        closing(SmtpRelay(account(sink.port, security=security))) as relay,
        pytest.raises(MailRelayRejected),
    ):
        relay.send(a_mail())
    assert sink.received == 0
