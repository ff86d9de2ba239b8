"""The SMTP relay against a real server on a real socket: every answer, and every way a line can break."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from loan_reminders.domain.errors import MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.email.mail_relay import Backoff, SmtpRelay
from tests.scenes.builders import a_mail
from tests.scenes.mail_relays import account, kept
from tests.simulators.smtp_lines import Line, talking
from tests.simulators.smtp_sink import Faults, SmtpSink

S = DeliveryState
NO_PAUSE = Backoff(pauses=())


@pytest.fixture
def relay(sink: SmtpSink) -> Iterator[SmtpRelay]:
    with closing(SmtpRelay(account(sink.port), backoff=NO_PAUSE)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("faults", "state", "reason", "raw"),
    [
        (Faults(rcpt="550 5.1.1 no such user"), S.REFUSED, Reason.RECIPIENT_REFUSED, "550 5.1.1 no such user"),
        (Faults(rcpt="553 5.1.3 bad name"), S.REFUSED, Reason.RECIPIENT_REFUSED, "553"),
        (Faults(rcpt="451 4.7.1 greylisted"), S.PLANNED, Reason.RECIPIENT_DEFERRED, "451 4.7.1 greylisted"),
        (Faults(rcpt="452 4.2.2 mailbox full"), S.PLANNED, Reason.RECIPIENT_DEFERRED, "452"),
        (Faults(data="554 5.5.1 no"), S.REFUSED, Reason.MESSAGE_REFUSED, "554 5.5.1 no"),
        (Faults(data="451 4.3.0 busy"), S.PLANNED, Reason.RECIPIENT_DEFERRED, "451 4.3.0 busy"),
        (Faults(rcpt="550 5.2.1 mailbox disabled"), S.REFUSED, Reason.RECIPIENT_REFUSED, "550 5.2.1"),
        (Faults(rcpt="550 no such user here"), S.REFUSED, Reason.RECIPIENT_REFUSED, "550 no such"),
        (Faults(rcpt="550 5.7.1 blocked"), S.PLANNED, Reason.RECIPIENT_REFUSED, "550 5.7.1 blocked"),
        (Faults(rcpt="554 Relay access denied"), S.PLANNED, Reason.RECIPIENT_REFUSED, "554 Relay"),
        (Faults(mail="552 5.3.4 too big"), S.REFUSED, Reason.MESSAGE_REFUSED, "552 5.3.4 too big"),
        (Faults(content="554 5.6.0 bad MIME"), S.REFUSED, Reason.MESSAGE_REFUSED, "554 5.6.0 bad MIME"),
        (Faults(content="554 5.7.1 spam"), S.PLANNED, Reason.MESSAGE_REFUSED, "554 5.7.1 spam"),
        (Faults(content="452 4.3.1 disk full"), S.PLANNED, Reason.RECIPIENT_DEFERRED, "452 4.3.1 disk full"),
    ],
)
def test_a_message_refused_now_or_for_ever_does_not_spoil_the_next(
    sink: SmtpSink, relay: SmtpRelay, faults: Faults, state: DeliveryState, reason: Reason, raw: str
) -> None:
    sink.faults = faults
    message = a_mail()
    receipt = relay.send(message)
    assert (receipt.delivery_id, receipt.state, receipt.reason) == (message.delivery_id, state, reason)
    assert receipt.raw.startswith(raw)
    sink.faults = Faults()
    good = a_mail()
    assert relay.send(good).state is S.ACCEPTED
    assert kept(sink) == [good.message_id]
    assert sink.connections == 1


def test_the_server_took_it_and_cut_the_line_before_answering(sink: SmtpSink, relay: SmtpRelay) -> None:
    sink.faults = Faults(drop_at="CONTENT")
    message, after = a_mail(), a_mail()
    receipt = relay.send(message)
    assert (receipt.state, receipt.reason) == (S.IN_DOUBT, Reason.NO_ANSWER)
    assert relay.send(after).state is S.ACCEPTED
    assert kept(sink) == [message.message_id, after.message_id]


def test_the_server_took_it_and_never_answers(sink: SmtpSink) -> None:
    sink.faults = Faults(silent=True)
    with closing(SmtpRelay(account(sink.port, answer_timeout_s=0.3))) as relay:
        receipt = relay.send(a_mail())
    assert (receipt.state, receipt.reason) == (S.IN_DOUBT, Reason.NO_ANSWER)
    assert sink.received == 1


@pytest.mark.parametrize("answer", ["hello?", "199 what", "354 again", "x" * 20_000])
def test_an_answer_nobody_can_read_leaves_a_doubt(answer: str) -> None:
    def server(line: Line) -> None:
        line.polite_until_content()
        line.say(answer)

    with talking(server) as port, closing(SmtpRelay(account(port))) as relay:
        receipt = relay.send(a_mail())
    assert (receipt.state, receipt.reason) == (S.IN_DOUBT, Reason.UNREADABLE_ANSWER)
    assert len(receipt.raw) <= 500


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_line_cut_before_the_content_is_opened_again_once(sink: SmtpSink, relay: SmtpRelay, step: str) -> None:
    relay.send(a_mail())
    sink.faults = Faults(drop_at=step)
    message = a_mail()
    assert relay.send(message).state is S.ACCEPTED
    assert kept(sink)[1:] == [message.message_id]
    assert sink.connections == 2


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_line_cut_twice_stops_the_batch_with_nothing_sent(sink: SmtpSink, relay: SmtpRelay, step: str) -> None:
    sink.faults = Faults(drop_at=step, drops=2)
    with pytest.raises(MailRelayUnavailable):
        relay.send(a_mail())
    assert sink.received == 0
    assert sink.connections == 2
    assert relay.send(a_mail()).state is S.ACCEPTED


def test_421_after_some_messages_opens_a_new_connection_and_loses_nothing(sink: SmtpSink, relay: SmtpRelay) -> None:
    sink.faults = Faults(close_after=2)
    messages = [a_mail() for _ in range(5)]
    assert [relay.send(message).state for message in messages] == [S.ACCEPTED] * 5
    assert kept(sink) == [message.message_id for message in messages]
    assert sink.connections == 3


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "content"])
def test_421_again_and_again_stops_the_batch(sink: SmtpSink, relay: SmtpRelay, step: str) -> None:
    sink.faults = Faults(**{step: "421 4.3.2 closing for camille@etu.example.fr"})
    with pytest.raises(MailRelayUnavailable, match=r"demande d'attendre.*421.*Nouvel essai automatique") as caught:
        relay.send(a_mail())
    assert "camille" not in str(caught.value)
    assert (sink.connections, sink.received) == (1, 0)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(mail="550 5.7.1 relances@bu.example.fr may not send"), MailRelayRejected),
        (Faults(mail="530 5.7.0 authentication required"), MailRelayRejected),
        (Faults(rcpt="530 5.7.0 authentication required"), MailRelayRejected),
        (Faults(mail="452 4.3.1 disk full"), MailRelayUnavailable),
        (Faults(rcpt="550 5.1.8 relances@bu.example.fr: Sender address rejected"), MailRelayRejected),
        (Faults(rcpt="450 4.1.8 relances@bu.example.fr: Domain not found"), MailRelayUnavailable),
    ],
)
def test_an_answer_that_concerns_everybody_stops_the_batch(
    sink: SmtpSink, relay: SmtpRelay, faults: Faults, error: type[Exception]
) -> None:
    sink.faults = faults
    with pytest.raises(error, match=r"Le serveur de messagerie 127\.0\.0\.1:\d+ .* répond « \d{3}") as caught:
        relay.send(a_mail())
    assert "@" not in str(caught.value)


def test_one_refused_among_many(sink: SmtpSink, relay: SmtpRelay) -> None:
    sink.faults = Faults(refuse="^TO:<mauvais@")
    receipts = [relay.send(a_mail(to)) for to in ("un@x.example.fr", "mauvais@x.example.fr", "deux@x.example.fr")]
    assert [receipt.state for receipt in receipts] == [S.ACCEPTED, S.REFUSED, S.ACCEPTED]
    assert receipts[0].raw.startswith("250 2.0.0 Ok: queued as ")
    assert (sink.received, sink.connections) == (2, 1)


def test_all_refused_is_nobody_sent_and_no_error(sink: SmtpSink, relay: SmtpRelay) -> None:
    sink.faults = Faults(refuse=".")
    assert {relay.send(a_mail()).state for _ in range(5)} == {S.REFUSED}
    assert sink.received == 0


def test_greylisting_then_accepted(sink: SmtpSink, relay: SmtpRelay) -> None:
    sink.faults = Faults(defer=1)
    message = a_mail()
    assert relay.send(message).state is S.PLANNED
    assert relay.send(message).state is S.ACCEPTED
    assert kept(sink) == [message.message_id]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_nobody_at_that_address(host: str) -> None:
    with closing(SmtpRelay(account(unused_port(), host=host))) as relay, pytest.raises(MailRelayUnavailable):
        relay.send(a_mail())


def test_a_server_that_never_greets() -> None:
    with (
        talking(lambda line: line.wait()) as port,
        closing(SmtpRelay(account(port, timeout_s=0.3))) as relay,
        pytest.raises(MailRelayUnavailable),
    ):
        relay.send(a_mail())


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        ("554 no service here", MailRelayRejected),
        ("421 too busy", MailRelayUnavailable),
        ("hello", MailRelayUnavailable),
    ],
)
def test_a_server_that_greets_badly(greeting: str, error: type[Exception]) -> None:
    with (
        talking(lambda line: line.say(greeting)) as port,
        closing(SmtpRelay(account(port), backoff=NO_PAUSE)) as relay,
        pytest.raises(error),
    ):
        relay.send(a_mail())


@pytest.mark.parametrize("to", ["andré@x.example.fr", "a@x.fr\r\nRCPT TO:<b@x.fr>", "a b@x.fr", "a@x.fr>", "", "@x.fr"])
def test_an_address_that_smtp_cannot_carry_is_refused_without_a_word_to_the_server(
    sink: SmtpSink, relay: SmtpRelay, to: str
) -> None:
    receipt = relay.send(a_mail(to))
    assert (receipt.state, receipt.reason) == (S.REFUSED, Reason.INVALID_RECIPIENT)
    assert sink.connections == 0


def test_a_sender_that_smtp_cannot_carry_stops_the_batch(sink: SmtpSink) -> None:
    with (
        closing(SmtpRelay(account(sink.port, envelope_sender="prêt@bu.fr"))) as relay,
        pytest.raises(MailRelayRejected),
    ):
        relay.send(a_mail())


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (b"A: b\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n", b"A: b\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n"),
        (b"A: b\n\nbare\n.\nRSET\n", b"A: b\r\n\r\nbare\r\n.\r\nRSET\r\n"),
        (b"A: b\r\n\r\nno end", b"A: b\r\n\r\nno end\r\n"),
        (b"A: b\r\n\r\nold mac\r.\rend\r\n", b"A: b\r\n\r\nold mac\r\n.\r\nend\r\n"),
    ],
)
def test_content_arrives_whole_and_cannot_end_itself(
    sink: SmtpSink, relay: SmtpRelay, tmp_path: Path, content: bytes, received: bytes
) -> None:
    assert relay.send(a_mail(content=content)).state is S.ACCEPTED
    (path,) = (tmp_path / "mails").glob("*.eml")
    assert path.read_bytes().partition(b"\r\n")[2] == received


def test_closing_is_polite_and_may_be_done_twice(sink: SmtpSink) -> None:
    relay = SmtpRelay(account(sink.port))
    relay.close()
    relay.send(a_mail())
    relay.close()
    relay.close()
    assert sink.connections == 1


def test_files_of_the_sink_carry_no_personal_data(sink: SmtpSink, relay: SmtpRelay, tmp_path: Path) -> None:
    relay.send(a_mail("camille@etu.example.fr"))
    (path,) = (tmp_path / "mails").iterdir()
    assert path.name.startswith("0000001-")
    assert "camille" not in path.name


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
