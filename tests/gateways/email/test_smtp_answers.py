"""What an SMTP server's answer means: each class of answers, as servers word them."""

from __future__ import annotations

import pytest

from loan_reminders.gateways.email.smtp_answers import Answer, Meaning


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        ("250 2.1.5 Ok", Meaning.TAKEN),
        ("421 4.7.0 mx.example.org Error: too many errors", Meaning.GOODBYE),
        ("503 5.5.1 Error: nested MAIL command", Meaning.GOODBYE),
        ("450 4.7.1 Error: too much mail from 192.0.2.1", Meaning.BUSY),
        ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]", Meaning.BUSY),
        ("452 4.7.0 Rate limit exceeded", Meaning.BUSY),
        ("432 4.3.2 Concurrent connections limit exceeded", Meaning.BUSY),
        ("451 4.3.2 Please try again later", Meaning.BUSY),
        ("450 4.2.1 The user you are trying to contact is receiving mail too quickly: limit exceeded", Meaning.LATER),
        ("450 4.7.1 <x>: Recipient address rejected: Greylisted, see http://postgrey.example.org", Meaning.LATER),
        ("451 4.7.1 Greylisting in action, please come back later", Meaning.LATER),
        ("452 4.2.2 Mailbox full", Meaning.LATER),
        ("450 4.1.8 <x>: Sender address rejected: Domain not found", Meaning.SENDER_LATER),
        ("550 5.1.8 <x>: Sender address rejected: Domain not found", Meaning.SENDER_REFUSED),
        ("530 5.7.0 Must issue a STARTTLS command first", Meaning.SENDER_REFUSED),
        ("554 5.7.1 <x>: Relay access denied", Meaning.POLICY),
        ("550 5.7.26 This mail is unauthenticated", Meaning.POLICY),
        ("554 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org", Meaning.POLICY),
        ("550 relay not permitted", Meaning.POLICY),
        ("550 5.1.1 <x>: Recipient address rejected: User unknown in relay recipient table", Meaning.REFUSED),
        ("550 5.2.1 mailbox disabled", Meaning.REFUSED),
        ("550 No such user here", Meaning.REFUSED),
        ("552 5.3.4 Message size exceeds fixed limit", Meaning.REFUSED),
        ("354 again", Meaning.UNREADABLE),
        ("199 what", Meaning.UNREADABLE),
    ],
)
def test_what_servers_say(raw: str, meaning: Meaning) -> None:
    assert Answer(code=int(raw[:3]), raw=raw).meaning is meaning
