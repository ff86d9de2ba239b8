"""What the SMS provider says by calling the address of the pages, for tests."""

from __future__ import annotations

import pytest

from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_sms import NUMBER, moment
from tests.web.client import CALLBACKS

METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


def call(client, method, fields, path=CALLBACKS):
    """Say something by GET or POST."""
    if method == "GET":
        return client.get(path, params=fields)
    return client.post(path, data=fields)


def ack(status="1", number=NUMBER, *, sms_id="id-1", campaign="ap_1", **more):
    """A receipt."""
    said = {"smsId": sms_id, "status": status, "statusText": "x", "phoneNumber": number, "campaignId": campaign}
    return {**said, "receptionDate": f"{moment(0).astimezone(settings().zone):%Y-%m-%d %H:%M:%S}", **more}


def reply(message, number=NUMBER, *, reply_id="32154"):
    """A reader's answer."""
    said = {"smsMoId": reply_id, "smsId": "id-1", "message": message, "phoneNumber": number, "campaignId": "ap_1"}
    return {**said, "receptionDate": f"{moment(0).astimezone(settings().zone):%Y-%m-%d %H:%M:%S}"}


def told_ok(answer):
    """Whether the provider counts it as taken."""
    return answer.status_code == 200 and answer.text == "OK"
