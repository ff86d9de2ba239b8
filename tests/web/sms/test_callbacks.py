"""What the SMS provider says is kept and settled; what is replayed, forged or unknown does no harm."""

from __future__ import annotations

import pytest

from loan_reminders.domain.states import DeliveryState, Reason
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, in_force, left, state
from tests.scenes.sms_callbacks import METHODS, ack, call, reply, told_ok
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
STRANGER = "33639989999"


@METHODS
def test_a_receipt_is_answered_ok_kept_and_settled(ledger, method):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert told_ok(call(client, method, ack("3")))
        assert told_ok(call(client, method, ack("1")))
    assert state(ledger, sms) == ("delivered", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(2,)]


@METHODS
def test_a_stop_is_answered_ok_and_puts_the_number_on_the_list(ledger, method):
    with browsing("") as client:
        assert told_ok(call(client, method, reply("Stop svp!! é&=")))
    assert in_force(ledger) == {NUMBER: "stop"}
    assert rows(ledger, "SELECT text FROM sms_replies") == [("Stop svp!! é&=",)]


@METHODS
def test_a_replayed_callback_changes_nothing(ledger, method):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert all(told_ok(call(client, method, fields)) for fields in [ack("5"), reply("STOP")] * 5)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(1,)]
    assert rows(ledger, "SELECT count(*) FROM sms_replies") == [(1,)]
    assert state(ledger, sms) == ("bounced", "recipient_refused")
    assert len(ledger.feedback().suppressions()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"foo": "bar"},
        {"status": "1"},
        ack("1", "33600000000", sms_id="00000000-0000-0000-0000-000000000000", campaign="test"),
        ack("5", STRANGER, sms_id="unknown"),
        ack("99", sms_id="unknown"),
        ack("5", NUMBER, sms_id="forged", campaign="ap_forged"),
        ack("abc", "'; DROP TABLE deliveries; --", sms_id="<script>", receptionDate="yesterday"),
        ack("1", "\x00", sms_id="\ufffd" * 100),
        {"message": ""},
    ],
)
@METHODS
def test_the_providers_trial_and_what_is_unknown_or_forged_are_answered_ok_and_move_nothing(ledger, method, fields):
    sms = left(ledger, sms_id="id-1")
    with browsing("") as client:
        assert told_ok(call(client, method, fields))
    assert state(ledger, sms) == ("accepted", None)
    assert in_force(ledger) == {}


def test_a_push_settles_a_doubt(ledger):
    sms = left(ledger, state=DeliveryState.IN_DOUBT, reason=Reason.NO_ANSWER, campaign="")
    with browsing("") as client:
        assert told_ok(call(client, "POST", ack("1", sms_id="never-told", campaign="ap_never_told")))
    assert state(ledger, sms) == ("delivered", None)


@pytest.mark.parametrize(
    "number", ["", "0493000000", "33493000000", "12", "99999999999999", "33600000000", "447700900123", "abc", "0033"]
)
@METHODS
def test_a_stop_of_what_is_no_mobile_of_ours_changes_nothing(ledger, method, number):
    with browsing("") as client:
        assert told_ok(call(client, method, reply("STOP", number)))
    assert in_force(ledger) == {}
    assert rows(ledger, "SELECT count(*) FROM sms_replies") == [(0,)]


@pytest.mark.parametrize("missing", ["smsId", "phoneNumber"])
@pytest.mark.parametrize("value", ["", " ", None])
@METHODS
def test_a_receipt_names_its_sms_and_its_number(ledger, method, missing, value):
    sms = left(ledger, sms_id="id-1")
    said = {**ack("5"), missing: value}
    with browsing("") as client:
        assert told_ok(call(client, method, {name: one for name, one in said.items() if one is not None}))
    assert state(ledger, sms) == ("accepted", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks") == [(0,)]


@pytest.mark.parametrize(
    "date",
    ["0001-01-01 00:00:00", "1979-12-31 00:00:00", "9999-12-31 23:59:59", "2999-01-01 00:00:00", "tomorrow", "\x00"],
)
@METHODS
def test_a_date_that_cannot_be_is_unknown(ledger, method, date):
    with browsing("") as client:
        assert told_ok(call(client, method, ack("1", sms_id="id-9", receptionDate=date)))
        assert told_ok(call(client, method, {**reply("STOP"), "receptionDate": date}))
    assert (
        rows(ledger, "SELECT received_at FROM sms_acks UNION ALL SELECT received_at FROM sms_replies") == [(None,)] * 2
    )
    assert in_force(ledger) == {NUMBER: "stop"}
