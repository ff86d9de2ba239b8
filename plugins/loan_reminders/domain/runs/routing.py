"""By which channels a notice leaves, and why a slot stays empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from loan_reminders.domain.loans import Loan, Patron
from loan_reminders.domain.notices import Delivery, History, LoanKey, Notice, Refused, Routed, Skip, Unreachable
from loan_reminders.domain.recipients import EmailAddress, Recipient
from loan_reminders.domain.runs.planning import key, skip, untaken
from loan_reminders.domain.sms.consent import EVERYBODY, Consent
from loan_reminders.domain.stages import Channel, ChannelRule, Slot, StageRule
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.domain.suppressions.objections import NO_OBJECTION, Objections
from loan_reminders.domain.suppressions.suppression import NOBODY, Suppressed

_WORST_FIRST = (
    SkipReason.ALREADY_SENT,
    SkipReason.OPTED_OUT,
    SkipReason.DEAD_NUMBER,
    SkipReason.DEAD_ADDRESS,
    SkipReason.INVALID_RECIPIENT,
    SkipReason.NO_RECIPIENT,
    SkipReason.DECLINED,
    SkipReason.NOT_ASKED_FOR,
    SkipReason.MINOR,
    SkipReason.NOT_TEXTED,
    SkipReason.EXPIRED,
    SkipReason.CONTROL_GROUP,
    SkipReason.NOT_ELIGIBLE,
)
"""When a loan gets no delivery at all, the first of these among its slots is the reason given."""

OBJECTION = "objection"
"""How the detail of a skip begins whose channel the reader refuses: nothing is wrong with his contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Empty:
    """A slot that stays empty for some loans."""

    loans: tuple[Loan, ...]
    slot: Slot
    reason: SkipReason
    detail: str = ""


def route(
    notice: Notice,
    *,
    rule: StageRule,
    history: History,
    refused: Refused,
    today: date,
    suppressed: Suppressed = NOBODY,
    objections: Objections = NO_OBJECTION,
    consent: Consent = EVERYBODY,
) -> Routed | Unreachable:
    """Choose channels and recipients for one notice.

    Within a slot the rule's first usable channel wins: the others are its fallbacks. `history` holds the slots
    already taken. `refused` holds the recipients that already refused this stage's message for a loan: they are
    not tried again. `suppressed` holds the recipients that are not written to any more, whatever the loan;
    `objections` the channels that a reader refuses, whatever the recipient; `consent` says who may have an SMS. A
    reader whom nothing can reach is Unreachable, with the code of what is wrong.
    """
    objected = objections.get(notice.patron.patron_id, frozenset())
    deliveries: list[Delivery] = []
    empty: list[_Empty] = []
    for slot in dict.fromkeys(channel_rule.channel.slot for channel_rule in rule.channels):
        loans = untaken(notice.loans, slot, history)
        if len(loans) < len(notice.loans):
            taken = _without(notice.loans, loans)
            empty.append(_Empty(loans=taken, slot=slot, reason=SkipReason.ALREADY_SENT))
        if loans:
            delivery, left_out = _fill(notice, slot, loans, rule, refused, suppressed, objected, consent, today)
            empty.extend(left_out)
            if delivery is not None:
                deliveries.append(delivery)
    written = [gap for gap in empty if gap.slot is Slot.WRITTEN]
    reached = deliveries or any(gap.reason is SkipReason.ALREADY_SENT for gap in empty)
    if written and not reached and all(gap.reason in _NOBODY_TO_WRITE_TO for gap in written):
        return Unreachable(notice=notice, reason=written[0].reason, detail=written[0].detail)
    return Routed(deliveries=tuple(deliveries), skipped=_skips(notice, deliveries, empty))


_NOBODY_TO_WRITE_TO = frozenset({SkipReason.NO_RECIPIENT, SkipReason.INVALID_RECIPIENT, SkipReason.DEAD_ADDRESS})


