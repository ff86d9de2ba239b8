"""The five stages of a reminder, the channels, and the slots that channels compete for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from loan_reminders.domain.holdback import Holdback


class Stage(StrEnum):
    """A step of the procedure; its value is also the id of its DAG."""

    COURTESY_NOTICE = "courtesy_notice"
    OVERDUE_NOTICE = "overdue_notice"
    FIRST_REMINDER = "first_reminder"
    SECOND_REMINDER = "second_reminder"
    REGISTERED_LETTER = "registered_letter"


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
    """When a stage falls, counted in days from the due date (negative: before), and its channels."""

    stage: Stage
    offset_days: int
    channels: tuple[ChannelRule, ...]

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

    `starts_on` is the first day that is this program's: what fell on a day before it was another system's to tell.
    """

    rules: tuple[StageRule, ...]
    starts_on: date | None = None
    sms: SmsRules = field(default_factory=SmsRules)

    def rule(self, stage: Stage) -> StageRule:
        """The rule of one stage."""
        return next(rule for rule in self.rules if rule.stage is stage)

    @property
    def holdback(self) -> Holdback | None:
        """The SMS held back to measure their effect: the same of every stage that sends SMS."""
        return next((one.holdback for rule in self.rules for one in rule.channels if one.holdback), None)

    def before_start(self, due_date: date, stage: Stage) -> bool:
        """Whether the stage fell, for a loan, on a day before the first one that is this program's."""
        day = due_date + timedelta(days=self.rule(stage).offset_days)
        return self.starts_on is not None and day < self.starts_on

    def stage_due(self, due_date: date, today: date) -> Stage | None:
        """The highest stage that a loan has reached today, or None before the first."""
        reached = [rule for rule in self.rules if due_date + timedelta(days=rule.offset_days) <= today]
        return max(reached, key=lambda rule: rule.offset_days).stage if reached else None
