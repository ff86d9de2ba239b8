"""Requests to allmysms: our account there, one HTTPS session, and the answer or the fault of each request.

Nothing is ever asked twice from here: allmysms has no key of idempotency. The key travels in the body of the HTTPS API
v9.0 and in the `Authorization` header of the REST API, never in an address.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from loan_reminders.domain.errors import (
    RETRIED,
    TO_MEND,
    SmsAccountRejected,
    SmsAnswerUnreadable,
    SmsGatewayUnavailable,
)
from loan_reminders.gateways.sms.allmysms_answer import (
    LEGACY,
    NOTHING_LEFT,
    REST,
    SOME_INVALID,
    TAKEN,
    Answer,
    Dialect,
    Secrets,
    refuse_by_code,
)

_PIECE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class AllMySmsAccount:
    """Where the API is (`https://api.allmysms.com`) and who we are there. The key shows in no repr.

    It travels without TLS (`http://…`) only when `login_in_clear` says so.
    """

    base_url: str
    login: str
    api_key: str = field(repr=False)
    login_in_clear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came back of one request: the answer, as far as it came, and the kind of fault that kept the rest away.

    `left` says whether any of the request's body was given to the network.
    """

    answer: Answer
    fault: str
    left: bool


class _Body(io.BytesIO):
    """A request's body that knows whether any of it left: before that, the provider has nothing to send."""

    left = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes to send."""
        self.left = True
        return super().read(size)


class AllMySmsHttp:
    """One account over one HTTPS session; used by one thread. Timeouts are in seconds."""

    def __init__(self, account: AllMySmsAccount, *, connect_timeout_s: float, read_timeout_s: float) -> None:
        self.secrets = Secrets(login=account.login, api_key=account.api_key)
        self._base_url = account.base_url.strip().rstrip("/")
        self._account = account
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def legacy(self, method: str, fields: Mapping[str, str]) -> Exchange:
        """Call one method of the HTTPS API v9.0."""
        known = {"login": self._account.login, "apiKey": self._account.api_key, "returnformat": "json"}
        form = urlencode({**known, **fields}).encode("ascii")
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return self._exchange("POST", f"/http/9.0/{method}/", form, {"Content-Type": kind}, LEGACY)

    def rest(self, path: str, document: Mapping[str, Any] | None = None) -> Exchange:
        """Call the REST API: POST a document, or GET when there is none."""
        if document is None:
            return self._exchange("GET", path, None, {}, REST)
        body = json.dumps(document).encode("ascii")
        return self._exchange("POST", path, body, {"Content-Type": "application/json"}, REST)

    def _exchange(
        self, verb: str, path: str, data: bytes | None, headers: Mapping[str, str], dialect: Dialect
    ) -> Exchange:
        if not self._base_url.lower().startswith("https://") and not self._account.login_in_clear:
            raise SmsAccountRejected(
                f"La clé d'API d'allmysms partirait en clair : {NOTHING_LEFT}. Mettre « https » comme schema de"
                " la connexion Airflow, ou l'extra « login_in_clear » à true si le réseau est sûr, puis relancer la"
                " tâche.",
                code="login_in_clear",
            )
        body = None if data is None else _Body(data)
        basic = HTTPBasicAuth(self._account.login.encode(), self._account.api_key.encode())
        status, content, fault = 0, bytearray(), ""
        try:
            with self._session.request(
                verb,
                f"{self._base_url}{path}",
                data=body,
                headers=headers,
                auth=basic if dialect is REST else None,
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                status = response.status_code
                while piece := response.raw.read1(_PIECE, decode_content=True):
                    content += piece
        except (requests.RequestException, HTTPError) as error:
            fault = _fault(error)
        answer = Answer.of(status, bytes(content), dialect)
        return Exchange(answer=answer, fault=fault, left=body is None or body.left)


def answer_or_fault(exchange: Exchange) -> Answer | str:
    """The answer to a sending, or the kind of fault that kept it away after some of the request had left.

    Raises SmsGatewayUnavailable when nothing left or the provider put the request off, SmsAccountRejected when HTTP
    itself says that it was not taken.
    """
    answer = exchange.answer
    if exchange.fault:
        if not exchange.left:
            raise SmsGatewayUnavailable(f"allmysms est injoignable ({exchange.fault}) : {NOTHING_LEFT}. {RETRIED}")
        return exchange.fault
    if not answer.understood and not answer.sms_ids():
        _refuse_by_status(answer.http, effect=NOTHING_LEFT)
    return answer


def answer_or_raise(exchange: Exchange, question: str, *, may_be_missing: bool = False) -> Answer:
    """The answer to a question about the account; `question` names it in French, for the librarians.
    With `may_be_missing`, HTTP 404 is about what is asked for, not about the API's address.

    Raises SmsGatewayUnavailable when no whole answer came, SmsAccountRejected when the account is refused,
    SmsAnswerUnreadable when the answer is no JSON or says that it failed.
    """
    effect = f"la question « {question} » reste sans réponse"
    answer = exchange.answer
    if exchange.fault:
        raise SmsGatewayUnavailable(f"allmysms est injoignable ({exchange.fault}) : {effect}. {RETRIED}")
    refuse_by_code(answer, effect=effect)
    if answer.http >= 500 or answer.http == 408:
        raise SmsGatewayUnavailable(f"allmysms est en panne (HTTP {answer.http}) : {effect}. {RETRIED}")
    if not (answer.http == 404 and may_be_missing):
        _refuse_by_status(answer.http, effect=effect)
    failed = answer.dialect is LEGACY and answer.code and answer.code not in TAKEN | {SOME_INVALID}
    if answer.http >= 300 or failed or not isinstance(answer.body, dict | list):
        said = f"code {answer.code}" if answer.code else f"HTTP {answer.http}"
        raise SmsAnswerUnreadable(f"La réponse d'allmysms est illisible ({said}) : {effect}. {RETRIED}")
    return answer


def answer_was_lost(exchange: Exchange) -> bool:
    """Whether the provider may have answered a question that left, and we do not have its words."""
    answer = exchange.answer
    if exchange.fault:
        return exchange.left
    return answer.http >= 500 or answer.http == 408 or (answer.http == 200 and answer.body is None)


def unreadable(question: str) -> SmsAnswerUnreadable:
    """The error of an answer that came whole, but without what was asked."""
    return SmsAnswerUnreadable(
        f"La réponse d'allmysms ne contient pas ce qui est attendu : la question « {question} » reste sans réponse."
        f" {RETRIED}"
    )


def _fault(error: Exception) -> str:
    """The kind of the innermost fault that libraries name, without the words, which hold addresses."""
    cause = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    return type(getattr(cause, "reason", None) or cause).__name__


def _refuse_by_status(status: int, *, effect: str) -> None:
    """Raise when HTTP itself says that the request was not taken: a wrong base URL, a proxy's or firewall's no."""
    if status == 429:
        raise SmsGatewayUnavailable(f"allmysms demande de ralentir (HTTP 429) : {effect}. {RETRIED}")
    if status in {401, 403}:
        raise SmsAccountRejected(
            f"allmysms, ou un pare-feu devant lui, refuse l'accès (HTTP {status}) : {effect}."
            " Vérifier l'identifiant et la clé d'API de la connexion Airflow d'allmysms, puis relancer la tâche.",
            code=f"http_{status}",
        )
    if status in {400, 422}:
        raise SmsAccountRejected(
            f"allmysms ne comprend pas la demande (HTTP {status}) : {effect}. Son API a peut-être changé. {TO_MEND}",
            code=f"http_{status}",
        )
    if 300 <= status < 500 and status != 408:
        raise SmsAccountRejected(
            f"Pas d'API allmysms à cette adresse (HTTP {status}) : {effect}."
            " Vérifier host, port et schema de la connexion Airflow d'allmysms, puis relancer la tâche.",
            code=f"http_{status}",
        )
