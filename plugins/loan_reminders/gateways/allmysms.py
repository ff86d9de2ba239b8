"""SMS through allmysms, by its HTTPS API v9.0 (`sendSms`).

The API has no key of idempotency and no look-up by the sender's own id, so what is not known is said to be in doubt
and is never sent again from here. What an answer means (`status`, then `smsIds` and `invalidNumbers`):

    status                        every message that has a smsId      the others
    100, 101 accepted             ACCEPTED                            REFUSED when in invalidNumbers, else IN_DOUBT
    113 some numbers invalid      ACCEPTED                            REFUSED when in invalidNumbers, else IN_DOUBT
    114 no valid number           ACCEPTED (never seen)               REFUSED, invalid_recipient
    110, 111, 117 this text       -                                   REFUSED, message_refused
    102, 108, 118 login or key    -                                   SmsAccountRejected: nothing was sent
    103, 104 credit               -                                   SmsAccountRejected: nothing was sent
    105-107, 109, 112, 115 flow   -                                   SmsAccountRejected: nothing was sent
    anything else, unreadable     -                                   IN_DOUBT, unreadable_answer
    no answer                     -                                   IN_DOUBT, no_answer

A number in `invalidNumbers` is either wrong or on the account's STOP list: allmysms does not say which.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode
from xml.etree import ElementTree

import requests
from requests.adapters import HTTPAdapter

from loan_reminders.domain.errors import RETRIED, SmsAccountRejected, SmsGatewayUnavailable
from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.gateways.allmysms_answer import NOTHING_LEFT, Answer, Secrets, read_answer, unanswered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllMySmsAccount:
    """Where the API is (`https://api.allmysms.com`) and who we are there. The key shows in no repr."""

    base_url: str
    login: str
    api_key: str = field(repr=False)


class _Body(io.BytesIO):
    """A request's body that knows whether any of it left: before that, the provider has nothing to send."""

    left = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes for the wire."""
        self.left = True
        return super().read(size)


class AllMySmsGateway:
    """One account, one sender's name, one HTTPS session; used by one thread.

    `sender` is the name shown to readers (TPOA; see `domain.sms_text.check_sender`). `campaign` begins the name of
    every campaign in the provider's console; the end is that of the first delivery, so that a request left without an
    answer can be found there. Timeouts are in seconds.
    """

    def __init__(
        self,
        account: AllMySmsAccount,
        *,
        sender: str,
        campaign: str,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
    ) -> None:
        self._account = account
        self._sender = sender
        self._campaign = campaign
        self._timeouts = (connect_timeout_s, read_timeout_s)
        self._secrets = Secrets(login=account.login, api_key=account.api_key)
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send(self, messages: Sequence[RenderedText]) -> Sequence[Receipt]:
        """Send one text to several numbers in one request; one receipt a message, in the messages' order.

        The messages come from `domain.sms_batches.batches`: ValueError when their texts differ or a number comes
        twice. Raises SmsGatewayUnavailable when the request never left or was put off, and SmsAccountRejected when
        the provider refused all of it: in both cases nothing was sent. Costs are in the account's credits.
        """
        if not messages:
            return ()
        if len({message.text for message in messages}) > 1:
            raise ValueError("one request carries one text")
        if len({message.recipient for message in messages}) < len(messages):
            raise ValueError("one request carries each number once")
        campaign = f"{self._campaign}-{messages[0].delivery_id.hex[:12]}"
        answer = self._post(self._form(messages, campaign))
        if isinstance(answer, str):
            log.warning(
                "allmysms n'a pas répondu pour la campagne %s : %s SMS en doute, à vérifier dans la console allmysms",
                campaign,
                len(messages),
            )
            return unanswered(messages, campaign=campaign, fault=answer)
        receipts = read_answer(answer, messages, campaign=campaign, secrets=self._secrets)
        log.info("Campagne allmysms %s : %s SMS, %s", campaign, len(messages), answer.summary())
        ours = sum(message.segments for message, receipt in zip(messages, receipts, strict=True) if receipt.segments)
        counted = answer.number("nbSms")
        if counted is not None and counted != ours:
            log.warning("allmysms compte %g segments dans la campagne %s, notre calcul %s", counted, campaign, ours)
        return receipts

    def _form(self, messages: Sequence[RenderedText], campaign: str) -> bytes:
        data = ElementTree.Element("DATA")
        ElementTree.SubElement(data, "MESSAGE").text = messages[0].text
        ElementTree.SubElement(data, "TPOA").text = self._sender
        ElementTree.SubElement(data, "CAMPAIGN_NAME").text = campaign
        for message in messages:
            sms = ElementTree.SubElement(data, "SMS")
            ElementTree.SubElement(sms, "MOBILEPHONE").text = message.recipient.value
        fields = {
            "login": self._account.login,
            "apiKey": self._account.api_key,
            "returnformat": "json",
            "smsData": ElementTree.tostring(data, encoding="unicode"),
        }
        return urlencode(fields).encode("ascii")

    def _post(self, form: bytes) -> Answer | str:
        """The answer, or the kind of fault that kept it away after some of the request had left."""
        body = _Body(form)
        try:
            response = self._session.post(
                f"{self._account.base_url.rstrip('/')}/http/9.0/sendSms/",
                data=body,
                headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            fault = _fault(error)
        else:
            answer = Answer.of(response.status_code, response.content)
            if not answer.understood:
                _refuse_by_status(answer.http)
            return answer
        if not body.left:
            raise SmsGatewayUnavailable(f"allmysms est injoignable ({fault}) : {NOTHING_LEFT}. {RETRIED}")
        return fault


def _fault(error: requests.RequestException) -> str:
    """The kind of the innermost fault that libraries name, without the words, which hold addresses."""
    cause = error.args[0] if error.args else error
    return type(getattr(cause, "reason", None) or cause).__name__


def _refuse_by_status(status: int) -> None:
    """Raise when HTTP itself says that the request was not taken: a wrong base URL, a proxy's or firewall's no."""
    if status == 429:
        raise SmsGatewayUnavailable(f"allmysms demande de ralentir (HTTP 429) : {NOTHING_LEFT}. {RETRIED}")
    if 300 <= status < 500 and status != 408:
        raise SmsAccountRejected(
            f"Pas d'API allmysms à cette adresse (HTTP {status}) : {NOTHING_LEFT}."
            " Vérifier host, port et schema de la connexion Airflow d'allmysms, puis relancer la tâche.",
            code=f"http_{status}",
        )
