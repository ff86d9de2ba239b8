"""A loan of a reader's page: its line of time, with all that was said and not said, in the words of librarians."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from loan_reminders.domain.dispute.loan_file import (
    DeliveryRecord,
    Dispute,
    LetterStep,
    SkipRecord,
    SuppressionRecord,
)
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.readers.told import Outcome, outcome, told
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.stages import Channel
from loan_reminders.french.days import day_words
from loan_reminders.french.letters import ACTS_IN_FILE, step_detail_words
from loan_reminders.french.pages.not_said import because, nothing_words, skip_pill_words
from loan_reminders.french.pages.readers import (
    TONES,
    MessageWords,
    message_title,
    pill_words,
)
from loan_reminders.french.words import STAGES
from loan_reminders.web.readers.contacts import lines_of, masked

UNTITLED = "document sans titre"
LONGEST_TITLE = 90
_PLACES = {Channel.EMAIL: "mail-at", Channel.SMS: "sms-at", Channel.LETTER: "letter-at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """One place of the line of time. `place` and `tone` are classes of the style.

    `words` is what the message said, None when nothing was kept; `steps` are moments with what happened then.
    """

    title: str
    pill: str
    tone: str
    place: str
    when: str
    became: str
    recipient: tuple[str, ...] = ()
    subject: str = ""
    words: str | None = None
    batch_id: int | None = None
    reference: str = ""
    tracking_number: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanLine:
    """One loan with its line of time; `verdict`, `rests_on` and `tone` answer « I was never told »."""

    loan_id: str
    title: str
    facts: tuple[str, ...]
    due: str
    verdict: str
    rests_on: str
    tone: str
    last: str
    entries: tuple[LineEntry, ...]


class LoanLines:
    """Makes the lines of a reader's loans; `shown` shows addresses whole."""

    def __init__(self, library: LibraryIdentity, *, now: datetime, zone: tzinfo, shown: bool) -> None:
        self._library = library
        self._words = MessageWords(now=now, zone=zone)
        self._zone = zone
        self._shown = shown

    def line(self, dispute: Dispute) -> LoanLine:
        """One loan."""
        loan = dispute.cycles[-1].loan if dispute.cycles else None
        title = UNTITLED if loan is None else _cut(loan.title or UNTITLED)
        said = told(dispute)
        verdict, rests_on, tone = self._words.verdict(said, title)
        facts = () if loan is None else (loan.call_number, self._library.branch(loan.branch).name, loan.item_barcode)
        return LoanLine(
            loan_id=dispute.loan_id,
            title=title if loan else "Prêt dont la description n'est plus gardée",
            facts=tuple(filter(None, facts)),
            due="" if loan is None or not loan.is_loan else day_words(loan.due_date),
            verdict=verdict,
            rests_on=rests_on,
            tone=tone,
            last="rien n'est parti" if said.last is None else self._last(said.last),
            entries=tuple(entry for _, entry in sorted(self._entries(dispute), key=lambda pair: pair[0])),
        )

    def _last(self, one: DeliveryRecord) -> str:
        return f"{STAGES[one.stage]} : {pill_words(one, outcome(one))}"

    def _entries(self, dispute: Dispute) -> Iterator[tuple[datetime, LineEntry]]:
        for number, cycle in enumerate(dispute.cycles):
            if number:
                yield self._at(cycle.first_seen), _moved(cycle.first_seen, cycle.due_date)
        for one in dispute.deliveries:
            yield one.claimed_at or self._at(one.day), self._message(one)
        # A run that was started again skips for the same reason again.
        for skip in dict.fromkeys(dispute.skips):
            yield self._at(skip.day, late=True), self._nothing(skip)
        for suppression in dispute.suppressions:
            yield suppression.since, self._suppressed(suppression)

    def _at(self, day: date, *, late: bool = False) -> datetime:
        """A day as a moment to order by: what a run did not send comes after what it sent."""
        return datetime.combine(day, time.max if late else time.min, tzinfo=self._zone).astimezone(UTC)

    def _message(self, one: DeliveryRecord) -> LineEntry:
        how = outcome(one)
        letter = one.letter
        usual = how is Outcome.ARRIVED and one.channel is Channel.EMAIL
        return LineEntry(
            title=f"{message_title(one.stage, one.channel)}{', renvoi' if one.resent_by else ''}",
            pill=pill_words(one, how),
            tone=TONES[how],
            place=_PLACES.get(one.channel, "registered-at") if how is not Outcome.CALLED_OFF else "not",
            when=self._words.when(one.claimed_at) or day_words(one.day),
            # An e-mail that was accepted when it left: the moment and the pill have said it all.
            became="" if usual else self._words.became(one, how),
            recipient=self._recipient(one.recipient),
            subject="" if one.words is None else one.words.subject,
            words=None if one.words is None else one.words.body.replace("\r\n", "\n").strip("\n"),
            batch_id=letter.batch_id if letter else None,
            reference=letter.reference if letter else "",
            tracking_number=one.registered.tracking_number if one.registered else "",
            steps=tuple((self._words.when(step.at), _step_words(step)) for step in one.steps),
            answers=self._words.answers(one),
        )

    def _suppressed(self, one: SuppressionRecord) -> LineEntry:
        return LineEntry(
            title="Plus rien par cette voie",
            pill=self._words.suppression(one),
            tone="off",
            place="not",
            when=self._words.when(one.since),
            became=self._words.suppression_ended(one),
            recipient=self._recipient(one.recipient),
        )

    def _recipient(self, recipient: Recipient) -> tuple[str, ...]:
        return lines_of(recipient) if self._shown else masked(recipient)

    def _nothing(self, skip: SkipRecord) -> LineEntry:
        return LineEntry(
            title=f"{nothing_words(skip)}, à l'étape « {STAGES[skip.stage]} »",
            pill=skip_pill_words(skip),
            tone="off",
            place="not",
            when=day_words(skip.day),
            became=because(skip),
        )


def _moved(day: date, due: date) -> LineEntry:
    return LineEntry(
        title="Échéance reportée", pill=f"à rendre le {day_words(due)}", tone="off", place="not", when=day_words(day),
        became="le prêt a été prolongé, un nouveau cycle commence",
    )  # fmt: skip


def _step_words(step: LetterStep) -> str:
    whole = " avec tout le lot" if step.whole_batch else ""
    detail = step_detail_words(step.detail)
    why = f" ({detail})" if detail else ""
    return f"{ACTS_IN_FILE[step.act]}{whole}, par {step.who}{why}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1].rstrip()}…"
