"""What a run says to readers is kept word for word, with what was attempted and nothing else."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import SmsGatewayUnavailable
from loan_reminders.domain.stages import Channel
from tests.scenes.ledger_runs import rows
from tests.scenes.world import loans
from tests.simulators.allmysms_server import Fault


def kept(world, channel: Channel):
    """Recipient, subject and words of every message kept by this channel."""
    found = rows(world.ledger, "SELECT DISTINCT loan_id FROM delivery_loans")
    told = [one for (loan_id,) in found for one in world.ledger.dispute().file(loan_id).deliveries]
    return sorted(
        (one.recipient.value, one.words.subject, one.words.body)
        for one in told
        if one.channel is channel and one.words is not None
    )


def test_the_words_of_each_sms_are_those_the_provider_took(world):
    world.send_sms(world.begin(*loans(3)))
    assert len(kept(world, Channel.SMS)) == 3
    assert kept(world, Channel.SMS) == sorted((sms.phone_number, "", sms.text) for sms in world.sms.provider.accepted)


def test_the_words_of_an_sms_in_doubt_are_kept(world):
    world.sms.fail_next(Fault.CUT_AFTER_ACCEPTING, asking="sendSms")
    with pytest.raises(SmsGatewayUnavailable):
        world.send_sms(world.begin(*loans(1)))
    assert len(kept(world, Channel.SMS)) == 1


def test_nothing_is_kept_of_what_was_never_attempted(world):
    world.begin(*loans(2))
    assert kept(world, Channel.SMS) == []
    assert kept(world, Channel.EMAIL) == []


def test_the_words_of_each_email_are_kept_with_their_subject(world):
    world.send_emails(world.begin(*loans(2)))
    words = kept(world, Channel.EMAIL)
    assert len(words) == 2
    assert all(subject and body for _, subject, body in words)
