"""Which loans lead to a notice today, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import History, LoanKey, Notice, Plan, Skip
from loan_reminders.domain.runs.holds import NOTHING_HELD, Held
from loan_reminders.domain.stages import Policy, Slot, Stage, StageRule
from loan_reminders.domain.states import SkipReason


def plan_notices(
    loans: Iterable[Loan],
    *,
    stage: Stage,
    policy: Policy,
    today: date,
    history: History,
    held: Held = NOTHING_HELD,
) -> Plan:
    """Group loans into notices, one per reader and due date, leaving out what is no longer (or not yet) true today.

    `today` is the day the run really happens: a missed day caught up later tells only what still holds.
    `history` holds the live claims of this stage; a loan with every slot of the stage taken is `already_sent`. `held`
    is what a librarian said not to write about today.
    """
    slots = {channel_rule.channel.slot for channel_rule in policy.rule(stage).channels}
    groups: dict[tuple[str, date], list[Loan]] = {}
    skipped: list[Skip] = []
    late: dict[date, SkipReason | None] = {}  # a run's loans have few due dates
    for loan in loans:
        if loan.due_date not in late:
            late[loan.due_date] = out_of_time(loan.due_date, stage=stage, policy=policy, today=today)
        reason = late[loan.due_date]
        if reason is None and _all_taken(loan, slots, history):
            reason = SkipReason.ALREADY_SENT
        if reason is None and held.holds(loan):
            reason = SkipReason.HELD
        if reason is None:
            groups.setdefault((loan.patron.patron_id, loan.due_date), []).append(loan)
        else:
            skipped.append(skip(loan, reason))
    notices = tuple(
        Notice(stage=stage, patron=members[0].patron, due_date=due_date, loans=tuple(members))
        for (_, due_date), members in groups.items()
    )
    return Plan(notices=notices, skipped=tuple(skipped))


def skip(loan: Loan, reason: SkipReason, *, slot: Slot | None = None, detail: str = "") -> Skip:
    """The record that this loan leads to no notice, or to none in one slot."""
    return Skip(
        loan_id=loan.loan_id,
        due_date=loan.due_date,
        patron_id=loan.patron.patron_id,
        reason=reason,
        slot=slot,
        detail=detail,
    )


def key(loan: Loan) -> LoanKey:
    """What tells this loan, in its present cycle, from every other."""
    return LoanKey(loan_id=loan.loan_id, due_date=loan.due_date)


def untaken(loans: Sequence[Loan], slot: Slot, history: History) -> tuple[Loan, ...]:
    """The loans whose slot no live delivery holds."""
    if not history:
        return tuple(loans)
    return tuple(loan for loan in loans if (key(loan), slot) not in history)


def _all_taken(loan: Loan, slots: Iterable[Slot], history: History) -> bool:
    taken = key(loan)
    return all((taken, slot) in history for slot in slots)


def out_of_time(due_date: date, *, stage: Stage, policy: Policy, today: date) -> SkipReason | None:
    """The rules of time: not yet, too late, overtaken by a later stage, or from before this program was put to use."""
    rule = policy.rule(stage)
    if rule.offset_days <= 0 and today > due_date + timedelta(days=rule.days_back):
        return SkipReason.EXPIRED
    due_stage = policy.stage_due(due_date, today) if stage.is_about_loans else _if_begun(rule, due_date, today)
    if due_stage is stage:
        return SkipReason.BEFORE_START if policy.before_start(due_date, stage) else None
    if due_stage is None or policy.rule(due_stage).offset_days < rule.offset_days:
        return SkipReason.NOT_YET_DUE
    return SkipReason.SUPERSEDED


def _if_begun(rule: StageRule, due_date: date, today: date) -> Stage | None:
    """A notice that is no step of the procedure gives way to no other: it is due from its day on."""
    return rule.stage if rule.due_date_on(today) >= due_date else None
