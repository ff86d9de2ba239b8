"""What allmysms tells by calling us: receipts and replies, as request parameters.

A receipt has `smsId, status, statusText, receptionDate, phoneNumber, campaignId`; a reply has `smsMoId, message,
phoneNumber, receptionDate, campaignId` and the `smsId` it answers. Nothing is signed: what is said is a hint, and
says nothing of an SMS that we did not send.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from loan_reminders.domain.sms_feedback import SmsAck, SmsReply
from loan_reminders.gateways.allmysms_answer import Secrets
from loan_reminders.gateways.allmysms_client import PARIS
from loan_reminders.gateways.allmysms_feedback import ack_of, reply_of

_OURS = Secrets(login="", api_key="")
"""A callback holds no secret of ours."""


def read_callback(fields: Mapping[str, str], *, zone: tzinfo = PARIS) -> SmsAck | SmsReply | None:
    """The receipt or the reply of one callback; None when it is neither, as when the address is being tried.

    `zone` is that of the provider's dates.
    """
    said = dict(fields)
    if said.get("smsMoId") or "message" in said:
        return reply_of({**said, "id": said.get("smsMoId", "")}, zone=zone, secrets=_OURS)
    if said.get("status") and (said.get("smsId") or said.get("phoneNumber")):
        return ack_of(said, campaign_id=said.get("campaignId", ""), zone=zone, secrets=_OURS)
    return None
