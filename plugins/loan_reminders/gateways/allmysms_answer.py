"""What allmysms answers to `sendSms`, read as it really comes: JSON under any content type, numbers as strings."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, quote_plus

from loan_reminders.domain.errors import TO_MEND, SmsAccountRejected
from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.domain.states import DeliveryState, Reason

RAW_LIMIT = 2000
"""The most characters of an answer that are kept."""

_TAKEN = frozenset({"100", "101"})
_SOME_INVALID = "113"
_NO_VALID_NUMBER = "114"
_TEXT_REFUSED = frozenset({"110", "111", "117"})
NOTHING_LEFT = "aucun SMS de cette demande n'est parti"
"""What a refusal of a whole request always says."""

_FLOW = f"allmysms ne comprend pas la demande (code {{code}}) : {NOTHING_LEFT}. Son API a peut-être changé. {TO_MEND}"
_KEY = (
    f"allmysms refuse l'identifiant, la clé d'API ou le compte maître (code {{code}}) : {NOTHING_LEFT}."
    " Vérifier la connexion Airflow d'allmysms, puis relancer la tâche."
)
_CREDIT = (
    f"Le compte allmysms n'a pas assez de crédit (code {{code}}) : {NOTHING_LEFT}."
    " Acheter du crédit, puis relancer la tâche."
)
_REJECTED = {
    **dict.fromkeys(("102", "108", "118"), _KEY),
    **dict.fromkeys(("103", "104"), _CREDIT),
    **dict.fromkeys(("105", "106", "107", "109", "112", "115"), _FLOW),
}
_KNOWN = _TAKEN | _TEXT_REFUSED | _REJECTED.keys() | {_SOME_INVALID, _NO_VALID_NUMBER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must not be kept with an answer, however it is written there."""

    login: str = field(repr=False)
    api_key: str = field(repr=False)

    def removed_from(self, text: str) -> str:
        """The text without login and key."""
        for form in _written_forms(self.api_key):
            text = text.replace(form, "***")
        for form in _written_forms(self.login):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "***", text)
        return text


def _written_forms(secret: str) -> list[str]:
    forms = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1]}
    return sorted(filter(None, forms), key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its HTTP status, its text, and what it says when it is a JSON object with a status."""

    http: int
    text: str
    says: Mapping[str, Any]

    @classmethod
    def of(cls, http: int, content: bytes) -> Self:
        """Read an answer's body; one that is not what the API describes says nothing."""
        text = content.decode("utf-8-sig", errors="replace")
        try:
            says = json.loads(text)
        except (ValueError, RecursionError):
            says = None
        return cls(http=http, text=text, says=says if isinstance(says, dict) and "status" in says else {})

    @property
    def understood(self) -> bool:
        """Whether its status is one that the API is known to give."""
        return self.code in _KNOWN

    @property
    def code(self) -> str:
        """The status as digits; empty when there is none."""
        return _digits(self.says.get("status"))

    def sms_ids(self) -> dict[str, str]:
        """The provider's id of each number it took."""
        listed = self.says.get("smsIds")
        entries = [listed] if isinstance(listed, dict) else listed if isinstance(listed, list) else []
        found = {}
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("smsId"), str | int) and entry["smsId"]:
                found[_international(entry.get("phoneNumber"))] = str(entry["smsId"])
        return found

    def invalid_numbers(self) -> frozenset[str]:
        """The numbers it refused."""
        listed = self.says.get("invalidNumbers")
        parts = listed if isinstance(listed, list) else str(listed or "").split("|")
        return frozenset(filter(None, map(_international, parts)))

    def number(self, name: str) -> float | None:
        """One count of the answer, whether it came as a number or as a string."""
        try:
            count = float(str(self.says.get(name)).replace(",", "."))
        except ValueError:
            return None
        return count if math.isfinite(count) else None

    def summary(self) -> str:
        """The answer for the log: counts only."""
        names = ("nbContacts", "nbSms", "creditsUsed", "credits")
        counts = [f"{name} {self.number(name):g}" for name in names if self.number(name) is not None]
        return ", ".join([f"statut {self.code or 'illisible'}", *counts])


