"""One `smsData` flow, XML or JSON, as the provider reads it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

_MOBILE = re.compile(
    r"\+?(33[67]\d{8}|(590|594|596|262)[67]\d{8}|508\d{6}|(?!33|590|594|596|262|508)[1-9]\d{7,14})|0[67]\d{8}"
)


class FlowError(Exception):
    """The flow cannot be read; `code` is the provider's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a request asks for."""

    name: str
    sender: str | None
    send_at: datetime | None
    messages: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """One SMS taken."""

    received_at: str
    campaign_id: str
    campaign_name: str
    sms_id: str
    phone_number: str
    sender_asked: str
    sender_shown: str
    text: str
    encoding: str
    segments: int
    credits: int

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def is_mobile(number: str) -> bool:
    return _MOBILE.fullmatch(number) is not None


def read_flow(flow: str) -> Campaign:
    """Read a flow; parameters (`#param_1#`) are filled in for each number."""
    if not flow.strip():
        raise FlowError(105, "Your XML flow is empty")
    data, entries = _from_xml(flow) if flow.lstrip().startswith("<") else _from_json(flow)
    send_at = None
    if data.get("DATE"):
        try:
            send_at = datetime.strptime(data["DATE"], "%Y-%m-%d %H:%M:%S")
        except ValueError:
            raise FlowError(115, "Malformed date") from None
    if not entries or not all(entry.get("MOBILEPHONE") for entry in entries):
        raise FlowError(109, "Incomplete flow after the SMS tag")
    message = data.get("MESSAGE", "")
    return Campaign(
        name=data.get("CAMPAIGN_NAME", ""),
        sender=data.get("TPOA") or None,
        send_at=send_at,
        messages=[(entry["MOBILEPHONE"], _filled(message, entry)) for entry in entries],
    )


def _filled(message: str, entry: dict[str, str]) -> str:
    return re.sub(r"#param_(\d+)#", lambda found: entry.get(f"PARAM_{found[1]}", ""), message)


def _from_xml(flow: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    try:
        root = ElementTree.fromstring(flow)
    except ElementTree.ParseError:
        raise FlowError(106, "Invalid XML flow") from None
    if root.tag != "DATA":
        raise FlowError(107, "Invalid XML flow: DATA expected")
    data = {child.tag: child.text or "" for child in root if child.tag != "SMS"}
    entries = [{child.tag: child.text or "" for child in sms} for sms in root.iter("SMS")]
    return data, entries


def _from_json(flow: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    try:
        data: dict[str, Any] = dict(json.loads(flow)["DATA"])
        entries = [{name: str(value) for name, value in entry.items()} for entry in data.pop("SMS", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FlowError(115, "Invalid flow") from None
    return {name: str(value) for name, value in data.items()}, entries
