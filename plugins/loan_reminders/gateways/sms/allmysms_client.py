"""What both APIs of allmysms share: the shape of a sending, and the questions that only the API v9.0 answers."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import tzinfo
from typing import Self
from zoneinfo import ZoneInfo

from loan_reminders.domain.errors import SmsAnswerUnreadable, SmsGatewayUnavailable, SmsTextRefused
from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.domain.sms.feedback import BlacklistEntry, SmsAck, SmsCredit, SmsRepliesLost, SmsReply
from loan_reminders.gateways.sms.allmysms_answer import NO_VALID_NUMBER, TEXT_REFUSED, Answer
from loan_reminders.gateways.sms.allmysms_feedback import (
    CREDITS_PER_SEGMENT,
    ack_of,
    entries,
    listed_number,
    reply_of,
    saved_replies,
)
from loan_reminders.gateways.sms.allmysms_http import (
    AllMySmsAccount,
    AllMySmsHttp,
    Exchange,
    answer_or_fault,
    answer_or_raise,
    answer_was_lost,
    unreadable,
)
from loan_reminders.gateways.sms.allmysms_receipts import ONE_SMS, read_answer, unanswered

log = logging.getLogger(__name__)

ACKS, REPLIES, BLACKLIST = "accusés de réception", "réponses des lecteurs", "liste d'opposition"
CREDIT, QUOTE = "crédit du compte", "coût de la campagne"
"""The questions, as librarians read them in errors."""

REPLIES_AT_ONCE = 1000
"""The most replies one call takes from the provider."""

PARIS = ZoneInfo("Europe/Paris")


class AllMySmsClient(ABC):
    """One account, one sender's name, one HTTPS session; used by one thread, closed by `close` or `with`.

    `sender` is the name shown to readers (TPOA; see `domain.sms_text.check_sender`). `campaign` begins the name of
    every campaign in the provider's console; the end is that of the first delivery, so that a request left without an
    answer can be found there. Neither serves questions about the account. Timeouts are in seconds. `zone` is that of
    the provider's dates, which say none.
    """

    def __init__(
        self,
        account: AllMySmsAccount,
        *,
        sender: str = "",
        campaign: str = "",
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        zone: tzinfo = PARIS,
    ) -> None:
        self._sender = sender
        self._campaign = campaign
        self._zone = zone
        self._http = AllMySmsHttp(account, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, messages: Sequence[RenderedText]) -> Sequence[Receipt]:
        """Send one text to several numbers in one request; one receipt a message, in the messages' order.

        The messages come from `domain.sms.grouping`: ValueError when their texts differ or a number comes
        twice. Raises SmsGatewayUnavailable when the request never left or was put off, and SmsAccountRejected when
        the provider refused all of it: in both cases nothing was sent. REST tells what they cost, in euros; the API
        v9.0 tells credits, of which segments are made.
        """
        if not messages:
            return ()
        campaign = self._name(messages)
        answer = answer_or_fault(self._submit(messages, campaign, simulate=False))
        if isinstance(answer, str):
            log.warning(
                "allmysms n'a pas répondu pour la campagne %s ; SMS en doute : %s, à vérifier dans la console allmysms",
                campaign,
                len(messages),
            )
            return unanswered(messages, campaign=campaign, fault=answer)
        if len(messages) == 1:
            answer = answer.about(messages[0].recipient.value)
        receipts = read_answer(answer, messages, campaign=campaign, secrets=self._http.secrets)
        log.info("Campagne allmysms %s : %s SMS, %s", campaign, len(messages), answer.summary())
        ours = sum(message.segments for message, receipt in zip(messages, receipts, strict=True) if receipt.segments)
        counted = answer.number("nbSms")
        if counted is not None and counted != ours:
            log.warning("allmysms compte %g segments dans la campagne %s, notre calcul %s", counted, campaign, ours)
        return receipts

    def simulate(self, messages: Sequence[RenderedText]) -> int:
        """Ask what these messages would cost, in segments, and send nothing; numbers that are refused cost nothing.

        ValueError as `send`. Raises SmsGatewayUnavailable, SmsAccountRejected, SmsTextRefused or
        SmsAnswerUnreadable.
        """
        if not messages:
            return 0
        exchange = self._submit(messages, self._name(messages), simulate=True)
        code = exchange.answer.code
        if not exchange.fault and code == NO_VALID_NUMBER:
            return 0
        if not exchange.fault and code in TEXT_REFUSED:
            raise SmsTextRefused(
                f"allmysms refuse le texte des SMS (code {code}). Corriger le modèle, puis relancer la tâche.",
                code=code,
            )
        answer = answer_or_raise(exchange, QUOTE)
        segments, credit = answer.number("nbSms"), answer.number("nbCredits")
        if segments is None and credit is not None:
            segments = credit / CREDITS_PER_SEGMENT
        if segments is None or segments < 0 or not segments.is_integer():
            raise unreadable(QUOTE)
        return int(segments)

    @abstractmethod
    def credit(self) -> SmsCredit:
        """What is left. Raises SmsGatewayUnavailable, SmsAccountRejected, or SmsAnswerUnreadable: it is no number."""

    def acknowledgements(self, campaign_id: str) -> Sequence[SmsAck]:
        """The receipts of one campaign, a receipt's `campaign_id`, as far as they are known.

        A campaign without an id has none. Raises SmsGatewayUnavailable, SmsAccountRejected or SmsAnswerUnreadable,
        the last also when the provider does not know the campaign.
        """
        if not campaign_id:
            return ()
        if campaign_id.startswith(ONE_SMS):
            sms_id = campaign_id.removeprefix(ONE_SMS)
            listed = self._one_ack(answer_or_raise(self._http.legacy("getAckBySmsId", {"smsId": sms_id}), ACKS), sms_id)
        else:
            listed = self._campaign_acks(campaign_id)
        secrets = self._http.secrets
        return tuple(ack_of(entry, campaign_id=campaign_id, zone=self._zone, secrets=secrets) for entry in listed)

    def replies(self) -> Sequence[SmsReply]:
        """What readers answered since the last call (`getPulls`), 1,000 at most: call again until there is none.

        The provider gives each reply once, so what comes must be stored before anything else. An entry that cannot be
        read has empty fields and its raw text; so has what came of an answer cut short. When nothing came, raises
        SmsRepliesLost if the provider may have given some, else SmsGatewayUnavailable, SmsAccountRejected or
        SmsAnswerUnreadable.
        """
        exchange = self._http.legacy("getPulls", {"limit": str(REPLIES_AT_ONCE)})
        listed = None if exchange.fault else entries(exchange.answer, "mos")
        if not listed:
            try:
                answer = answer_or_raise(exchange, REPLIES)
                listed = entries(answer, "mos")
                if listed is None:
                    raise unreadable(REPLIES)
            except (SmsGatewayUnavailable, SmsAnswerUnreadable) as error:
                listed = saved_replies(exchange.answer)
                if not listed and answer_was_lost(exchange):
                    raise SmsRepliesLost(str(error)) from None
                if not listed:
                    raise
                log.warning("Réponses des lecteurs mal reçues d'allmysms : %s gardées, à relire", len(listed))
        return self._replies(listed)

    def replies_to(self, campaign_id: str) -> Sequence[SmsReply]:
        """What readers answered to one campaign, a receipt's `campaign_id`: what `replies` gave already is there too.

        Raises SmsGatewayUnavailable, SmsAccountRejected or SmsAnswerUnreadable, the last also when the provider does
        not know the campaign, or the SMS without a campaign has no answer.
        """
        if campaign_id.startswith(ONE_SMS):
            sms_id = campaign_id.removeprefix(ONE_SMS)
            answer = answer_or_raise(self._http.legacy("getPullBySmsId", {"smsId": sms_id}), REPLIES)
            return self._replies([answer.body] if isinstance(answer.body, dict) and "message" in answer.body else [])
        listed = entries(answer_or_raise(self._http.legacy("getPull", {"campId": campaign_id}), REPLIES), "mos")
        if listed is None:
            raise unreadable(REPLIES)
        return self._replies(listed)

    def _replies(self, listed: Sequence[object]) -> tuple[SmsReply, ...]:
        return tuple(reply_of(entry, zone=self._zone, secrets=self._http.secrets) for entry in listed)

    def blacklist(self) -> Sequence[BlacklistEntry]:
        """Every number that allmysms writes to no more (`getBlacklist`), and why.

        Raises SmsGatewayUnavailable, SmsAccountRejected or SmsAnswerUnreadable.
        """
        listed = entries(answer_or_raise(self._http.legacy("getBlacklist", {}), BLACKLIST), "blacklist")
        if listed is None:
            raise unreadable(BLACKLIST)
        found = [listed_number(entry, zone=self._zone, secrets=self._http.secrets) for entry in listed]
        if None in found:
            log.warning("Liste d'opposition d'allmysms, lignes sans numéro : %s", found.count(None))
        return tuple(entry for entry in found if entry)

    @abstractmethod
    def _submit(self, messages: Sequence[RenderedText], campaign: str, *, simulate: bool) -> Exchange:
        """Send one request."""

    @abstractmethod
    def _campaign_acks(self, campaign_id: str) -> list[object]:
        """The receipts of a campaign, as they come."""

    def _name(self, messages: Sequence[RenderedText]) -> str:
        if len({message.text for message in messages}) > 1:
            raise ValueError("one request carries one text")
        if len({message.recipient for message in messages}) < len(messages):
            raise ValueError("one request carries each number once")
        return f"{self._campaign}-{messages[0].delivery_id.hex[:12]}"

    @staticmethod
    def _one_ack(answer: Answer, sms_id: str) -> list[object]:
        if not isinstance(answer.body, dict) or "statut" not in answer.body:
            raise unreadable(ACKS)
        return [{"smsId": sms_id, **answer.body}]