def read_answer(
    answer: Answer, messages: Sequence[RenderedText], *, campaign: str, secrets: Secrets
) -> tuple[Receipt, ...]:
    """One receipt a message. Raises SmsAccountRejected when the provider refused the whole request.

    An id is matched by phone number, never by place in the list. A receipt's raw answer shows no other reader's number.
    """
    ids, invalid, code = answer.sms_ids(), answer.invalid_numbers(), answer.code
    if code in _REJECTED and not ids:
        raise SmsAccountRejected(_REJECTED[code].format(code=code), code=code)
    taken = [message for message in messages if message.recipient.value in ids.keys() - invalid]
    share = len(taken) or 1
    cost = (answer.number("creditsUsed") or 0.0) / share
    raws = _raws(answer, messages, campaign, secrets)
    receipts = []
    for message, raw in zip(messages, raws, strict=True):
        number = message.recipient.value
        state, reason = _outcome(code, has_id=number in ids, is_invalid=number in invalid)
        accepted = state is DeliveryState.ACCEPTED
        receipts.append(
            Receipt(
                delivery_id=message.delivery_id,
                state=state,
                reason=reason,
                provider_id=ids.get(number, ""),
                raw=raw,
                segments=_segments(answer, message, share) if accepted else 0,
                cost=cost if accepted else 0.0,
            )
        )
    return tuple(receipts)


def unanswered(messages: Sequence[RenderedText], *, campaign: str, fault: str) -> tuple[Receipt, ...]:
    """The receipts of a request that left and got no answer."""
    raw = json.dumps({"campaign": campaign, "fault": fault})
    return tuple(
        Receipt(delivery_id=message.delivery_id, state=DeliveryState.IN_DOUBT, reason=Reason.NO_ANSWER, raw=raw)
        for message in messages
    )


def _outcome(code: str, *, has_id: bool, is_invalid: bool) -> tuple[DeliveryState, Reason | None]:
    if has_id and not is_invalid:
        return DeliveryState.ACCEPTED, None
    if not has_id and (code == _NO_VALID_NUMBER or (is_invalid and code in _TAKEN | {_SOME_INVALID})):
        return DeliveryState.REFUSED, Reason.INVALID_RECIPIENT
    if not has_id and code in _TEXT_REFUSED:
        return DeliveryState.REFUSED, Reason.MESSAGE_REFUSED
    return DeliveryState.IN_DOUBT, Reason.UNREADABLE_ANSWER


def _segments(answer: Answer, message: RenderedText, share: int) -> int:
    """What the provider counted for each message; our own count when it does not say, or not evenly."""
    counted = answer.number("nbSms")
    return int(counted // share) if counted and counted % share == 0 else message.segments


def _raws(answer: Answer, messages: Sequence[RenderedText], campaign: str, secrets: Secrets) -> Iterator[str]:
    """For each message, what of the answer concerns it."""
    if not answer.says:
        text = secrets.removed_from(answer.text)[: 2 * RAW_LIMIT]
        numbers = re.compile("|".join(message.recipient.value for message in messages))
        for message in messages:
            yield f"{campaign}, HTTP {answer.http}\n{_mask(text, numbers, message.recipient.value)}"[:RAW_LIMIT]
        return
    ids, invalid = answer.sms_ids(), answer.invalid_numbers()
    common = {name: said for name, said in answer.says.items() if name not in {"smsIds", "invalidNumbers"}}
    for message in messages:
        number = message.recipient.value
        ours = {"campaign": campaign, **common, "smsId": ids.get(number), "invalidNumber": number in invalid}
        yield secrets.removed_from(json.dumps(ours, ensure_ascii=False))[:RAW_LIMIT]


def _mask(text: str, numbers: re.Pattern[str], own: str) -> str:
    def other(found: re.Match[str]) -> str:
        return own if found[0] == own else "[number]"

    return numbers.sub(other, text)


def _digits(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else ""


def _international(number: object) -> str:
    """A number as it was submitted, `33612345678`, from any way of writing it back."""
    digits = re.sub(r"\D", "", str(number or "")).removeprefix("00")
    return f"33{digits[1:]}" if digits.startswith("0") else digits
