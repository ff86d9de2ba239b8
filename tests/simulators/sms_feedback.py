"""What becomes of simulated SMS once taken: receipts, replies, the blacklist, asked for or pushed."""

from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulators.sms_campaign import Sms
from tests.simulators.sms_push import push

ON_ITS_WAY = 3
COMMENTS = {1: "Delivered", 2: "Not delivered", 3: "Sent to operator", 4: "Refused", 5: "Rejected"}
_STOP = re.compile(r"\s*stop\b", re.IGNORECASE)


class Feedback:
    """Every SMS is first on its way (code 3), then as `fate` says of its number: 1, delivered, unless told otherwise.

    Each question about an SMS takes it one step on, and so does each push, apart. `reply` is a reader's answer: one
    that begins with STOP puts the number on the blacklist. Dates are of the `zone`, and do not say so. With
    `push_ids_differ` a reply has another id where it is pushed. `push_*` say what came of each callback: True for an
    `OK`.
    """

    METHODS = frozenset({"getAcks", "getAckBySmsId", "getPulls", "getPull", "getPullBySmsId", "getBlacklist"})

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.zone: tzinfo = ZoneInfo("Europe/Paris")
        self.push_ids_differ = False
        self.accepted: list[Sms] = []
        self.fate: dict[str, int] = {}
        self.blacklist: set[str] = set()
        self._campaigns: dict[str, list[Sms]] = {}
        self._by_id: dict[str, Sms] = {}
        self._by_number: dict[str, Sms] = {}
        self._client_ids: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        self._pushed: defaultdict[str, list[int]] = defaultdict(list)
        self._moments: dict[tuple[str, int], str] = {}
        self._stops: dict[str, tuple[str, str]] = {}
        self._replies: list[dict[str, Any]] = []
        self._unread: list[dict[str, Any]] = []

    def take(self, sms: list[Sms], *, client_message_id: str = "") -> None:
        self.accepted.extend(sms)
        self._campaigns[sms[0].campaign_id] = sms
        self._client_ids[sms[0].campaign_id] = client_message_id
        for one in sms:
            self._by_id[one.sms_id] = self._by_number[one.phone_number] = one

    def reply(self, number: str, text: str) -> dict[str, Any]:
        """A reader's answer to the last SMS it got, if any; returned as the provider tells it."""
        with self.lock:
            last = self._by_number.get(number)
            said = {
                "phoneNumber": number,
                "id": str(32154 + len(self._replies)),
                "campaignId": last.campaign_id if last else "",
                "message": text,
                "receptionDate": self._now(),
            }
            self._replies.append({**said, "smsId": last.sms_id if last else ""})
            self._unread.append(said)
            if _STOP.match(text):
                self.blacklist.add(number)
                self._stops[number] = ("stop", said["receptionDate"])
            return said

    def tell(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        """What the API v9.0 says to a question; the replies that `getPulls` gives are given once."""
        campaign = fields.get("campId", "")
        if method == "getAcks":
            if campaign not in self._campaigns:
                return {"status": "0", "statusText": "Unknown campaign"}
            acks = [self._ack(sms) for sms in self._campaigns[campaign]]
            return {"acks": acks, "cliMsgId": self._client_ids[campaign]}
        if method == "getAckBySmsId":
            found = self._by_id.get(fields.get("smsId", ""))
            return self._ack(found) if found else {"status": "0", "statusText": "Unknown smsId"}
        if method == "getPulls":
            limit = int(fields.get("limit", "1000"))
            given, self._unread = self._unread[:limit], self._unread[limit:]
            return {"mos": given}
        if method == "getPull":
            mos = [_without(reply, "smsId") for reply in self._replies if reply["campaignId"] == campaign]
            return {"mos": mos, "cliMsgId": self._client_ids.get(campaign, "")}
        if method == "getPullBySmsId":
            of_one = [reply for reply in self._replies if reply["smsId"] == fields.get("smsId", "")]
            return _without(of_one[-1], "smsId") if of_one else {"status": "0", "statusText": "No answer"}
        listed = []
        for number in sorted(self.blacklist):
            comment, since = self._stops.setdefault(number, ("Refused", self._now()))
            listed.append({"phoneNumber": number, "comment": comment, "receptionDate": since})
        return {"blacklist": listed}

    def report(self, campaign: str) -> tuple[int, dict[str, Any]]:
        """What the REST API says of a campaign."""
        if campaign not in self._campaigns:
            return 404, {"code": 0, "description": "Unknown campaign"}
        reports = []
        for sms in self._campaigns[campaign]:
            ack = self._ack(sms)
            reports.append(
                {
                    "phoneNumber": ack["phoneNumber"],
                    "code": int(ack["statut"]),
                    "description": ack["comment"],
                    "receptionDate": ack["receptionDate"],
                }
            )
        return 200, {"code": 100, "description": "Success", "reports": reports}

    def push_acks(
        self, url: str, method: str = "GET", *, replay: bool = False, connections: int = 1, **more: str
    ) -> list[bool]:
        """Push the next receipt of every SMS that has one left; with `replay`, the last one again.

        A receipt that got no `OK` is pushed again the next time. `more` are fields added to, or put in place of, those
        of each receipt.
        """
        with self.lock:
            due = [(sms, code) for sms in self.accepted if (code := self._next(sms, replay=replay)) is not None]
        said = [self._pushed_ack(sms, code) | more for sms, code in due]
        took = push(url, said, method=method, connections=connections)
        with self.lock:
            for (sms, code), ok in zip(due, took, strict=True):
                if ok and not replay:
                    self._pushed[sms.sms_id].append(code)
        return took

    def push_reply(self, url: str, number: str, text: str, method: str = "GET", *, times: int = 1) -> list[bool]:
        """A reader's answer, pushed as many times; it is in what `getPulls` gives all the same."""
        with self.lock:
            said = self.reply(number, text)
            last = self._by_number.get(number)
        fields = {
            "smsId": last.sms_id if last else "",
            "smsMoId": f"mo-{said['id']}" if self.push_ids_differ else said["id"],
            **{name: said[name] for name in ("message", "phoneNumber", "receptionDate", "campaignId")},
        }
        return push(url, [fields] * times, method=method)

    def subscribe(self, url: str, method: str = "GET") -> bool:
        """Try a callback's address as the provider does before it uses it: with a receipt of an unknown SMS."""
        unknown = {
            "smsId": "00000000-0000-0000-0000-000000000000",
            "status": "1",
            "statusText": "Delivered",
            "receptionDate": self._now(),
            "phoneNumber": "33600000000",
            "campaignId": "test",
        }
        return push(url, [unknown], method=method)[0]

    def _now(self) -> str:
        return datetime.now(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def _ack(self, sms: Sms) -> dict[str, str]:
        self._asked[sms.sms_id] += 1
        code = ON_ITS_WAY if self._asked[sms.sms_id] == 1 else self.fate.get(sms.phone_number, 1)
        return {
            "phoneNumber": sms.phone_number,
            "statut": str(code),
            "comment": COMMENTS.get(code, "Unknown"),
            "receptionDate": self._since(sms, code),
        }

    def _next(self, sms: Sms, *, replay: bool) -> int | None:
        done, fate = self._pushed.get(sms.sms_id, []), self.fate.get(sms.phone_number, 1)
        if replay:
            return done[-1] if done else None
        if not done:
            return ON_ITS_WAY
        return fate if done == [ON_ITS_WAY] and fate != ON_ITS_WAY else None

    def _since(self, sms: Sms, code: int) -> str:
        """The moment of a receipt: the same each time that it is told."""
        return self._moments.setdefault((sms.sms_id, code), self._now())

    def _pushed_ack(self, sms: Sms, code: int) -> dict[str, str]:
        return {
            "smsId": sms.sms_id,
            "status": str(code),
            "statusText": COMMENTS.get(code, "Unknown"),
            "receptionDate": self._since(sms, code),
            "phoneNumber": sms.phone_number,
            "campaignId": sms.campaign_id,
        }


def _without(said: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key != name}
