"""From the SMS that leaves to what its fate changes for the next: a real ledger, the provider's real protocol."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.errors import SmsGatewayUnavailable
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason, Refusal, SkipReason
from loan_reminders.gateways.sms.allmysms_callback import read_callback
from loan_reminders.services.sms.feedback import read_blacklist, read_credit
from loan_reminders.settings.library_toml import ROOT
from tests.scenes.ledger_runs import rows
from tests.scenes.sms_return import (
    NUMBER,
    a_day_passes,
    account,
    in_force,
    next_day,
    receipts,
    replies,
    send,
    slot_skips,
    sms_states,
)
from tests.scenes.world import SETTINGS, loan, reader
from tests.simulators.allmysms_server import Fault
from tests.simulators.callback_receiver import CallbackReceiver

S = DeliveryState


def test_handed_over_is_not_the_end_delivered_is(world):
    run_id = send(world, loan(1), loan(2))
    world.sms.provider.fate["33639980002"] = 2
    assert receipts(world)["moved"] == 0
    assert sms_states(world, run_id) == {S.ACCEPTED: 2}
    assert receipts(world)["moved"] == 2
    assert sms_states(world, run_id) == {S.DELIVERED: 1, S.BOUNCED: 1}
    assert receipts(world) == {"campaigns": 0, "acks": 0, "moved": 0}


def test_a_number_that_fails_twice_gets_no_third_sms_and_the_email_goes_alone(world):
    world.sms.provider.fate[NUMBER] = 5
    send(world, loan(1))
    for number in (1, 2):
        receipts(world), receipts(world)
        run_id = next_day(world, number)
        planned = world.plan(run_id)
        assert planned == ({"email": 1, "sms": 1} if number == 1 else {"email": 1})
        a_day_passes(world)
        world.send_sms(run_id)
    assert in_force(world) == {NUMBER: "dead_number"}
    assert slot_skips(world, run_id) == [SkipReason.DEAD_NUMBER]
    assert len(world.texted_to()) == 2


def test_a_bounced_sms_is_not_sent_again_to_that_number_for_that_loan(world):
    world.sms.provider.fate[NUMBER] = 5
    send(world, loan(1))
    receipts(world), receipts(world)
    again = world.begin(loan(1))
    assert world.ledger.planned_count(again, Channel.SMS) == 0
    assert world.texted_to() == [NUMBER]


def test_after_a_stop_the_next_run_skips_the_sms_and_nothing_is_paid(world):
    send(world, loan(1))
    a_day_passes(world)
    world.sms.provider.reply(NUMBER, "stop svp!!")
    assert replies(world) == {"replies": 1, "stops": 1}
    run_id = next_day(world, 1)
    assert world.plan(run_id) == {"email": 1}
    assert slot_skips(world, run_id) == [SkipReason.OPTED_OUT]
    assert world.ledger.feedback().summary().sms_since == 0
    assert replies(world) == {"replies": 0, "stops": 0}


def test_a_stop_between_planning_and_sending_is_heard(world):
    run_id = world.begin(loan(1), loan(2))
    world.sms.provider.reply(NUMBER, "STOP")
    replies(world)
    world.send_sms(run_id)
    assert world.texted_to() == ["33639980002"]
    assert sms_states(world, run_id) == {S.ACCEPTED: 1, S.CANCELLED: 1}


def test_what_is_no_stop_changes_nothing(world):
    send(world, loan(1))
    world.sms.provider.reply(NUMBER, "ne plus STOP")
    assert replies(world) == {"replies": 1, "stops": 0}
    assert in_force(world) == {}


def test_a_doubt_is_settled_by_the_providers_push(world):
    run_id = world.begin(loan(1))
    with world.ledger.sender(run_id, Channel.SMS) as sender:
        [[delivery]] = sender.waiting()
        sender.claim([delivery.delivery_id])
        message = world.write_text()(delivery)
        account(world).send([message])
        lost = Receipt(delivery_id=delivery.delivery_id, state=S.IN_DOUBT, reason=Reason.NO_ANSWER)
        sender.record([lost])
    assert sms_states(world, run_id) == {S.IN_DOUBT: 1}
    assert receipts(world)["campaigns"] == 0
    [sms] = world.sms.provider.accepted
    said = {"smsId": sms.sms_id, "status": "1", "phoneNumber": sms.phone_number, "campaignId": sms.campaign_id}
    ack = read_callback({**said, "receptionDate": ""})
    assert isinstance(ack, SmsAck)
    world.ledger.feedback().keep_acks([ack])
    assert world.ledger.feedback().settle(failures=2).resolved == 1
    assert sms_states(world, run_id) == {S.DELIVERED: 1}
    assert world.texted_to() == [NUMBER]


def test_sms_whose_answer_was_lost_cost_what_the_provider_billed_once_they_are_known_to_be_delivered(world):
    world.sms.fail_next(Fault.SILENCE_AFTER_ACCEPTING, asking="sendSms")
    run_id = world.begin(loan(1), loan(2))
    with pytest.raises(SmsGatewayUnavailable):
        world.send_sms(run_id)
    assert sms_states(world, run_id) == {S.IN_DOUBT: 2}
    assert costs(world) == (2, 2)
    pushed = [
        {"smsId": sms.sms_id, "status": "1", "phoneNumber": sms.phone_number, "campaignId": sms.campaign_id}
        for sms in world.sms.provider.accepted
    ]
    world.ledger.feedback().keep_acks([read_callback({**said, "receptionDate": ""}) for said in pushed])
    assert world.ledger.feedback().settle(failures=2).resolved == 2
    books = world.ledger.close_run(run_id)
    assert (books.deliveries[Channel.SMS], books.segments) == ({S.DELIVERED: 2}, 2)
    assert costs(world) == (2, 2)


def costs(world):
    """The SMS and the segments of the day."""
    day = datetime.now(SETTINGS.zone).date()
    lines = world.ledger.sms_costs(first=day - timedelta(days=1), last=day + timedelta(days=1), zone="Europe/Paris")
    return sum(line.sms for line in lines), sum(line.segments for line in lines)


def test_the_blacklist_keeps_a_number_off_before_the_provider_has_to_refuse(world, caplog):
    world.sms.provider.blacklist = {NUMBER}
    with caplog.at_level(logging.INFO):
        assert read_blacklist(world.ledger.feedback(), account(world)) == {"blacklisted": 1, "joined": 1}
    assert in_force(world) == {NUMBER: "blacklist"}
    assert NUMBER not in caplog.text
    run_id = world.begin(loan(1))
    world.send_sms(run_id)
    assert slot_skips(world, run_id) == [SkipReason.OPTED_OUT]
    assert world.sms.provider.accepted == []


def test_the_credit_is_kept_for_the_first_page(world):
    world.sms.provider.credit = 880 * 15
    now = world.clock()
    assert read_credit(world.ledger, account(world), now=now) == {"segments": 880}
    assert kept_credits(world) == [(880, now)]


def test_a_run_of_sms_keeps_the_credit_that_it_asked_for(world):
    world.sms.provider.credit = 1000 * 15
    send(world, loan(1), loan(2))
    assert [segments for segments, _ in kept_credits(world)] == [1000]


def kept_credits(world):
    return [tuple(row) for row in rows(world.ledger, "SELECT segments, at FROM sms_credits ORDER BY credit_id")]


def test_a_reader_without_email_whose_number_stopped_is_on_the_desks_list(world):
    world.ledger.feedback().keep_blacklist([BlacklistEntry(phone_number=NUMBER, comment="stop", received_at=None)])
    run_id = world.begin(loan(1, patron=reader(1, email=Refusal.MISSING)))
    assert world.ledger.planned_volume(run_id) == {}
    books = world.close(run_id)
    assert (dict(books.skipped), list(books.problems())) == ({SkipReason.NO_RECIPIENT: 1}, [])


def test_the_provider_calls_the_real_web_server(world, tmp_path, postgres_server, ledger_database):
    config = tmp_path / "library.toml"
    config.write_text((ROOT / "library.toml").read_text(encoding="utf-8").replace('"montclar"', '"demo"', 1))
    run_id = send(world, loan(1), loan(2))
    provider = world.sms.provider
    provider.fate["33639980002"] = 5
    provider.push_ids_differ = True
    place = {"socket_folder": postgres_server.socket_folder, "database": ledger_database}
    with CallbackReceiver(**place, REMINDERS_CONFIG=str(config)) as receiver:
        assert provider.subscribe(receiver.url)
        assert provider.subscribe(receiver.url, "POST")
        assert provider.push_acks(receiver.url) == [True, True]
        assert provider.push_acks(receiver.url, "POST") == [True, True]
        assert provider.push_acks(receiver.url, replay=True) == [True, True]
        assert provider.push_acks(receiver.url, replay=True, status="1", smsId="forged", campaignId="x") == [True] * 2
        assert provider.push_reply(receiver.url, NUMBER, "STOP", times=3) == [True] * 3
    assert sms_states(world, run_id) == {S.DELIVERED: 1, S.BOUNCED: 1}
    assert in_force(world) == {NUMBER: "stop"}
    assert replies(world) == {"replies": 0, "stops": 0}
