"""The SMTP relay with servers that ask to wait, at a limited rate, and with commands sent before their answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from loan_reminders.domain.errors import MailRelayUnavailable
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.email.mail_relay import Backoff, SmtpRelay
from tests.scenes.builders import a_mail
from tests.scenes.mail_relays import account, kept
from tests.simulators.smtp_lines import Line, talking
from tests.simulators.smtp_sink import Faults, SmtpSink

S = DeliveryState


@pytest.fixture
def relay(sink: SmtpSink) -> Iterator[SmtpRelay]:
    with closing(SmtpRelay(account(sink.port))) as opened:
        yield opened


@pytest.mark.parametrize(
    "faults",
    [
        Faults(mail="421 4.3.2 closing"),
        Faults(mail="450 4.7.1 too much mail from 192.0.2.1"),
        Faults(rcpt="451 4.7.500 Server busy"),
        Faults(rcpt="452 4.7.0 rate limit exceeded"),
        Faults(data="432 4.3.2 Concurrent connections limit exceeded"),
        Faults(content="451 4.3.2 system overloaded"),
    ],
)
def test_a_server_that_asks_to_wait_is_waited_for_in_growing_pauses_then_serves(sink: SmtpSink, faults: Faults) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            sink.faults = Faults()

    sink.faults = faults
    messages = [a_mail(), a_mail()]
    backoff = Backoff(pauses=(1, 2, 4, 8), sleep=sleep)
    with closing(SmtpRelay(account(sink.port), backoff=backoff)) as relay:
        assert [relay.send(message).state for message in messages] == [S.ACCEPTED] * 2
    assert pauses == [1, 2, 4]
    assert kept(sink) == [message.message_id for message in messages]


def test_a_server_that_asks_to_wait_for_ever_is_left_for_later(sink: SmtpSink) -> None:
    pauses: list[float] = []
    sink.faults = Faults(rcpt="450 4.7.1 too many messages")
    backoff = Backoff(pauses=(1, 2, 4), sleep=pauses.append)
    with (
        closing(SmtpRelay(account(sink.port), backoff=backoff)) as relay,
        pytest.raises(MailRelayUnavailable, match=r"demande d'attendre encore .*Nouvel essai"),
    ):
        relay.send(a_mail())
    assert (pauses, sink.received) == ([1, 2, 4], 0)


class Turns:
    """A pace that only counts whose turn it was. A MailPace."""

    def __init__(self) -> None:
        self.taken = 0

    def wait(self) -> None:
        self.taken += 1


def test_each_message_of_all_connections_waits_for_its_turn(sink: SmtpSink) -> None:
    turns = Turns()
    with (
        closing(SmtpRelay(account(sink.port), pace=turns)) as one,
        closing(SmtpRelay(account(sink.port), pace=turns)) as two,
    ):
        for number, relay in enumerate((one, two, one, two), start=1):
            assert relay.send(a_mail()).state is S.ACCEPTED
            assert (turns.taken, sink.received) == (number, number)


def test_each_message_may_have_a_return_path_of_its_own(sink: SmtpSink, relay: SmtpRelay) -> None:
    message = replace(a_mail(), envelope_sender="retours+0123@bu.example.fr")
    assert relay.send(message).state is S.ACCEPTED
    assert relay.send(a_mail()).state is S.ACCEPTED
    assert sink.senders == ["retours+0123@bu.example.fr", "relances@bu.example.fr"]


def test_a_server_that_says_go_on_after_a_refused_recipient_is_given_nothing() -> None:
    said: list[bytes] = []

    def server(line: Line) -> None:
        line.say("220 hi")
        line.read()
        line.say("250-hi\r\n250 PIPELINING")
        for answer in ("250 ok", "550 5.1.1 nobody", "354 go on"):
            line.read()
            line.say(answer)
        said.append(line.read())
        line.say("554 5.5.1 no recipient")
        for answer in ("250 reset", "250 ok", "250 ok", "354 go"):
            said.append(line.read())
            line.say(answer)
        while line.read() != b".\r\n":
            continue
        line.say("250 kept")

    with talking(server) as port, closing(SmtpRelay(account(port))) as relay:
        receipts = [relay.send(a_mail()) for _ in range(2)]
    assert [receipt.state for receipt in receipts] == [S.REFUSED, S.ACCEPTED]
    assert said[:2] == [b".\r\n", b"RSET\r\n"]
