"""The outside world in memory, at the ports: relay, SMS gateway, printer and letter store, that fail when told to.

For tests that need hundreds of days and every kind of misfortune; the same services meet real sockets elsewhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from loan_reminders.domain.errors import (
    LetterStoreUnavailable,
    MailRelayRejected,
    MailRelayUnavailable,
    SmsAccountRejected,
    SmsGatewayUnavailable,
)
from loan_reminders.domain.letters.batches import PrintedBatch, PrintedLetter
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.sms.feedback import SmsCredit
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.settings.library_toml import ROOT, read_settings


class Killed(BaseException):
    """The process dies here: nobody catches this, and what was not committed never was."""


class Misfortune(StrEnum):
    """What the world does with one message; without any, it takes it and says so."""

    REFUSED = "refused"
    NO_SUCH_USER = "no such user"
    LATER = "later"
    TAKEN_WITHOUT_ANSWER = "taken without answer"
    LOST_WITHOUT_ANSWER = "lost without answer"
    DOWN = "down"
    ACCOUNT_REJECTED = "account rejected"
    OUR_FAULT_AFTER_TAKING = "our fault after taking"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


M, S = Misfortune, DeliveryState
_ANSWERS = {
    None: (S.ACCEPTED, None),
    M.REFUSED: (S.REFUSED, Reason.RECIPIENT_REFUSED),
    M.NO_SUCH_USER: (S.REFUSED, Reason.RECIPIENT_REFUSED),
    M.LATER: (S.PLANNED, Reason.RECIPIENT_DEFERRED),
    M.TAKEN_WITHOUT_ANSWER: (S.IN_DOUBT, Reason.NO_ANSWER),
    M.LOST_WITHOUT_ANSWER: (S.IN_DOUBT, Reason.NO_ANSWER),
}
_SAYS = {M.REFUSED: "550 not this message", M.NO_SUCH_USER: "550 5.1.1 no such user here"}
_TAKEN = frozenset({None, M.TAKEN_WITHOUT_ANSWER, M.OUR_FAULT_AFTER_TAKING, M.KILLED_AFTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message that really left: what the reader was told. `batch` names the folder of a letter."""

    delivery: Delivery
    message: RenderedEmail | RenderedText | None = None
    batch: str = ""

    @property
    def slot(self) -> Slot:
        return self.delivery.slot

    @property
    def recipient(self) -> str:
        return str(getattr(self.delivery.recipient, "value", self.batch))


@dataclass
class Outside:
    """What readers were told, in order. `misfortunes` are by address or number, `letters` for the next batch.

    `witness` sees each message at the moment it is taken; `asked_again` holds what was planned anew, for the
    same loan and stage, to a recipient that had refused it, and the delivery that was refused.
    """

    misfortunes: dict[str, Misfortune] = field(default_factory=dict)
    letters: Misfortune | None = None
    told: list[Told] = field(default_factory=list)
    rehearsed: list[str] = field(default_factory=list)
    meant: dict[uuid.UUID, Delivery] = field(default_factory=dict)
    refusals: dict[tuple[str, date, Stage, str], uuid.UUID] = field(default_factory=dict)
    asked_again: list[tuple[Told, uuid.UUID]] = field(default_factory=list)
    witness: Callable[[Told], None] = lambda told: None

    def remembering(self, render: Callable[[Delivery], Any]) -> Callable[[Delivery], Any]:
        """`render`, with each delivery kept as it was when it was written."""

        def rendered(delivery: Delivery) -> Any:
            self.meant[delivery.delivery_id] = delivery
            return render(delivery)

        return rendered

    def relay(self) -> MemoryRelay:
        return MemoryRelay(self)

    def gateway(self) -> MemoryGateway:
        return MemoryGateway(self)

    def printer(self) -> MemoryPrinter:
        return MemoryPrinter(self)

    def take(self, message: RenderedEmail | RenderedText) -> Receipt | Misfortune:
        """One message; a receipt, or the misfortune that stops everything."""
        misfortune = self.misfortunes.get(message.recipient.value)
        told = Told(delivery=self.meant[message.delivery_id], message=message)
        notice = told.delivery.notice
        asked = [(loan.loan_id, notice.due_date, notice.stage, told.recipient) for loan in told.delivery.loans]
        earlier = {self.refusals.get(one, message.delivery_id) for one in asked} - {message.delivery_id}
        self.asked_again += [(told, refused) for refused in earlier]
        if misfortune in _SAYS:
            self.refusals |= dict.fromkeys(asked, message.delivery_id)
        if misfortune in _TAKEN:
            self.tell(told)
        if misfortune not in _ANSWERS:
            return misfortune
        state, reason = _ANSWERS[misfortune]
        said = _SAYS.get(misfortune, "") if misfortune else ""
        return Receipt(delivery_id=message.delivery_id, state=state, reason=reason, raw=said)

    def tell(self, told: Told) -> None:
        self.witness(told)
        self.told.append(told)

    def by(self, *channels: Channel) -> list[Told]:
        return [told for told in self.told if told.delivery.channel in channels]


