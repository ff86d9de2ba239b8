"""A reader drawn for the measure keeps the e-mail and gets no SMS; whoever has no e-mail is never drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.notices import Routed
from loan_reminders.domain.runs.planning import key
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.stages import Channel, ChannelRule, PatronCategory, Policy, Slot, Stage, StageRule
from loan_reminders.domain.states import DeliveryState, Refusal, SkipReason
from tests.scenes.builders import DUE_DATE, a_loan, a_mobile, a_notice, a_patron, an_email

TODAY = DUE_DATE + timedelta(days=1)
HELD_BACK = Holdback(share=0.5, first=TODAY, last=TODAY + timedelta(days=90), seed="graine")
DRAWN = next(f"P{n}" for n in range(100) if HELD_BACK.is_control(f"P{n}"))
SPARED = next(f"P{n}" for n in range(100) if not HELD_BACK.is_control(f"P{n}"))


def rule(holdback: Holdback | None = HELD_BACK) -> StageRule:
    sms = ChannelRule(
        channel=Channel.SMS, categories=frozenset({PatronCategory.STUDENT}), minimum_loan_days=14, holdback=holdback
    )
    return StageRule(stage=Stage.OVERDUE_NOTICE, offset_days=1, channels=(ChannelRule(channel=Channel.EMAIL), sms))


def routed(patron_id=DRAWN, *, today=TODAY, holdback=HELD_BACK, history=None, suppressed=None, refused=None,
           objected=(), **patron):  # fmt: skip
    loan = a_loan(patron=a_patron(patron_id=patron_id, **patron))
    found = route(
        a_notice(loans=(loan,)), rule=rule(holdback), history=history or {}, today=today,
        refused={key(loan): refused} if refused else {}, suppressed=suppressed or {},
        objections={patron_id: frozenset(objected)} if objected else {},
    )  # fmt: skip
    assert isinstance(found, Routed)
    reasons = [(skip.slot, skip.reason, skip.detail) for skip in found.skipped]
    return [delivery.channel for delivery in found.deliveries], reasons


def test_whoever_is_drawn_gets_the_email_and_no_sms_and_the_reason_is_said():
    assert routed() == ([Channel.EMAIL], [(Slot.SMS, SkipReason.CONTROL_GROUP, "sms:control")])


@pytest.mark.parametrize(
    "changes",
    [
        {"patron_id": SPARED},
        {"holdback": None},
        {"today": HELD_BACK.first - timedelta(days=1)},
        {"today": HELD_BACK.last + timedelta(days=1)},
    ],
)
def test_everyone_else_gets_both(changes):
    assert routed(**changes) == ([Channel.EMAIL, Channel.SMS], [])


@pytest.mark.parametrize(
    "changes",
    [
        {"email": Refusal.MISSING},
        {"email": Refusal.NOT_AN_ADDRESS},
        {"suppressed": {an_email(): SkipReason.DEAD_ADDRESS}},
        {"refused": {an_email()}},
        {"objected": {Channel.EMAIL}},
    ],
)
def test_a_reader_who_cannot_be_written_to_by_email_is_never_drawn(changes):
    channels, _ = routed(**changes)
    assert channels == [Channel.SMS]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category": PatronCategory.STAFF}, SkipReason.NOT_ELIGIBLE),
        ({"mobile": Refusal.MISSING}, SkipReason.NO_RECIPIENT),
        ({"suppressed": {a_mobile(): SkipReason.OPTED_OUT}}, SkipReason.OPTED_OUT),
        ({"refused": {a_mobile()}}, SkipReason.INVALID_RECIPIENT),
    ],
)
def test_whoever_would_have_had_no_sms_anyway_is_no_witness(changes, reason):
    channels, skips = routed(**changes)
    assert (channels, [skip[1] for skip in skips]) == ([Channel.EMAIL], [reason])


def test_a_day_done_again_says_that_the_email_is_sent_and_sends_no_sms():
    loan = a_loan(patron=a_patron(patron_id=DRAWN))
    channels, skips = routed(history={(key(loan), Slot.WRITTEN): DeliveryState.ACCEPTED})
    assert (channels, [skip[1] for skip in skips]) == ([], [SkipReason.ALREADY_SENT])


def test_the_policy_knows_of_it():
    assert Policy(rules=(rule(),)).holdback is HELD_BACK
    assert Policy(rules=(rule(None),)).holdback is None


@pytest.mark.parametrize(
    "email",
    [
        (),
        (ChannelRule(channel=Channel.EMAIL, categories=frozenset({PatronCategory.STAFF})),),
        (ChannelRule(channel=Channel.EMAIL, minimum_loan_days=365),),
    ],
)
def test_where_the_stage_has_no_email_for_a_reader_nobody_is_drawn(email):
    alone = rule()
    sms = next(one for one in alone.channels if one.channel is Channel.SMS)
    found = route(
        a_notice(loans=(a_loan(patron=a_patron(patron_id=DRAWN)),)), rule=replace(alone, channels=(*email, sms)),
        history={}, refused={}, today=TODAY,
    )  # fmt: skip
    assert [delivery.channel for delivery in found.deliveries] == [Channel.SMS]
