"""What allmysms says, read as it really comes: JSON under any content type, counts as strings, dates without a zone."""

from __future__ import annotations

import html
import json
import math
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, quote_plus

from loan_reminders.domain.errors import TO_MEND, SmsAccountRejected

RAW_LIMIT = 2000
"""The most characters of an answer to a sending that are kept."""

TAKEN = frozenset({"100", "101"})
SOME_INVALID = "113"
NO_VALID_NUMBER = "114"
TEXT_REFUSED = frozenset({"110", "111", "117"})
NOTHING_LEFT = "aucun SMS de cette demande n'est parti"
"""What a refusal of a whole sending always says."""

_FLOW = f"allmysms ne comprend pas la demande (code {{code}}) : {{effect}}. Son API a peut-être changé. {TO_MEND}"
_KEY = (
    "allmysms refuse l'identifiant, la clé d'API ou le compte maître (code {code}) : {effect}."
    " Vérifier la connexion Airflow d'allmysms, puis relancer la tâche."
)
_CREDIT = (
    "Le compte allmysms n'a pas assez de crédit (code {code}) : {effect}."
    " Acheter du crédit, puis relancer la tâche."
)  # fmt: skip
_REJECTED = {
    **dict.fromkeys(("102", "108", "118"), _KEY),
    **dict.fromkeys(("103", "104"), _CREDIT),
    **dict.fromkeys(("105", "106", "107", "109", "112", "115"), _FLOW),
}
_KNOWN = TAKEN | TEXT_REFUSED | _REJECTED.keys() | {SOME_INVALID, NO_VALID_NUMBER}
_COUNT = re.compile(r"-?\d+(?:[.,]\d+)?", re.ASCII)

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one of the two APIs writes its answers: the field of the outcome, HTTP's word for yes."""

    outcome: str
    http_taken: int | None = None


LEGACY = Dialect(outcome="status")
"""The HTTPS API v9.0: everything under HTTP 200, prices in credits, an id for every SMS taken."""

REST = Dialect(outcome="code", http_taken=201)
"""The REST API: SMS taken under HTTP 201 only, prices in euros, a campaign id alone for several numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What must not be kept with an answer, however it is written there."""

    login: str = field(repr=False)
    api_key: str = field(repr=False)

    def removed_from(self, text: str) -> str:
        """The text without login and key."""
        basic = b64encode(f"{self.login}:{self.api_key}".encode()).decode("ascii")
        for form in (basic, *_written_forms(self.api_key)) if self.api_key else ():
            text = text.replace(form, "***")
        for form in _written_forms(self.login):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", "***", text)
        return text


