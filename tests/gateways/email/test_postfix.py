"""The SMTP relay against a real Postfix: what it really answers, and what becomes of it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from loan_reminders.domain.errors import MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.email.mail_relay import Backoff, Security, SmtpRelay
from tests.scenes.builders import a_mail
from tests.scenes.mail_relays import account
from tests.simulators.certificates import self_made_certificate
from tests.simulators.postfix import MISSING, Postfix, available

pytestmark = pytest.mark.skipif(not available(), reason=MISSING)

S = DeliveryState
NO_PAUSE = Backoff(pauses=())


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path that Postfix's own account may enter."""
    path = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def postfix(folder: Path) -> Iterator[Postfix]:
    with Postfix(folder / "plain", message_size_limit="20000") as running:
        yield running


@pytest.fixture
def relay(postfix: Postfix) -> Iterator[SmtpRelay]:
    with closing(SmtpRelay(account(postfix.port), backoff=NO_PAUSE)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("to", "state", "reason", "raw"),
    [
        ("inconnu@bu.test", S.REFUSED, Reason.RECIPIENT_REFUSED, "550 5.1.1"),
        ("plus-tard@bu.test", S.PLANNED, Reason.RECIPIENT_DEFERRED, "450 4.7.1"),
        ("quelquun@ailleurs.test", S.PLANNED, Reason.RECIPIENT_REFUSED, "554 5.7.1"),
    ],
)
def test_a_recipient_it_does_not_take_does_not_spoil_the_next(
    relay: SmtpRelay, to: str, state: DeliveryState, reason: Reason, raw: str
) -> None:
    receipt = relay.send(a_mail(to))
    assert (receipt.state, receipt.reason) == (state, reason)
    assert receipt.raw.startswith(raw)
    after = relay.send(a_mail("connu@bu.test"))
    assert (after.state, after.raw[:9]) == (S.ACCEPTED, "250 2.0.0")


def test_a_message_too_large_is_refused_alone(relay: SmtpRelay) -> None:
    receipt = relay.send(a_mail("connu@bu.test", content=b"Subject: long\r\n\r\n" + b"x" * 70 + b"\r\n" * 20_000))
    assert (receipt.state, receipt.reason) == (S.REFUSED, Reason.MESSAGE_REFUSED)
    assert receipt.raw.startswith("552 5.3.4")
    assert relay.send(a_mail("connu@bu.test")).state is S.ACCEPTED


def test_a_hundred_over_one_connection_are_all_in_its_queue(postfix: Postfix, relay: SmtpRelay) -> None:
    before = postfix.accepted()
    messages = [a_mail(f"connu{number}@bu.test") for number in range(100)]
    assert {
        relay.send(replace(one, envelope_sender=f"retours+{one.delivery_id.hex}@bu.test")).state for one in messages
    } == {S.ACCEPTED}
    deadline = time.monotonic() + 20  # Postfix's log comes after its answers
    while postfix.accepted() - before < 100 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert postfix.accepted() - before == 100


def test_a_banned_sender_is_a_refusal_for_policys_sake(postfix: Postfix) -> None:
    with closing(SmtpRelay(account(postfix.port, envelope_sender="banni@bu.test"))) as relay:
        receipts = [relay.send(a_mail(f"connu{number}@bu.test")) for number in range(3)]
    assert {(one.state, one.reason, one.raw[:9]) for one in receipts} == {
        (S.PLANNED, Reason.RECIPIENT_REFUSED, "554 5.7.1")
    }


def test_a_server_that_takes_no_tls_is_not_used_in_clear(postfix: Postfix) -> None:
    with (
        closing(SmtpRelay(account(postfix.port, security=Security.STARTTLS))) as relay,
        pytest.raises(MailRelayRejected, match="n'offre pas"),
    ):
        relay.send(a_mail("connu@bu.test"))


def test_a_rate_limit_of_the_server_is_waited_for_then_later(folder: Path) -> None:
    pauses: list[float] = []
    backoff = Backoff(pauses=(1, 2), sleep=pauses.append)
    with (
        Postfix(
            folder / "slow", smtpd_client_message_rate_limit="2", smtpd_client_event_limit_exceptions=""
        ) as running,
        closing(SmtpRelay(account(running.port), backoff=backoff)) as relay,
    ):
        assert [relay.send(a_mail("connu@bu.test")).state for _ in range(2)] == [S.ACCEPTED] * 2
        with pytest.raises(MailRelayUnavailable, match=r"demande d'attendre encore .*4\.7\.1"):
            relay.send(a_mail("connu@bu.test"))
        assert pauses == [1, 2]
        assert running.accepted() == 2


def test_starttls_with_an_authority_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "certificate").mkdir()
    certificate = self_made_certificate(folder / "certificate")
    tls = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": str(certificate)}
    with Postfix(folder / "tls", **tls) as running:
        asked = account(running.port, security=Security.STARTTLS)
        with closing(SmtpRelay(asked)) as relay, pytest.raises(MailRelayRejected, match="certificat non reconnu"):
            relay.send(a_mail("connu@bu.test"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with closing(SmtpRelay(asked)) as relay:
            assert [relay.send(a_mail("connu@bu.test")).state for _ in range(3)] == [S.ACCEPTED] * 3
        with closing(SmtpRelay(account(running.port))) as relay, pytest.raises(MailRelayRejected, match="530"):
            relay.send(a_mail("connu@bu.test"))
