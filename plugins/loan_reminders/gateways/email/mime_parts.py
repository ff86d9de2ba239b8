"""The MIME parts of a report about an e-mail that did not arrive (RFC 6522), well formed or not."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from itertools import islice

from loan_reminders.gateways.email.header_decoding import decoded_header, decoded_text
from loan_reminders.gateways.email.reading_limits import TooCostly

WORDS_LIMIT = 20_000
MOST_PARTS = 50
PAYLOAD_LIMIT = 80_000
"""Signs of one part that are decoded: enough for its words in base64."""

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_TYPED = re.compile(r"^\s*[\w-]+\s*;\s*")
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_TYPES = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers")
_ORIGINAL_BELOW = re.compile(
    r"^[^\w\n]{0,10}(-{2,60}.{0,200}?(copy|copie|original|origine|returned|unsent|undelivered).*"
    r"|original message( headers)?:?"
    r"|en-t[eê]tes du message d.origine.*|(return-path|received|message-id|dkim-signature): .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_UNSEEN = re.compile(r"<(style|script)\b", re.IGNORECASE)
_TAGS = re.compile(r"<(?![\w.+-]{1,64}@)[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a report says of one recipient: RFC 3464 fields, `recipients` the addresses they name, lower case."""

    action: str
    status: str
    diagnostic: str
    recipients: tuple[str, ...]
    text: str = ""


def header(message: Message, name: str) -> str:
    """One header on one line, encoded words read; empty when missing."""
    return decoded_header(next((value for key, value in message.raw_items() if key.lower() == name.lower()), ""))


def parts_of(message: Message) -> tuple[Message, ...]:
    """The parts of a message, those of a returned message left out. Raises TooCostly when they are too many."""
    parts = tuple(islice(_walk(message), MOST_PARTS + 1))
    if len(parts) > MOST_PARTS:
        raise TooCostly
    return parts


def _walk(message: Message) -> Iterator[Message]:
    kind = message.get_content_type()
    yield message
    if kind in (*_STATUS_TYPES, *_RETURNED_TYPES):
        return
    payload = message.get_payload()
    if isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _walk(part)


def failures_in(parts: Sequence[Message]) -> tuple[Failure, ...]:
    """What the parts of type delivery-status say, a recipient each."""
    found = []
    for part in parts:
        if part.get_content_type() in _STATUS_TYPES:
            found += [failure for block in _blocks(part) if (failure := _failure(block)) is not None]
    return tuple(found)


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a status part; some servers encode it, which the norm forbids."""
    encoded = header(part, "Content-Transfer-Encoding").lower() in ("base64", "quoted-printable")
    payload = part.get_payload()
    if isinstance(payload, list) and not encoded and len(payload) > 1:
        return [block for block in payload if isinstance(block, Message)]
    text = "\n".join(str(block) for block in payload) if isinstance(payload, list) else str(payload)
    if encoded:
        carrier = Message()
        carrier["Content-Transfer-Encoding"] = header(part, "Content-Transfer-Encoding")
        carrier.set_payload(text.strip())
        text = _text_of(carrier)
    groups = re.split(r"\n[ \t]*\n+", text.replace("\r\n", "\n").strip())
    return [message_from_string(f"{group}\n\n") for group in groups]


def _failure(block: Message) -> Failure | None:
    action = header(block, "Action").split("(")[0].strip().lower()
    if not action:
        return None
    named = [value for name in ("Original-Recipient", "Final-Recipient") if (value := _address(header(block, name)))]
    actual = _address(header(block, "X-Actual-Recipient"))
    recipients = dict.fromkeys([*reversed(named), *([actual] if actual else [])])
    status = header(block, "Status").split(" ")[0].split("(")[0]
    return Failure(
        action=action,
        status=status if re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status) else "",
        diagnostic=_TYPED.sub("", header(block, "Diagnostic-Code")),
        recipients=tuple(recipients),
        text=str(block).strip()[:WORDS_LIMIT],
    )


def _address(field: str) -> str:
    """`rfc822;Camille@example.fr` as the address alone, lower case; RFC 3461's xtext read."""
    text = _TYPED.sub("", field).strip().strip("<>").lower()
    if re.search(r"\+(3d|2b|40)", text):
        text = urllib.parse.unquote(re.sub(r"\+(?=3d|2b|40)", "%", text))
    return text if "@" in text else ""


def own_words(message: Message, parts: Sequence[Message]) -> str:
    """What a report says in its own words, plain text, a returned message included when it is within the text."""
    plain = [part for part in parts if part.get_content_type() == "text/plain"]
    rich = [part for part in parts if part.get_content_type() == "text/html"]
    if not plain and not rich and not message.is_multipart():
        plain = [message]
    texts = [_text_of(part) for part in plain] or [_without_tags(_text_of(part)[:WORDS_LIMIT]) for part in rich]
    text = "\n".join(texts)[:WORDS_LIMIT]
    below = _ORIGINAL_BELOW.search(text)
    return text[: below.start()] if below and below.start() > 0 else text


def _without_tags(html: str) -> str:
    """HTML as its words; an address in angle brackets is one of them."""
    pieces, lower, start = [], html.lower(), 0
    while unseen := _UNSEEN.search(html, start):
        pieces.append(html[start : unseen.start()])
        end = lower.find(f"</{unseen[1].lower()}>", unseen.end())
        start = len(html) if end < 0 else end
    return _TAGS.sub(" ", "".join([*pieces, html[start:]]))


def returned_headers(parts: Sequence[Message], words: str) -> str:
    """The headers of the e-mail that came back, as one text: a part of its own, or what follows in the words."""
    for part in parts:
        kind = part.get_content_type()
        if kind not in _RETURNED_TYPES:
            continue
        payload = part.get_payload()
        if isinstance(payload, list) and payload and isinstance(payload[0], Message):
            return "\n".join(f"{name}: {' '.join(str(value).split())}" for name, value in payload[0].items())
        return _text_of(part)[:WORDS_LIMIT]
    texts = [_text_of(part) for part in parts if part.get_content_maintype() == "text"]
    whole = "\n".join(texts)[: 4 * WORDS_LIMIT]
    return whole[len(words) :] if whole.startswith(words) else whole


def addresses_in(text: str) -> tuple[str, ...]:
    """The e-mail addresses that a text holds, lower case."""
    return tuple(dict.fromkeys(found.lower() for found in _ADDRESS.findall(text)))


def _text_of(part: Message) -> str:
    """A part's text, by its own character set or, when that is missing, wrong or unheard of, by the likeliest."""
    payload = part.get_payload()
    if isinstance(payload, str) and len(payload) > PAYLOAD_LIMIT:
        part.set_payload(payload[:PAYLOAD_LIMIT])
    content = part.get_payload(decode=True)
    return decoded_text(content, str(part.get_content_charset() or "")) if isinstance(content, bytes) else ""
