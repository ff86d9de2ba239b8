"""Loans and recipients as the ledger keeps them: JSON in, the same values out.

What PostgreSQL cannot store (the character NUL, half of a surrogate pair, a number that is none) is left out or
written as text, so that no row of an ILS can stop a run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from loan_reminders.domain.loans import Loan, Patron, SmsChoice
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.stages import Channel, PatronCategory
from loan_reminders.domain.states import Refusal
from loan_reminders.french.runs import imbalance_words

LONGEST_ID = 200
"""The most characters kept of an id of the provider's: an index holds no text of any length."""
MOST_SEGMENTS, DEAREST = 10_000, 999_999.0
"""The most that one message is believed to cost: a figure beyond is a mistake of the provider's, not a price."""


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _clean(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {storable(str(key)): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case None | int() | float():
            return value
        case _:
            return storable(str(value))


def clean_raw(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it came, in values that PostgreSQL's JSON can hold."""
    cleaned: dict[str, Any] = _clean(raw)
    return cleaned


def _contact(value: EmailAddress | MobileNumber | PostalAddress | Refusal) -> dict[str, Any]:
    match value:
        case Refusal():
            return {"refusal": value.value}
        case PostalAddress():
            return {"lines": value.lines, "postcode": value.postcode}
        case _:
            return {"value": value.value}


def encode_contact(value: str | Recipient | Refusal) -> dict[str, Any]:
    """A name, or a number or address of a kind of its own, for itself: what it is can be read from it."""
    match value:
        case Refusal():  # a text too
            return {"refusal": value.value}
        case str():
            return {"name": storable(value)}
        case EmailAddress():
            return {"email": storable(value.value)}
        case MobileNumber():
            return {"mobile": value.value}
        case PostalAddress():
            return {"lines": [storable(line) for line in value.lines], "postcode": value.postcode}


def decode_contact(record: Mapping[str, Any]) -> str | Recipient | Refusal:
    """What `encode_contact` wrote."""
    match record:
        case {"name": str(name)}:
            return name
        case {"email": str(email)}:
            return EmailAddress(value=email)
        case {"mobile": str(mobile)}:
            return MobileNumber(value=mobile)
        case {"refusal": str(refusal)}:
            return Refusal(refusal)
        case _:
            return _address(record)


def encode_loan(loan: Loan) -> str:
    """A loan and its reader as JSON text."""
    patron = loan.patron
    record = {
        "loan_id": loan.loan_id,
        "due_date": loan.due_date.isoformat(),
        "loan_date": loan.loan_date.isoformat(),
        "renewal_count": loan.renewal_count,
        "title": loan.title,
        "author": loan.author,
        "call_number": loan.call_number,
        "volume": loan.volume,
        "item_barcode": loan.item_barcode,
        "branch": loan.branch,
        "item_status": loan.item_status,
        "price_text": loan.price_text,
        "patron": {
            "patron_id": patron.patron_id,
            "barcode": patron.barcode,
            "name": patron.name,
            "category": patron.category.value,
            "language": patron.language,
            "email": _contact(patron.email),
            "mobile": _contact(patron.mobile),
            "address": _contact(patron.address),
            **({} if patron.sms_choice is None else {"sms_choice": patron.sms_choice.value}),
            **({"minor": True} if patron.minor else {}),
        },
    }
    text = json.dumps(record, separators=(",", ":"))
    # Escapes of NUL and of surrogates, which are rare: only then is the slow way taken.
    if "\\u0000" in text or "\\ud" in text:
        return json.dumps(_clean(record), separators=(",", ":"))
    return text


def decode_patron(record: Mapping[str, Any]) -> Patron:
    """The reader of a loan that `encode_loan` wrote."""
    email, mobile, address = record["email"], record["mobile"], record["address"]
    return Patron(
        patron_id=record["patron_id"],
        barcode=record["barcode"],
        name=record["name"],
        category=PatronCategory(record["category"]),
        language=record["language"],
        email=Refusal(email["refusal"]) if "refusal" in email else EmailAddress(value=email["value"]),
        mobile=Refusal(mobile["refusal"]) if "refusal" in mobile else MobileNumber(value=mobile["value"]),
        address=Refusal(address["refusal"]) if "refusal" in address else _address(address),
        sms_choice=SmsChoice(record["sms_choice"]) if "sms_choice" in record else None,
        minor=bool(record.get("minor")),
    )


def _address(record: Mapping[str, Any]) -> PostalAddress:
    return PostalAddress(lines=tuple(record["lines"]), postcode=record["postcode"])


def decode_loan(record: Mapping[str, Any]) -> Loan:
    """The loan that `encode_loan` wrote."""
    return Loan(
        loan_id=record["loan_id"],
        due_date=date.fromisoformat(record["due_date"]),
        loan_date=date.fromisoformat(record["loan_date"]),
        renewal_count=record["renewal_count"],
        patron=decode_patron(record["patron"]),
        title=record["title"],
        author=record["author"],
        call_number=record["call_number"],
        volume=record["volume"],
        item_barcode=record["item_barcode"],
        branch=record["branch"],
        item_status=record["item_status"],
        price_text=record["price_text"],
    )


def encode_recipient(recipient: Recipient) -> str:
    """An e-mail address or a number as it is; a postal address as JSON text."""
    if isinstance(recipient, PostalAddress):
        return json.dumps(_contact(recipient), ensure_ascii=False)
    return recipient.value


def decode_recipient(channel: Channel, text: str) -> Recipient:
    """The recipient that `encode_recipient` wrote for a delivery by this channel."""
    match channel:
        case Channel.EMAIL:
            return EmailAddress(value=text)
        case Channel.SMS:
            return MobileNumber(value=text)
        case Channel.LETTER | Channel.REGISTERED_LETTER:
            return decode_postal_address(text)


def decode_postal_address(text: str) -> PostalAddress:
    """The postal address that `encode_recipient` wrote for a letter."""
    return _address(json.loads(text))


def encode_receipt(receipt: Receipt) -> dict[str, Any]:
    """An answer as JSON values."""
    return {
        "delivery_id": str(receipt.delivery_id),
        "state": receipt.state.value,
        "reason": None if receipt.reason is None else receipt.reason.value,
        "provider_id": storable(receipt.provider_id)[:LONGEST_ID],
        "campaign_id": storable(receipt.campaign_id)[:LONGEST_ID],
        "raw": storable(receipt.raw),
        "segments": min(max(receipt.segments, 0), MOST_SEGMENTS),
        "cost": min(max(receipt.cost, 0.0), DEAREST) if math.isfinite(receipt.cost) else 0.0,
    }


def encode_books(books: Books) -> dict[str, Any]:
    """The books of a run for the run's row; its problems in words, for whoever reads the table."""
    return {
        "loans_extracted": books.loans_extracted,
        "loans_in_notices": books.loans_in_notices,
        "skipped": dict(books.skipped),
        "slots_skipped": dict(books.slots_skipped),
        "notices": books.notices,
        "deliveries_planned": books.deliveries_planned,
        "deliveries": {
            channel.value: {state.value: count for state, count in states.items()}
            for channel, states in books.deliveries.items()
        },
        "taken_over_by_letter": books.taken_over_by_letter,
        "redirected": books.redirected,
        "segments": books.segments,
        "cost": books.cost,
        "unpriced": books.unpriced,
        "problems": [imbalance_words(problem) for problem in books.problems()],
    }
