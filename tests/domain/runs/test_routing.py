"""By which channels a notice leaves: the table of conditions, and the fallbacks."""

from datetime import timedelta

import pytest

from loan_reminders.domain.notices import LoanKey, Routed, Unreachable
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.sms.consent import Consent
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Refusal, SkipReason
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import a_loan, a_notice, a_patron, an_email

POLICY = read_settings(ROOT / "library.toml").policy()
NO_EMAIL = {"email": Refusal.MISSING}
BAD_EMAIL = {"email": Refusal.NOT_AN_ADDRESS}
NO_MOBILE = {"mobile": Refusal.MISSING}
LANDLINE = {"mobile": Refusal.NOT_MOBILE}
NO_ADDRESS = {"address": Refusal.NO_POSTCODE}


def routed(stage, patron=None, days=28, history=None, refused=None, late=None):
    reader = a_patron(**(patron or {}))
    loan = a_loan(patron=reader)
    loan = a_loan(patron=reader, loan_date=loan.due_date - timedelta(days=days))
    notice = a_notice(stage=stage, loans=(loan,))
    return route(
        notice,
        rule=POLICY.rule(stage),
        history=history or {},
        refused=refused or {},
        today=notice.due_date + timedelta(days=POLICY.rule(stage).offset_days if late is None else late),
        consent=Consent(rules=POLICY.sms),
    )


def channels(found):
    return [delivery.channel for delivery in found.deliveries] if isinstance(found, Routed) else []


E, S, L, R = Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.REGISTERED_LETTER
STAFF = {"category": PatronCategory.STAFF}
OUTSIDE = {"category": PatronCategory.EXTERNAL}
CASES = [
    (Stage.COURTESY_NOTICE, {}, 28, [E]),
    (Stage.COURTESY_NOTICE, NO_EMAIL, 28, []),
    (Stage.OVERDUE_NOTICE, {}, 28, [E, S]),
    (Stage.OVERDUE_NOTICE, {}, 14, [E, S]),
    (Stage.OVERDUE_NOTICE, {}, 13, [E]),
    (Stage.OVERDUE_NOTICE, {}, 3, [E]),
    (Stage.OVERDUE_NOTICE, {}, -300, [E]),
    (Stage.OVERDUE_NOTICE, STAFF, 28, [E]),
    (Stage.OVERDUE_NOTICE, OUTSIDE, 28, [E]),
    (Stage.OVERDUE_NOTICE, {"category": PatronCategory.OTHER}, 28, [E]),
    (Stage.OVERDUE_NOTICE, NO_MOBILE, 28, [E]),
    (Stage.OVERDUE_NOTICE, LANDLINE, 28, [E]),
    (Stage.OVERDUE_NOTICE, NO_EMAIL, 28, [S]),
    (Stage.OVERDUE_NOTICE, BAD_EMAIL, 28, [S]),
    (Stage.OVERDUE_NOTICE, {**NO_EMAIL, **NO_MOBILE}, 28, []),
    (Stage.FIRST_REMINDER, {}, 28, [E]),
    (Stage.FIRST_REMINDER, NO_EMAIL, 28, [L]),
    (Stage.FIRST_REMINDER, BAD_EMAIL, 28, [L]),
    (Stage.FIRST_REMINDER, {**NO_EMAIL, **NO_ADDRESS}, 28, []),
    (Stage.FIRST_REMINDER, NO_ADDRESS, 28, [E]),
    (Stage.SECOND_REMINDER, {}, 28, [E]),
    (Stage.SECOND_REMINDER, {**STAFF, **NO_EMAIL}, 3, [L]),
    (Stage.REGISTERED_LETTER, {}, 3, [R]),
    (Stage.REGISTERED_LETTER, NO_EMAIL, 28, [R]),
    (Stage.REGISTERED_LETTER, NO_ADDRESS, 28, []),
]


@pytest.mark.parametrize(("stage", "patron", "days", "expected"), CASES)
def test_channels(stage, patron, days, expected):
    assert channels(routed(stage, patron, days)) == expected


@pytest.mark.parametrize(
    ("stage", "patron", "reason", "detail"),
    [
        (Stage.COURTESY_NOTICE, NO_EMAIL, SkipReason.NO_RECIPIENT, "email:missing"),
        (Stage.COURTESY_NOTICE, BAD_EMAIL, SkipReason.INVALID_RECIPIENT, "email:not_an_address"),
        (
            Stage.FIRST_REMINDER,
            {**NO_EMAIL, **NO_ADDRESS},
            SkipReason.INVALID_RECIPIENT,
            "email:missing,letter:no_postcode",
        ),
        (Stage.REGISTERED_LETTER, {"address": Refusal.MISSING}, SkipReason.NO_RECIPIENT, "registered_letter:missing"),
        (Stage.OVERDUE_NOTICE, {**NO_EMAIL, **STAFF}, SkipReason.NO_RECIPIENT, "email:missing"),
    ],
)
def test_a_reader_nobody_can_reach_is_unreachable_with_the_code(stage, patron, reason, detail):
    found = routed(stage, patron)
    assert isinstance(found, Unreachable)
    assert (found.reason, found.detail) == (reason, detail)