def _fill(
    notice: Notice,
    slot: Slot,
    loans: tuple[Loan, ...],
    stage_rule: StageRule,
    refused: Refused,
    suppressed: Suppressed,
    objected: frozenset[Channel],
    consent: Consent,
    today: date,
) -> tuple[Delivery | None, list[_Empty]]:
    """The delivery of one slot, and the loans it leaves out."""
    problems: list[tuple[SkipReason, str]] = []
    for rule in (one for one in stage_rule.channels if one.channel.slot is slot):
        eligible = _eligible(loans, notice.patron, rule)
        without_email = Channel.EMAIL in objected or _email_unusable(notice.patron, eligible, refused, suppressed)
        needless = rule.only_without_email and not without_email
        if not eligible or needless:
            problems.append((SkipReason.NOT_ELIGIBLE, ""))
            continue
        unwanted = consent.refuses(notice.patron) if rule.channel is Channel.SMS else None
        if unwanted is not None:
            problems.append((unwanted, ""))
            continue
        if rule.expires_after_days is not None and today > notice.due_date + timedelta(days=rule.expires_after_days):
            problems.append((SkipReason.EXPIRED, ""))
            continue
        if rule.channel in objected:
            problems.append((SkipReason.OPTED_OUT, f"{OBJECTION}:{rule.channel}"))
            continue
        recipient = _recipient(notice.patron, rule.channel)
        if isinstance(recipient, Refusal):
            reason = SkipReason.NO_RECIPIENT if recipient is Refusal.MISSING else SkipReason.INVALID_RECIPIENT
            problems.append((reason, f"{rule.channel}:{recipient}"))
            continue
        if recipient in suppressed:
            problems.append((suppressed[recipient], f"{rule.channel}:suppressed"))
            continue
        if refused and any(recipient in refused.get(key(loan), ()) for loan in eligible):
            problems.append((SkipReason.INVALID_RECIPIENT, f"{rule.channel}:refused_before"))
            continue
        # Last: those held back are just the readers who would have been written to. Nobody is left without an e-mail.
        held_back = rule.holdback is not None and rule.holdback.holds_back(notice.patron.patron_id, today)
        if held_back and not without_email and _has_email(eligible, notice.patron, stage_rule):
            problems.append((SkipReason.CONTROL_GROUP, f"{rule.channel}:control"))
            continue
        rest = _without(loans, eligible) if len(eligible) < len(loans) else ()
        left_out = [_Empty(loans=rest, slot=slot, reason=SkipReason.NOT_ELIGIBLE)] if rest else []
        return Delivery(notice=notice, channel=rule.channel, recipient=recipient, loans=eligible), left_out
    reason = min((problem[0] for problem in problems), key=_WORST_FIRST.index)
    detail = ",".join(text for _, text in problems if text)
    return None, [_Empty(loans=loans, slot=slot, reason=reason, detail=detail)]


def _has_email(loans: tuple[Loan, ...], patron: Patron, stage_rule: StageRule) -> bool:
    """Whether the stage has an e-mail for every one of these loans of a reader."""
    return any(
        rule.channel is Channel.EMAIL and len(_eligible(loans, patron, rule)) == len(loans)
        for rule in stage_rule.channels
    )


def _without(loans: Sequence[Loan], others: Sequence[Loan]) -> tuple[Loan, ...]:
    """The loans that are not among the others, compared by their keys: a reader may have thousands."""
    left_out = {key(loan) for loan in others}
    return tuple(loan for loan in loans if key(loan) not in left_out)


def _eligible(loans: tuple[Loan, ...], patron: Patron, rule: ChannelRule) -> tuple[Loan, ...]:
    if rule.categories and patron.category not in rule.categories:
        return ()
    if not rule.minimum_loan_days:
        return loans
    return tuple(loan for loan in loans if loan.length_days >= rule.minimum_loan_days)


def _recipient(patron: Patron, channel: Channel) -> Recipient | Refusal:
    if channel is Channel.EMAIL:
        return patron.email
    return patron.mobile if channel is Channel.SMS else patron.address


def _email_unusable(patron: Patron, loans: Sequence[Loan], refused: Refused, suppressed: Suppressed) -> bool:
    if not isinstance(patron.email, EmailAddress) or patron.email in suppressed:
        return True
    return any(patron.email in refused.get(key(loan), ()) for loan in loans)


def _skips(notice: Notice, deliveries: Sequence[Delivery], empty: Sequence[_Empty]) -> tuple[Skip, ...]:
    """Loans without any delivery are skipped whole, for their most telling reason; the others slot by slot."""
    if not empty:
        return ()
    with_delivery = {key(loan) for delivery in deliveries for loan in delivery.loans}
    gaps_of: dict[LoanKey, list[_Empty]] = {}
    for gap in empty:
        for loan in gap.loans:
            gaps_of.setdefault(key(loan), []).append(gap)
    skips: list[Skip] = []
    for loan in notice.loans:
        gaps = gaps_of.get(key(loan), [])
        if key(loan) in with_delivery:
            skips.extend(skip(loan, gap.reason, slot=gap.slot, detail=gap.detail) for gap in gaps)
        elif gaps:
            worst = min(gaps, key=lambda gap: _WORST_FIRST.index(gap.reason))
            skips.append(skip(loan, worst.reason, detail=worst.detail))
    return tuple(skips)
