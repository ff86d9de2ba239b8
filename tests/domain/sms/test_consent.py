"""Who may have an SMS: the rule of each population, what was said, and how a notice leaves without one."""

from __future__ import annotations

import pytest

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.notices import Routed
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.sms.consent import Consent
from loan_reminders.domain.stages import Basis, Channel, ChannelRule, PatronCategory, Slot, SmsRules, Stage, StageRule
from loan_reminders.domain.states import Refusal, SkipReason
from tests.scenes.builders import DUE_DATE, a_loan, a_notice, a_patron

YES, NO = SmsChoice.YES, SmsChoice.NO
STUDENT, STAFF, EXTERNAL = PatronCategory.STUDENT, PatronCategory.STAFF, PatronCategory.EXTERNAL
SEED = {STUDENT: Basis.OPT_OUT, STAFF: Basis.OPT_IN, EXTERNAL: Basis.NEVER}
RULE = StageRule(
    stage=Stage.OVERDUE_NOTICE,
    offset_days=1,
    channels=(ChannelRule(channel=Channel.EMAIL), ChannelRule(channel=Channel.SMS)),
)


def refuses(category=STUDENT, *, minors=None, listed=None, **patron):
    consent = Consent(rules=SmsRules(populations=SEED, minors=minors), said={"P1": listed} if listed else {})
    return consent.refuses(a_patron(category=category, **patron))


@pytest.mark.parametrize(
    ("category", "said", "why"),
    [
        (STUDENT, None, None),
        (STUDENT, YES, None),
        (STUDENT, NO, SkipReason.DECLINED),
        (STAFF, None, SkipReason.NOT_ASKED_FOR),
        (STAFF, YES, None),
        (STAFF, NO, SkipReason.DECLINED),
        (EXTERNAL, None, SkipReason.NOT_TEXTED),
        (EXTERNAL, YES, SkipReason.NOT_TEXTED),
        (EXTERNAL, NO, SkipReason.DECLINED),
        (PatronCategory.OTHER, None, None),
    ],
)
def test_the_rule_of_a_population_and_what_was_said(category, said, why):
    assert refuses(category, sms_choice=said) is why
    assert refuses(category, listed=said) is why


@pytest.mark.parametrize("in_ils", [YES, NO, None])
def test_the_list_of_librarians_outranks_the_ils(in_ils):
    assert refuses(STAFF, sms_choice=in_ils, listed=YES) is None
    assert refuses(STUDENT, sms_choice=in_ils, listed=NO) is SkipReason.DECLINED


@pytest.mark.parametrize(
    ("minors", "said", "category", "why"),
    [
        (None, None, STUDENT, None),
        (Basis.NEVER, YES, STUDENT, SkipReason.MINOR),
        (Basis.NEVER, NO, STUDENT, SkipReason.DECLINED),
        (Basis.OPT_IN, None, STUDENT, SkipReason.NOT_ASKED_FOR),
        (Basis.OPT_IN, YES, STUDENT, None),
        (Basis.OPT_IN, YES, EXTERNAL, SkipReason.NOT_TEXTED),
        (None, None, STAFF, SkipReason.NOT_ASKED_FOR),
    ],
)
def test_minors_have_a_rule_of_their_own_and_that_of_their_population(minors, said, category, why):
    assert refuses(category, minors=minors, sms_choice=said, minor=True) is why


def test_an_adult_is_not_asked_about_the_rule_for_minors():
    assert refuses(STUDENT, minors=Basis.NEVER) is None


def routed(**patron):
    loan = a_loan(patron=a_patron(**patron))
    consent = Consent(rules=SmsRules(populations=SEED))
    return route(
        a_notice(loans=(loan,)), rule=RULE, history={}, refused={}, today=DUE_DATE, consent=consent
    )  # fmt: skip


def test_who_gets_no_sms_gets_the_e_mail_and_the_reason_is_that_of_the_sms_alone():
    found = routed(category=STAFF)
    assert isinstance(found, Routed)
    assert [one.channel for one in found.deliveries] == [Channel.EMAIL]
    assert [(one.slot, one.reason) for one in found.skipped] == [(Slot.SMS, SkipReason.NOT_ASKED_FOR)]


def test_who_has_no_mobile_is_not_looked_for_one_when_no_sms_may_leave():
    [skipped] = routed(category=STAFF, mobile=Refusal.NOT_MOBILE).skipped
    assert (skipped.reason, skipped.detail) == (SkipReason.NOT_ASKED_FOR, "")


def test_without_an_e_mail_nobody_is_told_and_the_missing_address_is_the_reason():
    found = routed(category=STAFF, email=Refusal.MISSING)
    assert not isinstance(found, Routed)
    assert found.reason is SkipReason.NO_RECIPIENT
