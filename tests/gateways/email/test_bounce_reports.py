"""What each server's report says, and what cannot be understood."""

from __future__ import annotations

import base64
import time
import uuid

import pytest

from loan_reminders.domain.email.feedback import PUT_AWAY, Arrival, BounceKind
from loan_reminders.gateways.email.bounce_reports import first_look, read
from loan_reminders.gateways.email.reading_limits import TimeLimit
from tests.scenes.bounce_samples import (
    COSTLY,
    HEAD,
    ID,
    SENDER,
    TO,
    away,
    dsn,
    exchange,
    exim,
    french,
    gmail,
    human,
    original,
    qmail,
)

HARD, SOFT, DELAYED = BounceKind.HARD, BounceKind.SOFT, BounceKind.DELAYED


def look(content: bytes) -> Arrival:
    headers = content.partition(b"\n\n")[0] + b"\n\n"
    return first_look(headers) or read(content)[0]


SAMPLES = {
    "postfix": (dsn(), HARD, "5.1.1"),
    "postfix no such domain": (dsn(status="5.4.4", diagnostic="X-Postfix; Host not found"), HARD, "5.4.4"),
    "postfix gave up": (dsn(status="4.4.1", diagnostic="X-Postfix; Connection timed out"), SOFT, "4.4.1"),
    "postfix still tries": (dsn(action="delayed", status="4.4.1", diagnostic="timeout"), DELAYED, "4.4.1"),
    "policy": (dsn(status="5.7.1", diagnostic="smtp; 554 5.7.1 Spam message rejected"), SOFT, "5.7.1"),
    "sender refused": (dsn(status="5.1.8", diagnostic="smtp; 550 5.1.8 sender domain"), SOFT, "5.1.8"),
    "disabled": (dsn(status="5.2.1", diagnostic="smtp; 550 5.2.1 mailbox disabled"), HARD, "5.2.1"),
    "sendmail": (
        dsn(status="5.1.1", more_fields=f"Original-Recipient: rfc822;{TO}\nX-Actual-Recipient: rfc822; a@b.fr\n"),
        HARD,
        "5.1.1",
    ),
    "exim by the norm": (dsn(status="5.0.0", diagnostic="smtp; 550 5.1.1 <x>: unknown"), HARD, "5.0.0"),
    "vague, full": (dsn(status="5.0.0", diagnostic="smtp; 550 Mailbox full for user unknown"), SOFT, "5.0.0"),
    "vague, unknown": (
        dsn(status="5.5.0", diagnostic="smtp; 550 Requested action: mailbox unavailable"),
        HARD,
        "5.5.0",
    ),
    "vague, silent": (dsn(status="5.0.0", diagnostic="smtp; 550 no"), SOFT, "5.0.0"),
    "exchange": (exchange(), HARD, "5.0.350"),
    "gmail full": (gmail(), SOFT, "5.2.2"),
    "gmail unknown": (gmail(status="5.1.1"), HARD, "5.1.1"),
    "exim": (exim(), HARD, "5.1.1"),
    "exim full": (exim(why="552 5.2.2 Mailbox full"), SOFT, "5.2.2"),
    "qmail": (qmail(), HARD, "5.1.1"),
    "french": (french(), HARD, "5.1.1"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_report_says_which_email_whose_address_and_what(name):
    content, kind, status = SAMPLES[name]
    assert first_look(content.partition(b"\n\n")[0] + b"\n\n") is None
    arrival, bounce = read(content)
    assert arrival is Arrival.BOUNCE
    assert bounce is not None
    assert (bounce.kind, bounce.status, bounce.delivery_id) == (kind, status, ID)
    assert TO in (bounce.recipient, *bounce.named)
    assert bounce.received_at is not None
    assert read(content)[1] == bounce


@pytest.mark.parametrize(
    "why",
    [
        "all hosts for 'etu.example.org' have been failing for a long time",
        "550 your server has no PTR record",
        "Delivery incomplete. The recipient server did not accept our connection.",
        "Sorry, I wasn't able to establish an SMTP connection. Giving up on 192.0.2.9.",
        "Something went wrong.",
        "",
    ],
)
def test_a_text_without_a_known_cause_kills_nobody(why):
    arrival, bounce = read(exim(why=why))
    assert (arrival, bounce.kind, bounce.delivery_id) == (Arrival.BOUNCE, SOFT, ID)
    assert TO in (bounce.recipient, *bounce.named)


BROKEN_WORDS = (
    "=?utf-8?b?a?=",
    "=?utf-8?q?=ZZ?=",
    "=?x-none?b?YQ==?=",
    "=?punycode?b?YQ==?=",
    "=?utf-8?b?" + "A" * 999,
)


@pytest.mark.parametrize("word", BROKEN_WORDS, ids=lambda word: word[:20])
@pytest.mark.parametrize("name", ["Subject", "From", "To", "Date", "Message-Id", "X-Failed-Recipients", "Comments"])
def test_a_malformed_encoded_word_in_any_header_spoils_nothing(name, word):
    content = dsn(headers=f"{name}: {word}\n")
    assert look(content) is Arrival.BOUNCE
    bounce = read(content)[1]
    assert (bounce.kind, bounce.recipient, bounce.delivery_id) == (HARD, TO, ID)


@pytest.mark.parametrize("word", BROKEN_WORDS, ids=lambda word: word[:20])
def test_a_malformed_encoded_word_within_the_report_spoils_nothing(word):
    said = dsn(diagnostic=f"smtp; 550 5.1.1 {word} unknown", more_fields=f"X-Note: {word}\n")
    assert read(said)[1].kind is HARD
    quoted = dsn(returned=f"Subject: {word}\nMessage-ID: <{ID}@bu-montclar.example>\n")
    assert read(quoted)[1].delivery_id == ID


def test_the_sound_words_beside_a_malformed_one_are_read():
    from email import message_from_bytes

    from loan_reminders.gateways.email.mime_parts import header

    message = message_from_bytes("Subject: =?utf-8?b?a?= =?utf-8?b?w6k=?=\n =?utf-8?q?t=C3=A9?=\nX: reçu\n\n".encode())
    assert (header(message, "subject"), header(message, "X")) == ("=?utf-8?b?a?=été", "reçu")


def test_the_return_path_tells_the_email_when_nothing_else_does():
    verp = f"Delivered-To: retours+{ID.hex}@bu-montclar.example\n"
    content = dsn(headers=verp, returned="Subject: x\n")
    ours, other = ["retours@bu-montclar.example"], ["retours@autre.example", "retours-b@bu-montclar.example"]
    assert read(content)[1].delivery_id is None
    assert read(content, bounce_addresses=ours)[1].delivery_id == ID
    assert read(content, bounce_addresses=other)[1].delivery_id is None
    assert read(content, bounce_addresses=other + ours)[1].delivery_id == ID, "one mailbox may have several addresses"
    assert read(dsn(headers=verp, delivery=uuid.uuid4()), bounce_addresses=ours)[1].delivery_id == ID


def test_a_status_part_that_is_encoded_against_the_norm_is_read():
    fields = f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {TO}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    packed = base64.encodebytes(fields.encode()).decode()
    content = (
        f"From: MAILER-DAEMON@x\nTo: {SENDER}\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nno\n--b\nContent-Type: message/delivery-status\n"
        f"Content-Transfer-Encoding: base64\n\n{packed}\n--b\nContent-Type: message/rfc822\n\n{original(ID, TO)}\n"
        "--b--\n"
    ).encode()
    arrival, bounce = read(content)
    assert (arrival, bounce.kind, bounce.recipient, bounce.delivery_id) == (Arrival.BOUNCE, HARD, TO, ID)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_bounce(action):
    assert look(dsn(action=action, status="2.1.5", diagnostic="smtp; 250 ok")) is Arrival.SUCCESS


@pytest.mark.parametrize(
    ("content", "arrival"),
    [
        (away(Auto_Submitted="auto-replied"), Arrival.AUTO_REPLY),
        (away(X_Autoreply="yes"), Arrival.AUTO_REPLY),
        (away(Precedence="auto_reply"), Arrival.AUTO_REPLY),
        (away(Precedence="bulk"), Arrival.AUTO_REPLY),
        (away(Precedence="bulk", List_Id="<x.example>"), Arrival.OTHER),
        (away(), Arrival.OTHER),
        (away(Auto_Submitted="no"), Arrival.OTHER),
        (human(), Arrival.OTHER),
        (human("Delivery failed? Undelivered?"), Arrival.UNREADABLE),
        (b"", Arrival.OTHER),
        (b"\xff\xfe\x00garbage", Arrival.OTHER),
        (b"From: MAILER-DAEMON\nContent-Type: multipart/report; boundary=\n\n\xff", Arrival.UNREADABLE),
        (b"From: MAILER-DAEMON\nContent-Type: multipart/report; boundary=b\n\n--b\n--b\n--b", Arrival.UNREADABLE),
        (b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n", Arrival.AUTO_REPLY),
        (b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n", Arrival.OTHER),
        (dsn().replace(b"charset=us-ascii", b"charset=x-none\xe9").replace(b"I'm", b"\xe9\xff"), Arrival.BOUNCE),
        (dsn(diagnostic="smtp; 550 5.1.1 =?utf-8?b?!!!?= \N{SNOWMAN}"), Arrival.BOUNCE),
        (dsn()[:700], Arrival.UNREADABLE),
    ],
)
def test_what_each_message_is(content, arrival):
    assert look(content) is arrival


def test_every_cut_of_a_report_is_understood_or_left():
    content = dsn()
    for end in range(300, len(content), 7):
        assert read(content[:end])[0] in (Arrival.BOUNCE, Arrival.UNREADABLE)


@pytest.mark.parametrize(
    "content",
    [
        HEAD.format("plain") + "-" * 250_000,
        HEAD.format("plain") + "message-id: " * 20_000,
        HEAD.format("plain") + "a@" * 120_000,
        HEAD.format("plain") + "user " * 50_000,
        HEAD.format("plain") + "<" * 250_000,
        HEAD.format("plain") + "\n" * 250_000,
        HEAD.format("html") + "<style" * 40_000,
        HEAD.format("html") + "<a " * 80_000,
        HEAD.format("plain; charset=punycode") + "a-" * 120_000,
        HEAD.format("plain; charset=idna") + "a." * 120_000,
        HEAD.format("plain") + " \n" * 120_000,
        f"Subject: {'=?utf-8?q?' * 20_000}\n" + HEAD.format("plain"),
    ],
    ids=[
        "dashes", "ids", "addresses", "words", "brackets", "lines", "styles", "tags", "punycode", "idna", "spaces",
        "encoded words",
    ],
)  # fmt: skip
def test_a_message_made_to_be_hard_to_read_is_read_all_the_same(content):
    assert read(content.encode())[0] is Arrival.UNREADABLE


@pytest.mark.parametrize("name", COSTLY)
def test_a_message_that_costs_too_much_is_put_aside_at_once(name):
    began = time.process_time()
    assert read(COSTLY[name].encode()[:262_144]) == (Arrival.TOO_COSTLY, None)
    assert time.process_time() - began < 1
    assert Arrival.TOO_COSTLY in PUT_AWAY


def test_blank_lines_without_end_do_not_hide_a_report():
    content = dsn(words="\n" * 100_000).replace(b"Action: failed", b"X: y\nAction: failed")
    began = time.process_time()
    assert read(content)[1].kind is HARD
    assert time.process_time() - began < 1


def test_a_message_that_takes_too_long_all_the_same_is_put_aside(monkeypatch):
    monkeypatch.setattr("loan_reminders.gateways.email.bounce_reports.TimeLimit", lambda: TimeLimit(-1))
    assert read(dsn()) == (Arrival.TOO_COSTLY, None)
