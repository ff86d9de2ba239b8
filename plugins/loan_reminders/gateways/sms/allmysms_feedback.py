"""What allmysms says of the account and of SMS sent, as values: credit, receipts, replies, blacklist.

Field names are those of the HTTPS API v9.0 (`acks` with `statut`, `mos`, `blacklist`) and of the REST API (`reports`
with `code`). An entry that cannot be read keeps its raw text and has empty fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Any

from loan_reminders.domain.sms.feedback import AckStatus, BlacklistEntry, SmsAck, SmsCredit, SmsReply
from loan_reminders.gateways.sms.allmysms_answer import (
    Answer,
    Secrets,
    count,
    digits,
    identifier,
    international,
    storable,
)

CREDITS_PER_SEGMENT = 15
"""What one French SMS costs in the credits of the HTTPS API v9.0."""

FIRST_YEAR = 1980
"""A date before it is a mistake of the machine that wrote it."""

_STATUSES = {
    "1": AckStatus.DELIVERED,
    "2": AckStatus.NOT_DELIVERED,
    "3": AckStatus.ON_ITS_WAY,
    "4": AckStatus.REFUSED,
    "5": AckStatus.REJECTED,
}


def entries(answer: Answer, name: str) -> list[Any] | None:
    """The list under this name, or the answer itself when it is a list; None when it has neither."""
    if isinstance(answer.body, list):
        return answer.body
    if isinstance(answer.body, dict) and name in answer.body:
        listed = answer.body[name]
        return listed if isinstance(listed, list) else [listed] if listed else []
    return None


def credit_of(says: Mapping[str, Any], *, in_credits: bool) -> SmsCredit | None:
    """What is left: credits (15 a French segment) by the HTTPS API v9.0, euros by REST; None when it is no number."""
    amount, counted = count(says.get("credits" if in_credits else "balance")), count(says.get("nbSms"))
    if amount is None or (counted is None and not in_credits):
        return None
    segments = int(amount // CREDITS_PER_SEGMENT if counted is None else counted)
    return SmsCredit(segments=max(segments, 0), amount=amount, unit="credits" if in_credits else "EUR")


def ack_of(entry: Any, *, campaign_id: str, zone: tzinfo, secrets: Secrets) -> SmsAck:
    """One receipt. A code that nobody knows yet is UNKNOWN."""
    said = entry if isinstance(entry, dict) else {}
    code = next((digits(said[name]) for name in ("statut", "code", "status") if name in said), "")
    comment = next((said[name] for name in ("comment", "description", "statusText") if said.get(name)), "")
    return SmsAck(
        phone_number=international(said.get("phoneNumber")),
        status=_STATUSES.get(code, AckStatus.UNKNOWN),
        comment=_text(comment, secrets),
        received_at=moment(said.get("receptionDate"), zone),
        sms_id=identifier(said.get("smsId")),
        campaign_id=campaign_id,
        raw=_raw(entry, secrets),
    )


def reply_of(entry: Any, *, zone: tzinfo, secrets: Secrets) -> SmsReply:
    """One reply, in the reader's own words.

    Without an id of the provider's, its id is drawn from its content: the same content, the same id.
    """
    said = entry if isinstance(entry, dict) else {}
    raw = _raw(entry, secrets)
    return SmsReply(
        reply_id=identifier(said.get("id")) or f"sha256-{sha256(raw.encode()).hexdigest()[:32]}",
        phone_number=international(said.get("phoneNumber")),
        text=storable(said.get("message")),
        received_at=moment(said.get("receptionDate"), zone),
        campaign_id=identifier(said.get("campaignId")),
        raw=raw,
    )


def listed_number(entry: Any, *, zone: tzinfo, secrets: Secrets) -> BlacklistEntry | None:
    """One number of the blacklist; None for an entry without a number."""
    said = entry if isinstance(entry, dict) else {"phoneNumber": entry}
    number = international(said.get("phoneNumber"))
    if not number:
        return None
    received_at = moment(said.get("receptionDate"), zone)
    return BlacklistEntry(phone_number=number, comment=_text(said.get("comment"), secrets), received_at=received_at)


def saved_replies(answer: Answer) -> list[Any]:
    """The entries of an answer to `getPulls` that cannot be read whole, what is left over as a last one.

    The provider gives each reply once: one that came cut short must not be lost.
    """
    if isinstance(answer.body, dict) and answer.body and not answer.says:
        return [answer.body]
    text = answer.text.lstrip()
    if answer.body is not None or answer.http != 200 or not text.startswith(("{", "[")):
        return []
    return list(_readable(text.partition("[")[2]))


def moment(written: object, zone: tzinfo) -> datetime | None:
    """`2014-02-19 11:40:35`, which has no zone, as a moment in this one; None when it is no date, or before SMS were.

    A date in the future is for the ledger to doubt, which knows the time.
    """
    if not isinstance(written, str):
        return None
    try:
        found = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    if found.year < FIRST_YEAR:
        return None
    try:
        return found.astimezone(zone) if found.tzinfo else found.replace(tzinfo=zone)
    except OverflowError:
        return None


def _readable(text: str) -> Iterator[Any]:
    """The JSON values of a list that is cut short or spoilt, then its rest as it is."""
    decoder = json.JSONDecoder()
    while text := text.lstrip().removeprefix(",").lstrip():
        try:
            found, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            if text.strip("]} \r\n\t"):
                yield text
            return
        yield found
        text = text[end:]


def _raw(entry: Any, secrets: Secrets) -> str:
    """An entry as it came, fit to be stored."""
    return _text(entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False), secrets)


def _text(value: object, secrets: Secrets) -> str:
    """What the provider wrote, fit to be stored and without any secret."""
    return secrets.removed_from(storable(value))
