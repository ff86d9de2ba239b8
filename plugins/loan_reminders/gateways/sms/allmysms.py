"""SMS through allmysms, by its HTTPS API v9.0: `sendSms`, `simulateCampaign`, `getInfo`, `getAcks`, `getPulls`,
`getBlacklist`.

The API has no key of idempotency and no look-up by the sender's own id, so what is not known is said to be in doubt
and is never sent again from here. `allmysms_receipts` says what each answer means.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.sms.feedback import SmsCredit
from loan_reminders.gateways.sms.allmysms_client import ACKS, CREDIT, AllMySmsClient
from loan_reminders.gateways.sms.allmysms_feedback import credit_of, entries
from loan_reminders.gateways.sms.allmysms_http import AllMySmsAccount, Exchange, answer_or_raise, unreadable


class AllMySmsGateway(AllMySmsClient):
    """The ports `SmsGateway` and `SmsAccount` by the HTTPS API v9.0; see `AllMySmsClient` for its arguments."""

    def credit(self) -> SmsCredit:
        """What is left, in credits; 15 pay for one French SMS. Raises like `AllMySmsClient.credit`."""
        answer = answer_or_raise(self._http.legacy("getInfo", {}), CREDIT)
        found = credit_of(answer.body, in_credits=True) if isinstance(answer.body, dict) else None
        if found is None:
            raise unreadable(CREDIT)
        return found

    def _submit(self, messages: Sequence[RenderedText], campaign: str, *, simulate: bool) -> Exchange:
        data = ElementTree.Element("DATA")
        ElementTree.SubElement(data, "MESSAGE").text = messages[0].text
        ElementTree.SubElement(data, "TPOA").text = self._sender
        ElementTree.SubElement(data, "CAMPAIGN_NAME").text = campaign
        for message in messages:
            sms = ElementTree.SubElement(data, "SMS")
            ElementTree.SubElement(sms, "MOBILEPHONE").text = message.recipient.value
        flow = ElementTree.tostring(data, encoding="unicode")
        return self._http.legacy("simulateCampaign" if simulate else "sendSms", {"smsData": flow})

    def _campaign_acks(self, campaign_id: str) -> list[object]:
        listed = entries(answer_or_raise(self._http.legacy("getAcks", {"campId": campaign_id}), ACKS), "acks")
        if listed is None:
            raise unreadable(ACKS)
        return listed


__all__ = ["AllMySmsAccount", "AllMySmsGateway"]
