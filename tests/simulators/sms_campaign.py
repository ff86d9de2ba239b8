"""What a sending asks for, as the provider reads it: a `smsData` flow, XML or JSON, or a document of the REST API."""

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
    client_message_id: str = ""


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
    send_at = _moment(data.get("DATE", ""))
    if not entries or not all(entry.get("MOBILEPHONE") for entry in entries):
        raise FlowError(109, "Incomplete flow after the SMS tag")
    message = data.get("MESSAGE", "")
    return Campaign(
        name=data.get("CAMPAIGN_NAME", ""),
        sender=data.get("TPOA") or None,
        send_at=send_at,
        messages=[(entry["MOBILEPHONE"], _filled(message, entry)) for entry in entries],
        client_message_id=data.get("CLIMSGID", ""),
    )


def read_document(document: Any, *, bulk: bool) -> Campaign:
    """Read what the REST API is sent: `to` is one number, or for `bulk` a list of numbers or of objects."""
    if not isinstance(document, dict):
        raise FlowError(115, "Invalid JSON")
    to = document.get("to")
    if bulk != isinstance(to, list):
        raise FlowError(109, "Wrong type for field to")
    listed = [entry if isinstance(entry, dict) else {"mobilePhone": entry} for entry in (to if bulk else [to])]
    entries = [{name: str(value) for name, value in entry.items()} for entry in listed]
    if not entries or not all(entry.get("mobilePhone") for entry in listed):
        raise FlowError(109, "Missing number in field to")
    text = str(document.get("text", ""))

    def filled(entry: dict[str, str]) -> str:
        return re.sub(r"#(param\d+)#", lambda found: entry.get(found[1], ""), text)

    return Campaign(
        name=str(document.get("campaignName", "")),
        sender=document.get("from") or None,
        send_at=_moment(str(document.get("date", ""))),
        messages=[(entry["mobilePhone"], filled(entry)) for entry in entries],
        client_message_id=str(document.get("cliMsgId", "")),
    )


def _moment(written: str) -> datetime | None:
    try:
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S") if written else None
    except ValueError:
        raise FlowError(115, "Malformed date") from None


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