def _written_forms(secret: str) -> list[str]:
    forms = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1]}
    return sorted(filter(None, forms), key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its HTTP status, its text, and the JSON it holds (None when it holds none)."""

    http: int
    text: str
    body: Any
    dialect: Dialect = LEGACY

    @classmethod
    def of(cls, http: int, content: bytes, dialect: Dialect = LEGACY) -> Self:
        """Read an answer's body."""
        text = content.decode("utf-8-sig", errors="replace")
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = None
        return cls(http=http, text=text, body=body, dialect=dialect)

    def about(self, number: str) -> Self:
        """The same answer to a request for one number, whose id stands alone in it."""
        sms_id = self.says.get("smsId")
        if not sms_id:
            return self
        return replace(self, body={**self.body, "smsIds": [{"phoneNumber": number, "smsId": sms_id}]})

    @property
    def says(self) -> Mapping[str, Any]:
        """The answer to a sending; an answer without an outcome says nothing."""
        return self.body if isinstance(self.body, dict) and self.dialect.outcome in self.body else {}

    @property
    def understood(self) -> bool:
        """Whether its outcome is one that the API is known to give."""
        return self.code in _KNOWN

    @property
    def code(self) -> str:
        """The outcome as digits; empty when there is none."""
        return digits(self.says.get(self.dialect.outcome))

    @property
    def campaign_id(self) -> str:
        """The provider's id of the request; empty when it gives none."""
        return identifier(self.says.get("campaignId"))

    @property
    def cost(self) -> float:
        """What the request cost, in euros; 0 when it does not say: the API v9.0 tells credits alone."""
        return (self.number("cost") or 0.0) if self.dialect is REST else 0.0

    @property
    def credits_used(self) -> float:
        """What the request cost, in the credits of the API v9.0; 0 when it does not say: REST tells euros alone."""
        return (self.number("creditsUsed") or 0.0) if self.dialect is LEGACY else 0.0

    def sms_ids(self) -> dict[str, str]:
        """The provider's id of each number it took."""
        listed = self.says.get("smsIds")
        entries = [listed] if isinstance(listed, dict) else listed if isinstance(listed, list) else []
        found = {}
        for entry in entries:
            if isinstance(entry, dict) and (sms_id := identifier(entry.get("smsId"))):
                found[international(entry.get("phoneNumber"))] = sms_id
        return found

    def invalid_numbers(self) -> frozenset[str]:
        """The numbers it refused."""
        listed = self.says.get("invalidNumbers")
        parts = listed if isinstance(listed, list) else str(listed or "").split("|")
        return frozenset(filter(None, map(international, parts)))

    def taken(self, numbers: Sequence[str]) -> frozenset[str]:
        """Those of a request's numbers that it says it took: by their id, or, for several numbers by REST, by the rest.

        REST gives several numbers one campaign id and says which it refused: the others were taken, unless it counts
        fewer contacts than they are.
        """
        if self.dialect.http_taken not in {None, self.http}:
            return frozenset()
        others = frozenset(numbers) - self.invalid_numbers()
        if self.dialect is LEGACY or len(numbers) == 1 or self.sms_ids():
            return others & self.sms_ids().keys()
        contacts = self.number("nbContacts")
        counted = contacts is None or contacts == len(others)
        return others if self.code in TAKEN and self.campaign_id and counted else frozenset()

    def number(self, name: str) -> float | None:
        """One count of the answer, whether it came as a number or as a string."""
        return count(self.says.get(name))

    def summary(self) -> str:
        """The answer for the log: counts only."""
        names = ("nbContacts", "nbSms", "creditsUsed", "credits", "cost", "balance")
        counts = [f"{name} {self.number(name):g}" for name in names if self.number(name) is not None]
        return ", ".join([f"statut {self.code or 'illisible'}", *counts])


def refuse_by_code(answer: Answer, *, effect: str) -> None:
    """Raise SmsAccountRejected when the answer refuses the account or the whole request; `effect` says what follows."""
    sent = answer.sms_ids() or (answer.dialect is REST and answer.campaign_id)
    if answer.code in _REJECTED and not sent:
        raise SmsAccountRejected(_REJECTED[answer.code].format(code=answer.code, effect=effect), code=answer.code)


LONGEST_NUMBER = 15
"""Digits of a phone number at most (ITU-T E.164): more are no number of anybody's."""


def digits(value: object) -> str:
    """A code, given as a number or as a string; empty when it is none."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() else ""


def count(value: object) -> float | None:
    """A count or an amount, given as a number or as a string; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not _COUNT.fullmatch(text):
            return None
        value = text.replace(",", ".")
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def identifier(value: object) -> str:
    """An id of the provider's, a string or a number there; empty when it gives none."""
    return storable(value).strip() if value and not isinstance(value, float) else ""


def storable(value: object) -> str:
    """A text of the provider's that any database stores: no NUL, no half of a character; empty when it is no text."""
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return _SURROGATE.sub("\ufffd", text.replace("\0", ""))


def international(number: object) -> str:
    """A number as it was submitted, `33612345678`, from any way of writing it back; empty when it is none."""
    written = str(number) if isinstance(number, str | int) and not isinstance(number, bool) else ""
    found = re.sub(r"[^0-9]", "", written).removeprefix("00")
    if len(found) > LONGEST_NUMBER:
        return ""
    return f"33{found[1:]}" if found.startswith("0") else found
