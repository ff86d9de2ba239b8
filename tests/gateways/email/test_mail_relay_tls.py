"""The SMTP relay's door: over TLS, who is trusted, and never in clear when TLS was asked for; and who may log in."""

from __future__ import annotations

import ssl
from contextlib import closing
from pathlib import Path

import pytest

from loan_reminders.domain.errors import MailRelayRejected
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.email.mail_relay import Security, SmtpRelay
from tests.scenes.builders import a_mail
from tests.scenes.mail_relays import account
from tests.simulators.certificates import self_made_certificate
from tests.simulators.smtp_sink import SmtpSink

S = DeliveryState


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_made_certificate(tmp_path_factory.mktemp("certificate"))


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


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_the_password_of_an_encrypted_connection(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with SmtpSink(tmp_path, certificate=context, tls=security is Security.TLS, login="bu", password="s3cret") as sink:
        asked = {"security": security, "login": "bu", "login_in_clear": False}
        with closing(SmtpRelay(account(sink.port, password="s3cret", **asked))) as relay:
            assert relay.send(a_mail()).state is S.ACCEPTED
        with (
            closing(SmtpRelay(account(sink.port, password="wr0ng", **asked))) as relay,
            pytest.raises(MailRelayRejected, match="refuse l'identifiant ou le mot de passe"),
        ):
            relay.send(a_mail())


def test_the_right_password(tmp_path: Path) -> None:
    with (
        SmtpSink(tmp_path, login="bu", password="s3cret") as sink,
        closing(SmtpRelay(account(sink.port, login="bu", password="s3cret"))) as relay,
    ):
        assert relay.send(a_mail()).state is S.ACCEPTED


@pytest.mark.parametrize("password", ["wr0ng", "pässword"])
def test_the_wrong_password_is_permanent_and_never_told(tmp_path: Path, password: str) -> None:
    with (
        SmtpSink(tmp_path, login="bu", password="s3cret") as sink,
        closing(SmtpRelay(account(sink.port, login="bu", password=password))) as relay,
        pytest.raises(MailRelayRejected, match=r"refuse l'identifiant .* « 535|avec un caractère") as caught,
    ):
        relay.send(a_mail())
    assert password not in str(caught.value)
    assert password not in repr(account(1, password=password))


def test_a_password_never_leaves_in_clear_unless_allowed(tmp_path: Path) -> None:
    with (
        SmtpSink(tmp_path, login="bu", password="s3cret") as sink,
        closing(SmtpRelay(account(sink.port, login="bu", password="s3cret", login_in_clear=False))) as relay,
        pytest.raises(MailRelayRejected, match="partirait en clair"),
    ):
        relay.send(a_mail())
    assert sink.connections == 0


def test_a_login_for_a_server_that_takes_none() -> None:
    with (
        SmtpSink(discard=True) as sink,
        closing(SmtpRelay(account(sink.port, login="bu", password="s3cret"))) as relay,
        pytest.raises(MailRelayRejected),
    ):
        relay.send(a_mail())
