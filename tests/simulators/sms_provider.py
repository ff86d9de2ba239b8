"""The simulated provider behind the wire: one account, what it takes, what it refuses, what it charges."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.simulators.sms_campaign import Campaign, FlowError, Sms, is_mobile, read_flow
from tests.simulators.sms_counting import count

CREDITS_PER_SMS = 15
LONGEST = 8 * 153
DEFAULT_SENDER = "36180"
KEEPS_SENDER = "STOP au 36180"


class SmsProvider:
    """One account.

    `credit` is what it holds; `blacklist` and `dead` are numbers that are refused; `partial_code` is the status given
    when some numbers of a request are refused (100, or 113). `accepted` holds every SMS taken, `requests` the fields
    of every request but its key.
    """

    def __init__(
        self,
        *,
        login: str = "bu-demo",
        api_key: str = "demo-api-key",
        credit: int = 150_000,
        journal: Path | None = None,
        partial_code: int = 100,
    ) -> None:
        self.login, self.api_key, self.credit, self.partial_code = login, api_key, credit, partial_code
        self.blacklist: set[str] = set()
        self.dead: set[str] = set()
        self.accepted: list[Sms] = []
        self.requests: list[dict[str, str]] = []
        self._journal = journal
        self._lock = threading.Lock()

    def answer(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        """What the API says to one request."""
        with self._lock:
            self.requests.append({name: value for name, value in fields.items() if name != "apiKey"})
            if (fields.get("login"), fields.get("apiKey")) != (self.login, self.api_key):
                return _refusal(102, "Authentication failed: unknown login or apiKey")
            if method == "getInfo":
                return self._info()
            try:
                campaign = read_flow(fields.get("smsData", ""))
            except FlowError as error:
                return _refusal(error.code, str(error))
            return self._send(campaign, simulate=method == "simulateCampaign")

    def _info(self) -> dict[str, Any]:
        return {
            "status": "Active Account",
            "credits": str(self.credit),
            "apiKey": self.api_key,
            "lastName": "Demo",
            "firstName": "Bibliothèque",
            "society": "BU",
            "email": "bu@example.fr",
            "nbSms": self.credit // CREDITS_PER_SMS,
            "balance": round(self.credit / CREDITS_PER_SMS * 0.05, 2),
        }

    def _send(self, campaign: Campaign, *, simulate: bool) -> dict[str, Any]:
        refused = [
            number for number, _ in campaign.messages
            if not is_mobile(number) or self.dead.union(self.blacklist).intersection({number, number.lstrip("+")})
        ]  # fmt: skip
        taken = [(number, text) for number, text in campaign.messages if number not in refused]
        if not all(text.strip() for _, text in campaign.messages):
            return _refusal(110, "Your message is empty")
        if any(len(text) > LONGEST for _, text in campaign.messages):
            return _refusal(111, f"Your message is too long (max {LONGEST} characters)")
        if not taken:
            return _refusal(114, "No valid number in your request", invalidNumbers="|".join(refused))
        counted = [count(text) for _, text in taken]
        price = CREDITS_PER_SMS * sum(parts for _, parts in counted)
        later = campaign.send_at is not None and campaign.send_at > datetime.now()
        status = self.partial_code if refused else 101 if later else 100
        said: dict[str, Any] = {
            "status": status,
            "statusText": "Your messages have been sent",
            "invalidNumbers": "|".join(refused),
        }
        if simulate:
            return said | {"nbCredits": price, "nbContacts": len(taken), "nbSms": price // CREDITS_PER_SMS}
        if self.credit == 0:
            return _refusal(103, "You have no credits left", credits="0")
        if price > self.credit:
            return _refusal(
                104, f"Not enough credits: {price} needed, {self.credit} available", credits=str(self.credit)
            )
        self.credit -= price
        campaign_id = f"ap_{uuid.uuid4().hex[:10]}"
        ids = []
        for (number, text), (encoding, parts) in zip(taken, counted, strict=True):
            kept = campaign.sender is not None and KEEPS_SENDER.lower() in text.lower()
            sms = Sms(
                received_at=datetime.now().astimezone().isoformat(timespec="milliseconds"),
                campaign_id=campaign_id,
                campaign_name=campaign.name,
                sms_id=str(uuid.uuid4()),
                phone_number=number.lstrip("+"),
                sender_asked=campaign.sender or "",
                sender_shown=campaign.sender if kept and campaign.sender else DEFAULT_SENDER,
                text=text,
                encoding=encoding,
                segments=parts,
                credits=parts * CREDITS_PER_SMS,
            )
            ids.append({"phoneNumber": sms.phone_number, "smsId": sms.sms_id})
            self._take(sms)
        said |= {
            "campaignId": campaign_id,
            "credits": str(self.credit),
            "creditsUsed": str(price),
            "nbContacts": str(len(taken)),
            "nbSms": str(price // CREDITS_PER_SMS),
            "smsIds": ids,
        }
        if len(self.requests) % 2 == 0:
            said |= {"balance": 12.5, "brandNewField": {"nested": [1, None]}}
        return said

    def _take(self, sms: Sms) -> None:
        self.accepted.append(sms)
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(sms.as_json() + "\n")


def _refusal(code: int, text: str, **more: str) -> dict[str, Any]:
    return {"status": code, "statusText": text, **more}
