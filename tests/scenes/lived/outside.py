"""The world outside, in memory: a mail server, the SMS provider, the mailbox of bounces, and the pages of old letters.

What becomes of a message hangs on its recipient and the day alone: the same library lives the same months again.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loan_reminders.domain.email.feedback import Arrival, Bounce, BounceKind, ReadMessage
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText
from loan_reminders.domain.sms.feedback import AckStatus, BlacklistEntry, SmsAck, SmsCredit, SmsReply
from loan_reminders.domain.states import DeliveryState, Reason
from tests.simulators.sms_provider import CREDITS_PER_SMS

REPLIES = (
    "Merci, je le rapporte demain", "STOP", "Livre rendu hier a la BU Lettres", "Stop.", "ok merci",
    "Je suis en stage jusqu'au mois prochain, comment faire ?", "STOP SVP", "c'est qui ?",
)  # fmt: skip


def luck(what: str, of: int) -> int:
    """A number below `of` that is always the same for the same words."""
    return zlib.crc32(what.encode()) % of


@dataclass
class LivedOutside:
    """What left in memory, and what comes back of it. `now` is the moment being lived, `segments` what was paid for.

    `all_known`: the provider tells the end of every SMS, as it must for those that today's runs would still ask about.
    """

    now: datetime
    bought: int = 10_000
    segments: int = 0
    sms_server_down: bool = False
    all_known: bool = False
    bounces: list[Bounce] = field(default_factory=list)
    acks: dict[str, list[SmsAck]] = field(default_factory=lambda: defaultdict(list))
    answers: list[SmsReply] = field(default_factory=list)
    stopped: dict[str, datetime] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    def credit_left(self) -> int:
        """Segments left on the account; a new lot is bought when little is left."""
        return self.bought - self.segments


@dataclass
class Relay:
    """Fulfils `MailRelay`."""

    outside: LivedOutside

    def send(self, message: RenderedEmail) -> Receipt:
        """Most are taken; some addresses do not exist, some servers ask for a later try, some send back afterwards."""
        address = message.recipient.value
        fate = luck(address, 1000)
        state, reason = DeliveryState.ACCEPTED, None
        said = f"250 2.0.0 Ok: queued as {luck(str(message.delivery_id), 1 << 30):X}"
        if fate < 6:
            state, reason = DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED
            said = f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        elif fate < 30 and self._asks_for_later(message):
            state, reason = DeliveryState.PLANNED, Reason.RECIPIENT_DEFERRED
            said = "450 4.2.0 Greylisted, try again later"
        elif 30 <= fate < 42:
            self._comes_back(message, hard=fate < 37)
        return Receipt(delivery_id=message.delivery_id, state=state, reason=reason, raw=said)

    def _asks_for_later(self, message: RenderedEmail) -> bool:
        """Whether a server that is wary of us puts a message off: once, and not every day."""
        if message.message_id in self.outside.tried or luck(f"{message.recipient.value}{self.outside.now:%j}", 3):
            return False
        self.outside.tried.add(message.message_id)
        return True

    def _comes_back(self, message: RenderedEmail, *, hard: bool) -> None:
        address = message.recipient.value.lower()
        status = "5.1.1" if hard else "4.2.2"
        said = f"550 5.1.1 <{address}>: no such mailbox" if hard else "452 4.2.2 mailbox full"
        self.outside.bounces.append(
            Bounce(
                fingerprint=f"retour-{message.delivery_id}",
                kind=BounceKind.HARD if hard else BounceKind.SOFT,
                delivery_id=message.delivery_id,
                recipient=address,
                status=status,
                diagnostic=f"smtp; {said}",
                received_at=self.outside.now + timedelta(minutes=7),
                raw=f"Reporting-MTA: dns; mx.example.org\nFinal-Recipient: rfc822; {address}\nStatus: {status}\n",
                named=(address,),
            )
        )

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Mailbox:
    """Fulfils `BounceMailbox`: what came back since it was last read."""

    outside: LivedOutside

    def waiting(self) -> int:
        """How many messages there are."""
        return len(self.outside.bounces)

    def pages(self) -> Iterator[Sequence[ReadMessage]]:
        """All of them."""
        yield [
            ReadMessage(uid=uid, arrival=Arrival.BOUNCE, bounce=bounce)
            for uid, bounce in enumerate(self.outside.bounces, start=1)
        ]

    def put_away(self, uids: Sequence[int]) -> None:
        """They are read."""
        self.outside.bounces = []

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Provider:
    """Fulfils `SmsProvider`: takes texts, and knows a little later what became of each."""

    outside: LivedOutside
    campaign: str = ""

    def send(self, messages: Sequence[RenderedText]) -> Sequence[Receipt]:
        """One campaign; without an answer when the server is in trouble."""
        return [self._take(message) for message in messages]

    def _take(self, message: RenderedText) -> Receipt:
        number = message.recipient.value
        sms_id = f"sms-{message.delivery_id.hex[:16]}"
        fate = luck(number, 1000)
        now = self.outside.now
        this_one = f"{number} {now:%Y-%m-%d}"
        known_at = now + timedelta(minutes=luck(this_one, 50))
        status = AckStatus.NOT_DELIVERED if fate < 25 else AckStatus.DELIVERED
        comment = "Absent subscriber" if fate < 25 else "Delivered"
        ack = SmsAck(
            phone_number=number, status=status, comment=comment, received_at=known_at,
            sms_id=sms_id, campaign_id=self.campaign,
        )  # fmt: skip
        if self.outside.sms_server_down:
            if fate % 4:
                self.outside.acks[self.campaign].append(ack)
                self.outside.segments += message.segments
            return Receipt(
                delivery_id=message.delivery_id, state=DeliveryState.IN_DOUBT, reason=Reason.NO_ANSWER,
                campaign_id="", segments=message.segments,
                raw=f'{{"campaign": "{self.campaign}", "fault": "ReadTimeout"}}',
            )  # fmt: skip
        self.outside.segments += message.segments
        if luck(this_one, 60) or self.outside.all_known:
            self.outside.acks[self.campaign].append(ack)
        if fate >= 25 and luck(f"{this_one} answer", 35) == 0:
            self._answered(number, sms_id)
        return Receipt(
            delivery_id=message.delivery_id,
            state=DeliveryState.ACCEPTED,
            provider_id=sms_id,
            campaign_id=self.campaign,
            raw='{"status": 100, "statusText": "Your messages have been sent"}',
            segments=message.segments,
        )

    def _answered(self, number: str, sms_id: str) -> None:
        text = REPLIES[luck(f"{number} {self.outside.now:%Y-%m-%d}", len(REPLIES))]
        at = self.outside.now + timedelta(minutes=5 + luck(number, 120))
        self.outside.answers.append(
            SmsReply(reply_id=f"r-{sms_id}", phone_number=number, text=text, received_at=at, campaign_id=self.campaign)
        )
        if text.upper().startswith("STOP"):
            self.outside.stopped[number] = at

    def simulate(self, messages: Sequence[RenderedText]) -> int:
        """What they would cost."""
        return sum(message.segments for message in messages)

    def credit(self) -> SmsCredit:
        """What is left."""
        left = self.outside.credit_left()
        return SmsCredit(segments=left, amount=float(left * CREDITS_PER_SMS), unit="crédits")

    def acknowledgements(self, campaign_id: str) -> Sequence[SmsAck]:
        """The receipts that are known by now."""
        return [
            ack for ack in self.outside.acks[campaign_id] if ack.received_at and ack.received_at <= self.outside.now
        ]

    def replies(self) -> Sequence[SmsReply]:
        """What readers answered, once."""
        known = [one for one in self.outside.answers if one.received_at and one.received_at <= self.outside.now]
        self.outside.answers = [one for one in self.outside.answers if one not in known]
        return known

    def blacklist(self) -> Sequence[BlacklistEntry]:
        """Who asked for no more."""
        return [
            BlacklistEntry(phone_number=number, comment="stop", received_at=at)
            for number, at in self.outside.stopped.items()
        ]

    def close(self) -> None:
        """Nothing is open."""
