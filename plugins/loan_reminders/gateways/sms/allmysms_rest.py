"""SMS through allmysms, by its REST API: `/sms/send/`, `/sms/send/bulk/`, `/account`, `/report/campaign/{id}`.

What is not known is said to be in doubt and is never sent again from here, as by the HTTPS API v9.0. No address is
known for readers' replies, for the blacklist, nor for the receipt of a single SMS: those three are asked of the API
v9.0, on the same account.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.sms.feedback import SmsCredit
from loan_reminders.gateways.sms.allmysms_client import ACKS, CREDIT, AllMySmsClient
from loan_reminders.gateways.sms.allmysms_feedback import credit_of, entries
from loan_reminders.gateways.sms.allmysms_http import AllMySmsAccount, Exchange, answer_or_raise, unreadable


class AllMySmsRestGateway(AllMySmsClient):
    """The ports `SmsGateway` and `SmsAccount` by the REST API; see `AllMySmsClient` for its arguments."""

    def credit(self) -> SmsCredit:
        """What is left, in euros, and how many French SMS that pays for. Raises like `AllMySmsClient.credit`."""
        answer = answer_or_raise(self._http.rest("/account"), CREDIT)
        found = credit_of(answer.body, in_credits=False) if isinstance(answer.body, dict) else None
        if found is None:
            raise unreadable(CREDIT)
        return found

    def _submit(self, messages: Sequence[RenderedText], campaign: str, *, simulate: bool) -> Exchange:
        numbers = [message.recipient.value for message in messages]
        document: dict[str, Any] = {"from": self._sender, "text": messages[0].text, "campaignName": campaign}
        if simulate:
            document["simulate"] = 1
        if len(numbers) == 1:
            return self._http.rest("/sms/send/", {**document, "to": numbers[0]})
        return self._http.rest("/sms/send/bulk/", {**document, "to": [{"mobilePhone": number} for number in numbers]})

    def _campaign_acks(self, campaign_id: str) -> list[object]:
        exchange = self._http.rest(f"/report/campaign/{quote(campaign_id, safe='')}")
        answer = answer_or_raise(exchange, ACKS, may_be_missing=True)
        listed = entries(answer, "reports")
        if listed is None:
            raise unreadable(ACKS)
        return listed


__all__ = ["AllMySmsAccount", "AllMySmsRestGateway"]
