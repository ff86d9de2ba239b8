"""The five stages of a reminder, other notices, the channels, and the slots that channels compete for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from loan_reminders.domain.holdback import Holdback

_OTHER_NOTICE = re.compile(r"(?=.{3,40}\Z)[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


class Stage(StrEnum):
    """What readers are told of; its value is also the id of its DAG.

    The five members are the steps of the procedure for loans. A library may tell of other things besides (`[notices]`
    of `library.toml`): `Stage("hold_arrived")` is such a notice, the same object wherever it is named, and no member:
    `for stage in Stage` goes through the procedure alone. What the ledger holds of a notice that the settings name no
    more can be read all the same.
    """

    COURTESY_NOTICE = "courtesy_notice"
    OVERDUE_NOTICE = "overdue_notice"
    FIRST_REMINDER = "first_reminder"
    SECOND_REMINDER = "second_reminder"
    REGISTERED_LETTER = "registered_letter"

    @classmethod
    def _missing_(cls, value: object) -> Stage | None:
        """A notice that is no step of the procedure; None, so a ValueError, when no notice can have such a name."""
        if not isinstance(value, str) or not _OTHER_NOTICE.fullmatch(value):
            return None
        other = str.__new__(cls, value)
        other._name_, other._value_ = value.upper(), value
        return _others.setdefault(value, other)

    @property
    def is_about_loans(self) -> bool:
        """Whether it is a step of the procedure: about a loan, whose next step takes its place."""
        return self.name in Stage.__members__

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands among all: the procedure in its order, then the other notices by their names."""
        return (list(Stage).index(self) if self.is_about_loans else len(Stage), self.value)


_others: dict[str, Stage] = {}
"""The other notices, each once."""


class Channel(StrEnum):
    """How a notice reaches the reader."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    REGISTERED_LETTER = "registered_letter"

    @property
    def slot(self) -> Slot:
        """The slot this channel takes; two channels of one slot are alternatives."""
        return Slot.SMS if self is Channel.SMS else Slot.WRITTEN


class Slot(StrEnum):
    """One live delivery per loan, due date, stage and slot."""

    WRITTEN = "written"
    SMS = "sms"


STAGE_CHANNELS: dict[Stage, frozenset[Channel]] = {
    Stage.COURTESY_NOTICE: frozenset({Channel.EMAIL}),
    Stage.OVERDUE_NOTICE: frozenset({Channel.EMAIL, Channel.SMS}),
    Stage.FIRST_REMINDER: frozenset({Channel.EMAIL, Channel.LETTER}),
    Stage.SECOND_REMINDER: frozenset({Channel.EMAIL, Channel.LETTER}),
    Stage.REGISTERED_LETTER: frozenset({Channel.REGISTERED_LETTER}),
}
"""The channels that each stage's DAG has a task for; `library.toml` chooses among them."""

NOTICE_CHANNELS = frozenset({Channel.EMAIL, Channel.SMS})
"""The same for every notice that is no stage of the procedure: none leaves on paper."""


class PatronCategory(StrEnum):
    """What the reader is to the library; `library.toml` maps the ILS codes to these."""

    STUDENT = "student"
    STAFF = "staff"
    EXTERNAL = "external"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRule:
    """One channel of a stage and the conditions under which it is used.

    `categories` empty means every reader. `minimum_loan_days` counts from the loan date to the due date.
    `only_without_email` makes the channel a fallback for readers who cannot be written to by e-mail.
    `expires_after_days` is how long after the due date the channel is still of use. `holdback` leaves a random share of
    the readers who can be written to by e-mail without this channel, so that its effect can be measured.
    """

    channel: Channel
    categories: frozenset[PatronCategory] = frozenset()
    minimum_loan_days: int = 0
    only_without_email: bool = False
    expires_after_days: int | None = None
    holdback: Holdback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRule:
    """When a stage falls, counted in days from the due date (negative: before), and its channels.

    A notice that is not about loans falls on the day of what it tells of, which is its due date; `days_back` is how
    many days later it may still be told, and how far back its runs look. `starts_on` is the first day told of.
    """

    stage: Stage
    offset_days: int
    channels: tuple[ChannelRule, ...]
    days_back: int = 0
    starts_on: date | None = None

    def due_date_on(self, reference_date: date) -> date:
        """The due date of the loans that a run of this day handles."""
        return reference_date - timedelta(days=self.offset_days)


class Basis(StrEnum):
    """On what SMS to a population rest.

    `OPT_OUT`: everybody but those who said no. `OPT_IN`: only those who said yes. `NEVER`: nobody.
    """

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsRules:
    """The basis of each population; one that is not named has `OPT_OUT`. `minors` None: as their population."""

    populations: Mapping[PatronCategory, Basis] = field(default_factory=lambda: MappingProxyType({}))
    minors: Basis | None = None

    def basis(self, category: PatronCategory) -> Basis:
        """What SMS to a population rest on."""
        return self.populations.get(category, Basis.OPT_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The library's procedure: every stage's rule, and who may have an SMS at all.

    `others` are the rules of its notices that are not about loans.

    `starts_on` is the first day that is this program's: what fell on a day before it was another system's to tell.
    """

    rules: tuple[StageRule, ...]
    starts_on: date | None = None
    sms: SmsRules = field(default_factory=SmsRules)
    others: tuple[StageRule, ...] = ()

    @property
    def all_rules(self) -> tuple[StageRule, ...]:
        """The procedure's, then those of the other notices."""
        return (*self.rules, *self.others)

    @property
    def sends_sms(self) -> bool:
        """Whether any stage or notice sends SMS."""
        return any(one.channel is Channel.SMS for rule in self.all_rules for one in rule.channels)

    @property
    def one_at_a_time(self) -> frozenset[Stage]:
        """Where a day waits until the one before is done: not where its letters are approved, or its SMS have hours."""
        waiting = (Channel.SMS, Channel.REGISTERED_LETTER)
        return frozenset(
            rule.stage for rule in self.all_rules if all(one.channel not in waiting for one in rule.channels)
        )

    def rule(self, stage: Stage) -> StageRule:
        """The rule of one stage, or of another notice."""
        return next(rule for rule in self.all_rules if rule.stage is stage)

    @property
    def holdback(self) -> Holdback | None:
        """The SMS held back to measure their effect: the same of every stage that sends SMS."""
        return next((one.holdback for rule in self.rules for one in rule.channels if one.holdback), None)

    def before_start(self, due_date: date, stage: Stage) -> bool:
        """Whether the stage fell, for a loan, on a day before the first one that is this program's."""
        rule = self.rule(stage)
        day = due_date + timedelta(days=rule.offset_days)
        return any(first is not None and day < first for first in (self.starts_on, rule.starts_on))

    def stage_due(self, due_date: date, today: date) -> Stage | None:
        """The highest stage that a loan has reached today, or None before the first."""
        reached = [rule for rule in self.rules if due_date + timedelta(days=rule.offset_days) <= today]
        return max(reached, key=lambda rule: rule.offset_days).stage if reached else None
