"""What is planned next for one loan, as known today: which stage, on which day, by which channels, or why none."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import Notice, Unreachable
from loan_reminders.domain.runs.holds import Hold
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.sms.consent import EVERYBODY, Consent
from loan_reminders.domain.stages import Channel, Policy, Stage, StageRule
from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.suppressions.objections import NO_OBJECTION, Objections
from loan_reminders.domain.suppressions.suppression import NOBODY, Suppressed

_ANY = uuid.UUID(int=0)


class NoStep(StrEnum):
    """Why nothing is planned for a loan.

    `LAST_DONE`: the last stage was told. `PAST`: the last stage's day is past, and it was not told: a day to catch up.
    `HELD`: a hold lasts beyond the last stage's day.
    """

    LAST_DONE = "last_done"
    PAST = "past"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What is planned for a loan, if it is neither returned nor renewed by then.

    With a `stage`: it falls on `day`, by `channels`; without any channel `why` says why nobody will be told, a
    `SkipReason`. Without a stage `why` is a `NoStep`. `held` is the hold in force today, if any: `passed_over` are the
    stages that it keeps from being told.
    """

    loan: Loan
    stage: Stage | None = None
    day: date | None = None
    channels: tuple[Channel, ...] = ()
    why: SkipReason | NoStep | None = None
    held: Hold | None = None
    passed_over: tuple[Stage, ...] = ()


def next_step(
    loan: Loan,
    *,
    policy: Policy,
    today: date,
    decided: Collection[Stage] = (),
    held: Hold | None = None,
    suppressed: Suppressed = NOBODY,
    objections: Objections = NO_OBJECTION,
    consent: Consent = EVERYBODY,
) -> NextStep:
    """The next stage of a loan from today on; `decided` are the stages that were told of it, or tried, in this cycle.

    `held` is the hold that concerns it today, of the loan or of its reader. What is known today may change: contacts,
    suppressions, `consent` to SMS and the loan itself are asked again on the day.
    """
    rules = sorted(policy.rules, key=lambda rule: rule.offset_days)
    ours = [rule for rule in rules if not policy.before_start(loan.due_date, rule.stage)]
    ahead = [rule for rule in ours if rule.stage not in decided and _day(loan, rule) >= today]
    free = [rule for rule in ahead if held is None or _day(loan, rule) > held.until]
    passed_over = tuple(rule.stage for rule in ahead if rule not in free)
    if not free:
        return NextStep(loan=loan, why=_why_none(rules, decided, passed_over), held=held, passed_over=passed_over)
    rule = free[0]
    channels, why = _channels(loan, rule, _day(loan, rule), suppressed, objections, consent)
    return NextStep(
        loan=loan,
        stage=rule.stage,
        day=_day(loan, rule),
        channels=channels,
        why=why,
        held=held,
        passed_over=passed_over,
    )


def _day(loan: Loan, rule: StageRule) -> date:
    return loan.due_date + timedelta(days=rule.offset_days)


def _why_none(rules: list[StageRule], decided: Collection[Stage], passed_over: tuple[Stage, ...]) -> NoStep:
    if passed_over:
        return NoStep.HELD
    return NoStep.LAST_DONE if rules[-1].stage in decided else NoStep.PAST


def _channels(
    loan: Loan, rule: StageRule, day: date, suppressed: Suppressed, objections: Objections, consent: Consent
) -> tuple[tuple[Channel, ...], SkipReason | None]:
    """By which channels the stage would leave that day; none, and why."""
    notice = Notice(notice_id=_ANY, stage=rule.stage, patron=loan.patron, due_date=loan.due_date, loans=(loan,))
    routed = route(
        notice,
        rule=rule,
        history={},
        refused={},
        today=day,
        suppressed=suppressed,
        objections=objections,
        consent=consent,
    )
    if isinstance(routed, Unreachable):
        return (), routed.reason
    if routed.deliveries:
        return tuple(delivery.channel for delivery in routed.deliveries), None
    return (), routed.skipped[0].reason if routed.skipped else SkipReason.NOT_ELIGIBLE