def _stop(misfortune: Misfortune, unavailable: Exception, rejected: Exception) -> BaseException:
    if misfortune is M.DOWN:
        return unavailable
    if misfortune is M.ACCOUNT_REJECTED:
        return rejected
    return RuntimeError("a fault of ours") if misfortune is M.OUR_FAULT_AFTER_TAKING else Killed()


@dataclass
class MemoryRelay:
    """Fulfils `MailRelay`."""

    outside: Outside

    def send(self, message: RenderedEmail) -> Receipt:
        taken = self.outside.take(message)
        if isinstance(taken, Misfortune):
            raise _stop(taken, MailRelayUnavailable("down"), MailRelayRejected("rejected"))
        return taken

    def close(self) -> None:
        return None


@dataclass
class MemoryGateway:
    """Fulfils `SmsProvider` for sending. What stops a request stops it before anything left, unless it says "after"."""

    outside: Outside

    def send(self, messages: Sequence[RenderedText]) -> Sequence[Receipt]:
        asked = [self.outside.misfortunes.get(message.recipient.value) for message in messages]
        before = next((one for one in asked if one not in _ANSWERS and one not in _TAKEN), None)
        before = before or next((one for one in asked if one is M.LATER), None)
        if before is not None:
            stop = M.DOWN if before is M.LATER else before
            raise _stop(stop, SmsGatewayUnavailable("down"), SmsAccountRejected("rejected", code="102"))
        taken = [self.outside.take(message) for message in messages]
        for one in taken:
            if isinstance(one, Misfortune):
                raise _stop(one, SmsGatewayUnavailable("down"), SmsAccountRejected("rejected", code="102"))
        return [one for one in taken if isinstance(one, Receipt)]

    def credit(self) -> SmsCredit:
        return SmsCredit(segments=1_000_000, amount=15_000_000, unit="credits")

    def close(self) -> None:
        return None


class MemoryPrinter(LetterRenderer):
    """Fulfils `LetterPrinter`: the letters' real facts, on a page that only says which deliveries it holds."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(ROOT / "templates", library=read_settings(ROOT / "library.toml").identity(), workers=1)
        self.outside = outside

    def letter(self, delivery: Delivery, *, today: Any, earlier: Any = ()) -> Any:
        self.outside.meant[delivery.delivery_id] = delivery
        return super().letter(delivery, today=today, earlier=earlier)

    def check(self, **kwargs: Any) -> None:
        return None

    def print_batch(self, letters: Iterable[Any], *, folder: Path, **kwargs: Any) -> PrintedBatch:
        printed = tuple(
            PrintedLetter(
                delivery_id=letter.delivery_id,
                reference=letter.reference,
                recipient=letter.recipient,
                first_page=number,
                pages=1,
            )
            for number, letter in enumerate(letters, start=1)
        )
        pdf = folder / "letters.pdf"
        pdf.write_text(" ".join(str(letter.delivery_id) for letter in printed))
        return PrintedBatch(pdfs=(pdf,) if printed else (), letters=printed, set_aside=())


@dataclass
class MemoryStore:
    """Fulfils `LetterStore`: a batch stored again under its name takes the place of the first, a failed one leaves
    nothing."""

    outside: Outside

    def store(self, name: str, files: Iterable[tuple[str, bytes | Path]], *, replace: bool = False) -> Sequence[str]:
        found = dict(files)
        if name.startswith("essai-a-blanc/"):
            self.outside.rehearsed.append(name)
            return [f"{name}/{file}" for file in found]
        misfortune, self.outside.letters = self.outside.letters, None
        if misfortune in {M.DOWN, M.ACCOUNT_REJECTED, M.OUR_FAULT_AFTER_TAKING}:
            raise LetterStoreUnavailable("down")
        if misfortune is M.KILLED_BEFORE:
            raise Killed
        pdf = found["lettres.pdf"]
        assert isinstance(pdf, Path)
        self.outside.told = [told for told in self.outside.told if told.batch != name]
        for text in pdf.read_text().split():
            self.outside.tell(Told(delivery=self.outside.meant[uuid.UUID(text)], batch=name))
        if misfortune is M.KILLED_AFTER:
            raise Killed
        return [f"{name}/{file}" for file in found]

    def remove(self, name: str) -> None:
        """Nobody takes to the printer what is removed."""
        self.outside.told = [told for told in self.outside.told if told.batch != name]