@pytest.mark.parametrize(
    ("patron", "days", "reason"),
    [
        (STAFF, 28, SkipReason.NOT_ASKED_FOR),
        ({}, 13, SkipReason.NOT_ELIGIBLE),
        (NO_MOBILE, 28, SkipReason.NO_RECIPIENT),
        (LANDLINE, 28, SkipReason.INVALID_RECIPIENT),
    ],
)
def test_an_empty_sms_slot_says_why(patron, days, reason):
    found = routed(Stage.OVERDUE_NOTICE, patron, days)
    assert isinstance(found, Routed)
    assert [(skip.slot, skip.reason) for skip in found.skipped] == [(Slot.SMS, reason)]


def test_an_sms_speaks_only_of_the_long_loans_and_the_email_of_all():
    reader = a_patron()
    long, short = a_loan(loan_id="long", patron=reader), a_loan(loan_id="short", patron=reader)
    short = a_loan(loan_id="short", patron=reader, loan_date=short.due_date - timedelta(days=7))
    found = route(
        a_notice(stage=Stage.OVERDUE_NOTICE, loans=(long, short)),
        rule=POLICY.rule(Stage.OVERDUE_NOTICE),
        history={},
        refused={},
        today=long.due_date + timedelta(days=1),
    )
    assert isinstance(found, Routed)
    told = {delivery.channel: [loan.loan_id for loan in delivery.loans] for delivery in found.deliveries}
    assert told == {Channel.EMAIL: ["long", "short"], Channel.SMS: ["long"]}
    assert [(skip.loan_id, skip.slot, skip.reason) for skip in found.skipped] == [
        ("short", Slot.SMS, SkipReason.NOT_ELIGIBLE)
    ]


@pytest.mark.parametrize(("late", "expected"), [(1, [E, S]), (3, [E, S]), (4, [E]), (7, [E])])
def test_an_sms_is_of_use_for_three_days_only(late, expected):
    found = routed(Stage.OVERDUE_NOTICE, late=late)
    assert channels(found) == expected
    assert [skip.reason for skip in found.skipped] == ([] if S in expected else [SkipReason.EXPIRED])


def history(slot):
    return {(LoanKey(loan_id="L1", due_date=a_loan().due_date), slot): DeliveryState.ACCEPTED}


def test_a_letter_is_never_added_to_an_email():
    found = routed(Stage.FIRST_REMINDER, NO_EMAIL, history=history(Slot.WRITTEN))
    assert isinstance(found, Routed)
    assert found.deliveries == ()
    assert [(skip.slot, skip.reason) for skip in found.skipped] == [(None, SkipReason.ALREADY_SENT)]


def test_a_missing_sms_is_sent_without_repeating_the_email():
    found = routed(Stage.OVERDUE_NOTICE, history=history(Slot.WRITTEN))
    assert channels(found) == [Channel.SMS]
    assert [(skip.slot, skip.reason) for skip in found.skipped] == [(Slot.WRITTEN, SkipReason.ALREADY_SENT)]


def test_a_run_again_without_anything_new_says_already_sent_rather_than_not_eligible():
    found = routed(Stage.OVERDUE_NOTICE, STAFF, history=history(Slot.WRITTEN))
    assert isinstance(found, Routed)
    assert [(skip.slot, skip.reason) for skip in found.skipped] == [(None, SkipReason.ALREADY_SENT)]


def test_a_run_again_for_a_reader_told_by_sms_alone_says_already_sent():
    found = routed(Stage.OVERDUE_NOTICE, NO_EMAIL, history=history(Slot.SMS))
    assert isinstance(found, Routed)
    assert [(skip.slot, skip.reason) for skip in found.skipped] == [(None, SkipReason.ALREADY_SENT)]


def refused(*emails):
    return {LoanKey(loan_id="L1", due_date=a_loan().due_date): {an_email(email) for email in emails}}


def test_a_letter_follows_a_refused_email():
    found = routed(Stage.FIRST_REMINDER, refused=refused(a_patron().email.value))
    assert channels(found) == [Channel.LETTER]


def test_an_address_that_was_corrected_since_is_tried():
    assert channels(routed(Stage.FIRST_REMINDER, refused=refused("ancienne@example.org"))) == [Channel.EMAIL]


def test_a_refused_email_without_fallback_is_not_tried_again():
    found = routed(Stage.COURTESY_NOTICE, refused=refused(a_patron().email.value))
    assert isinstance(found, Unreachable)
    assert found.detail == "email:refused_before"
