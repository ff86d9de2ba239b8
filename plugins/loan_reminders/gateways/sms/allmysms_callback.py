"""What allmysms says when it calls us: receipts and replies, as request parameters.

A receipt has `smsId, status, statusText, receptionDate, phoneNumber, campaignId`; a reply has `smsMoId, message,
phoneNumber, receptionDate, campaignId` and the `smsId` it answers. Nothing is signed: what is said is a hint, and
says nothing of an SMS that we did not send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.sms.feedback import SmsAck, SmsReply
from loan_reminders.gateways.sms.allmysms_answer import Secrets
from loan_reminders.gateways.sms.allmysms_client import PARIS
from loan_reminders.gateways.sms.allmysms_feedback import ack_of, reply_of

_OURS = Secrets(login="", api_key="")
"""A callback holds no secret of ours."""


_FRENCH_MOBILE = re.compile(r"33[67](?!(\d)\1{7})\d{8}")
_FIRST = datetime(1980, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""How far the provider's clock, or its idea of the time zone, may be ahead of ours."""


def read_callback(
    fields: Mapping[str, str],
    *,
    now: datetime | None = None,
    zone: tzinfo = PARIS,
    countries: frozenset[str] = FRENCH_COUNTRIES,
) -> SmsAck | SmsReply | None:
    """The receipt or the reply of one callback; None when it is neither, as when the address is being tried.

    `zone` is that of the provider's dates; one before 1980, or later than `now` when it is given, is unknown. A reply
    must come from a mobile of `countries`, where SMS go: no other can answer one. A receipt must name its SMS and its
    number: with one alone, whoever guesses it could say what became of an SMS.
    """
    said = dict(fields)
    if said.get("smsMoId") or "message" in said:
        reply = reply_of({**said, "id": said.get("smsMoId", "")}, zone=zone, secrets=_OURS)
        if not _may_be_a_mobile(reply.phone_number, countries):
            return None
        return replace(reply, received_at=_believed(reply.received_at, now))
    if said.get("status"):
        ack = ack_of(said, campaign_id=said.get("campaignId", ""), zone=zone, secrets=_OURS)
        if not (ack.sms_id and ack.phone_number):
            return None
        return replace(ack, received_at=_believed(ack.received_at, now))
    return None


def _believed(moment: datetime | None, now: datetime | None) -> datetime | None:
    if moment is None or moment < _FIRST or (now is not None and moment > now + _AHEAD):
        return None
    return moment


def _may_be_a_mobile(number: str, countries: frozenset[str]) -> bool:
    """Whether a number has the shape of a French mobile, or is a valid mobile of these countries.

    Which French blocks are in use changes, and to miss a STOP is worse than to keep one that says nothing.
    """
    if _FRENCH_MOBILE.fullmatch(number):
        return True
    try:
        MobileNumber.parse(f"+{number}", countries=countries)
    except RecipientError:
        return False
    return True
