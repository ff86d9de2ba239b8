"""A recipient that is not written to any more leaves its slot to the next channel, or empty with its reason."""

import pytest

from loan_reminders.domain.notices import Routed, Unreachable
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import a_loan, a_mobile, a_notice, a_patron, an_email

POLICY = read_settings(ROOT / "library.toml").policy()


def routed(stage, suppressed, **patron):
    notice = a_notice(stage=stage, loans=(a_loan(patron=a_patron(**patron)),))
    rule = POLICY.rule(stage)
    today = notice.due_date
    return route(notice, rule=rule, history={}, refused={}, today=today, suppressed=suppressed)


@pytest.mark.parametrize("reason", [SkipReason.OPTED_OUT, SkipReason.DEAD_NUMBER])
def test_the_email_goes_alone(reason):
    found = routed(Stage.OVERDUE_NOTICE, {a_mobile(): reason})
    assert isinstance(found, Routed)
    assert [delivery.channel for delivery in found.deliveries] == [Channel.EMAIL]
    assert [(skip.reason, skip.detail) for skip in found.skipped] == [(reason, "sms:suppressed")]


def test_another_number_is_written_to():
    found = routed(Stage.OVERDUE_NOTICE, {a_mobile("33639980002"): SkipReason.OPTED_OUT})
    assert isinstance(found, Routed)
    assert [delivery.channel for delivery in found.deliveries] == [Channel.EMAIL, Channel.SMS]


def test_a_letter_follows_an_address_that_is_not_written_to():
    found = routed(Stage.FIRST_REMINDER, {an_email(): SkipReason.OPTED_OUT})
    assert isinstance(found, Routed)
    assert [delivery.channel for delivery in found.deliveries] == [Channel.LETTER]


def test_whom_nothing_else_reaches_is_on_the_desks_list():
    found = routed(Stage.OVERDUE_NOTICE, {a_mobile(): SkipReason.OPTED_OUT}, email=Refusal.MISSING)
    assert isinstance(found, Unreachable)
    assert found.reason is SkipReason.NO_RECIPIENT
