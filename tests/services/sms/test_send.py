"""What each answer of the SMS provider leads to, and that nothing is lost or sent twice."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import BooksDoNotBalance, SmsAccountRejected, SmsBudgetExceeded, SmsGatewayUnavailable
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from tests.scenes.world import closed_port, loans
from tests.simulators.allmysms_server import Fault

S = DeliveryState


def test_a_provider_that_is_down_is_tried_again(world):
    run_id = world.begin(*loans(3))
    with pytest.raises(SmsGatewayUnavailable):
        world.send_sms(run_id, base_url=f"http://127.0.0.1:{closed_port()}")
    assert world.send_sms(run_id) == {"accepted": 3}


def test_a_wrong_key_stops_the_sms_and_nothing_is_lost(world):
    run_id = world.begin(*loans(3))
    with pytest.raises(SmsAccountRejected) as raised:
        world.send_sms(run_id, api_key="the-wrong-key")
    assert "the-wrong-key" not in str(raised.value)
    assert world.send_sms(run_id) == {"accepted": 3}


def test_without_credit_nothing_leaves_and_it_is_said(world):
    world.sms.provider.credit = 10
    run_id = world.begin(*loans(3))
    world.send_emails(run_id)
    with pytest.raises(SmsBudgetExceeded, match="acheter des SMS"):
        world.send_sms(run_id)
    assert world.texted_to() == []
    with pytest.raises(BooksDoNotBalance, match="SMS, envois"):
        world.close(run_id)


def test_invalid_numbers_are_refused_and_the_others_accepted(world):
    world.sms.provider.dead.add("33639980002")
    books = world.whole_run(*loans(3))
    assert books.deliveries[Channel.SMS] == {S.ACCEPTED: 2, S.REFUSED: 1}
    assert books.segments == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault.HTTP_503_HTML,
        Fault.TRUNCATED_JSON,
        Fault.EMPTY_BODY,
        Fault.CUT_AFTER_ACCEPTING,
        Fault.SILENCE_AFTER_ACCEPTING,
    ],
)
def test_an_answer_that_says_nothing_leaves_the_sms_in_doubt_and_never_sends_them_again(world, fault):
    world.sms.fail_next(fault, asking="sendSms")
    run_id = world.begin(*loans(2))
    world.send_emails(run_id)
    with pytest.raises(SmsGatewayUnavailable, match="2 SMS restent en doute"):
        world.send_sms(run_id)
    accepted = len(world.sms.provider.accepted)
    assert world.send_sms(run_id) == {}
    assert len(world.sms.provider.accepted) == accepted
    assert world.close(run_id).problems() == ()
    assert world.whole_run().skipped == {"already_sent": 2}


def test_after_a_request_of_which_nothing_is_known_the_rest_waits_for_the_next_try(world):
    world.sms.fail_next(Fault.SILENCE_AFTER_ACCEPTING, asking="sendSms", times=2)
    run_id = world.begin(*loans(5))
    for lost in (1, 2):
        with pytest.raises(SmsGatewayUnavailable, match="les autres attendent"):
            world.send_sms(run_id, at_once=1)
        assert len(world.texted_to()) == lost
    assert world.send_sms(run_id, at_once=1) == {"accepted": 3}
    assert world.ledger.close_run(run_id).deliveries[Channel.SMS] == {S.ACCEPTED: 3, S.IN_DOUBT: 2}


def test_a_code_that_nobody_knows_stops_the_sms_after_one_request(world):
    world.sms.fail_next(Fault.UNKNOWN_CODE, asking="sendSms")
    run_id = world.begin(*loans(3))
    with pytest.raises(SmsAccountRejected, match=r"ne comprend pas \(code 0\) : 1 SMS reste en doute") as raised:
        world.send_sms(run_id, at_once=1)
    assert raised.value.code == "0"
    assert world.ledger.planned_count(run_id, Channel.SMS) == 2


def test_a_doubt_about_some_of_a_request_stops_nothing(world):
    world.sms.fail_next(Fault.ONE_ID_MISSING, asking="sendSms")
    run_id = world.begin(*loans(4))
    assert world.send_sms(run_id, at_once=2) == {"accepted": 3, "in_doubt": 1}


def test_two_requests_when_there_are_more_readers_than_a_batch(world):
    run_id = world.begin(*loans(5))
    world.send_sms(run_id, at_once=2)
    assert len([one for one in world.sms.provider.requests if "smsData" in one]) == 3
    assert len(set(world.texted_to())) == 5
