"""The simulated provider behind the HTTP server: one account, the SMS it takes or refuses, and what they cost.

`answer` speaks the API v9.0, `answer_rest` the REST API; `sms_feedback` says what becomes of SMS once taken.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.simulators.sms_campaign import Campaign, FlowError, Sms, is_mobile, read_document, read_flow
from tests.simulators.sms_counting import count
from tests.simulators.sms_feedback import Feedback

CREDITS_PER_SMS = 15
EUROS_PER_SMS = 0.05
LONGEST = 8 * 153
DEFAULT_SENDER = "36180"
KEEPS_SENDER = "STOP au 36180"
LEGACY_METHODS = frozenset({"sendSms", "simulateCampaign", "getInfo", *Feedback.METHODS})


class Refused(Exception):
    """A sending refused whole."""

    def __init__(self, code: int, text: str, **more: str) -> None:
        super().__init__(text)
        self.code, self.more = code, more


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A sending taken, or a simulated one."""

    status: int
    refused: list[str]
    contacts: int
    segments: int
    sms: list[Sms]

    @property
    def price(self) -> int:
        return CREDITS_PER_SMS * self.segments


class SmsProvider(Feedback):
    """One account.

    `credit` is what it holds; `blacklist` and `dead` are numbers that are refused; `partial_code` is the status given
    when some numbers of a request are refused (100, or 113); `bulk_ids` says whether REST gives an id to each of
    several SMS. `accepted` holds every SMS taken, `requests` the fields of every request but its key.
    """

    def __init__(
        self,
        *,
        login: str = "bu-demo",
        api_key: str = "demo-api-key",
        credit: int = 150_000,
        journal: Path | None = None,
        partial_code: int = 100,
        bulk_ids: bool = False,
    ) -> None:
        super().__init__()
        self.login, self.api_key, self.credit, self.partial_code = login, api_key, credit, partial_code
        self.bulk_ids = bulk_ids
        self.dead: set[str] = set()
        self.requests: list[dict[str, Any]] = []
        self._journal = journal

    def answer(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        """What the API v9.0 says to one request."""
        with self.lock:
            self.requests.append({name: value for name, value in fields.items() if name != "apiKey"})
            if (fields.get("login"), fields.get("apiKey")) != (self.login, self.api_key):
                return {"status": 102, "statusText": "Authentication failed: unknown login or apiKey"}
            if method == "getInfo":
                return {"status": "Active Account", "credits": str(self.credit), "society": "BU", **self._account()}
            if method in self.METHODS:
                return self.tell(method, fields)
            simulate = method == "simulateCampaign"
            try:
                taken = self._send(read_flow(fields.get("smsData", "")), simulate=simulate)
            except (FlowError, Refused) as error:
                more = error.more if isinstance(error, Refused) else {}
                return {"status": error.code, "statusText": str(error), **more}
            said: dict[str, Any] = {
                "status": taken.status,
                "statusText": "Your messages have been sent",
                "invalidNumbers": "|".join(taken.refused),
            }
            if simulate:
                return said | {"nbCredits": taken.price, "nbContacts": taken.contacts, "nbSms": taken.segments}
            said |= {
                "campaignId": taken.sms[0].campaign_id,
                "credits": str(self.credit),
                "creditsUsed": str(taken.price),
                "nbContacts": str(taken.contacts),
                "nbSms": str(taken.segments),
                "smsIds": [{"phoneNumber": sms.phone_number, "smsId": sms.sms_id} for sms in taken.sms],
            }
            if len(self.requests) % 2 == 0:
                said |= {"balance": 12.5, "brandNewField": {"nested": [1, None]}}
            return said

    def answer_rest(self, verb: str, path: str, who: tuple[str, str] | None, body: bytes) -> tuple[int, dict[str, Any]]:
        """What the REST API says to one request, under which HTTP status; `who` is the login and key of Basic auth."""
        with self.lock:
            try:
                document = json.loads(body) if body else {}
            except ValueError:
                document = None
            self.requests.append({"path": path, **(document if isinstance(document, dict) else {})})
            if who is None or who[0] != self.login:
                return 401, {"code": 102, "description": "Authentication required: unknown login"}
            if who[1] != self.api_key:
                return 403, {"code": 102, "description": "Authentication failed: wrong apiKey"}
            if (verb, path) == ("GET", "/ping"):
                return 200, {"code": 100, "description": "pong"}
            if (verb, path) == ("GET", "/account"):
                said = {"code": 100, "description": "Success", "referenceCountryIso": "FR", "company": "BU"}
                return 200, {**said, **self._account(), "alerting": 0}
            if verb == "GET" and path.startswith("/report/campaign/"):
                return self.report(unquote(path.removeprefix("/report/campaign/")))
            if verb == "POST" and path in {"/sms/send", "/sms/send/bulk"}:
                return self._send_rest(document, bulk=path.endswith("bulk"))
            return 404, {"code": 404, "description": "Not found"}

    def _send_rest(self, document: Any, *, bulk: bool) -> tuple[int, dict[str, Any]]:
        simulate = isinstance(document, dict) and str(document.get("simulate", 0)) == "1"
        try:
            taken = self._send(read_document(document, bulk=bulk), simulate=simulate)
        except (FlowError, Refused) as error:
            return 400, {"code": error.code, "description": str(error), **getattr(error, "more", {})}
        said: dict[str, Any] = {
            "code": taken.status,
            "description": "Your messages have been sent",
            "invalidNumbers": "|".join(taken.refused),
            "nbContacts": taken.contacts,
            "nbSms": taken.segments,
            "balance": self._balance(),
            "cost": round(taken.segments * EUROS_PER_SMS, 4),
        }
        if simulate:
            return 201, said | {"simulate": 1}
        if not bulk:
            return 201, said | {"smsId": taken.sms[0].sms_id}
        said["campaignId"] = taken.sms[0].campaign_id
        if self.bulk_ids:
            said["smsIds"] = [{"phoneNumber": sms.phone_number, "smsId": sms.sms_id} for sms in taken.sms]
        return 201, said

    def _account(self) -> dict[str, Any]:
        return {
            "apiKey": self.api_key,
            "lastName": "Demo",
            "firstName": "Bibliothèque",
            "email": "bu@example.fr",
            "nbSms": self.credit // CREDITS_PER_SMS,
            "balance": self._balance(),
        }

    def _balance(self) -> float:
        return round(self.credit / CREDITS_PER_SMS * EUROS_PER_SMS, 2)

    def _send(self, campaign: Campaign, *, simulate: bool) -> Taken:
        unwanted = self.dead | self.blacklist
        refused = [
            number for number, _ in campaign.messages
            if not is_mobile(number) or not unwanted.isdisjoint({number, number.lstrip("+")})
        ]  # fmt: skip
        taken = [(number, text) for number, text in campaign.messages if number not in refused]
        if not all(text.strip() for _, text in campaign.messages):
            raise Refused(110, "Your message is empty")
        if any(len(text) > LONGEST for _, text in campaign.messages):
            raise Refused(111, f"Your message is too long (max {LONGEST} characters)")
        if not taken:
            raise Refused(114, "No valid number in your request", invalidNumbers="|".join(refused))
        counted = [count(text) for _, text in taken]
        segments = sum(parts for _, parts in counted)
        price = CREDITS_PER_SMS * segments
        later = campaign.send_at is not None and campaign.send_at > datetime.now()
        status = self.partial_code if refused else 101 if later else 100
        if simulate:
            return Taken(status=status, refused=refused, contacts=len(taken), segments=segments, sms=[])
        if self.credit == 0:
            raise Refused(103, "You have no credits left", credits="0")
        if price > self.credit:
            raise Refused(104, f"Not enough credits: {price} needed, {self.credit} available", credits=str(self.credit))
        self.credit -= price
        campaign_id = f"ap_{uuid.uuid4().hex[:10]}"
        sms = []
        for (number, text), (encoding, parts) in zip(taken, counted, strict=True):
            kept = campaign.sender is not None and KEEPS_SENDER.lower() in text.lower()
            sms.append(
                Sms(
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
            )
        self.take(sms, client_message_id=campaign.client_message_id)
        if self._journal is not None:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.writelines(f"{one.as_json()}\n" for one in sms)
        return Taken(status=status, refused=refused, contacts=len(taken), segments=segments, sms=sms)
