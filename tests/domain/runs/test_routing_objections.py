"""A channel that the reader refuses leaves its slot to the next one, whatever his number or address is by now."""

import pytest

from loan_reminders.domain.notices import Routed, Unreachable
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import a_loan, a_mobile, a_notice, a_patron

POLICY = read_settings(ROOT / "library.toml").policy()
EMAIL, SMS, LETTER = Channel.EMAIL, Channel.SMS, Channel.LETTER


def routed(stage, *refused, by="P1", **patron):
    notice = a_notice(stage=stage, loans=(a_loan(patron=a_patron(**patron)),))
    return route(
        notice, rule=POLICY.rule(stage), history={}, refused={}, today=notice.due_date,
        objections={by: frozenset(refused)},
    )  # fmt: skip


def channels(found):
    return [] if isinstance(found, Unreachable) else [one.channel for one in found.deliveries]


@pytest.mark.parametrize(
    ("stage", "refused", "left"),
    [
        (Stage.COURTESY_NOTICE, (EMAIL,), []),
        (Stage.OVERDUE_NOTICE, (SMS,), [EMAIL]),
        (Stage.OVERDUE_NOTICE, (EMAIL,), [SMS]),
        (Stage.OVERDUE_NOTICE, (EMAIL, SMS), []),
        (Stage.FIRST_REMINDER, (EMAIL,), [LETTER]),
        (Stage.SECOND_REMINDER, (EMAIL, SMS), [LETTER]),
        (Stage.REGISTERED_LETTER, (EMAIL, SMS), [Channel.REGISTERED_LETTER]),
    ],
)
def test_the_next_channel_of_the_stage_takes_its_place(stage, refused, left):
    found = routed(stage, *refused)
    assert isinstance(found, Routed)
    assert channels(found) == left
    if not left:
        assert {one.reason for one in found.skipped} == {SkipReason.OPTED_OUT}
        # Nothing is wrong with his contacts: nobody has to correct anything.
        assert not any("email:" in one.detail or "sms:" in one.detail for one in found.skipped)


def test_it_lasts_when_the_number_changes():
    assert channels(routed(Stage.OVERDUE_NOTICE, SMS, mobile=a_mobile("33639980009"))) == [EMAIL]


def test_another_reader_with_the_same_number_is_written_to():
    assert channels(routed(Stage.OVERDUE_NOTICE, SMS, by="P2")) == [EMAIL, SMS]


def test_whoever_refuses_e_mails_and_has_no_address_is_skipped_for_what_he_said():
    found = routed(Stage.FIRST_REMINDER, EMAIL, address=Refusal.MISSING)
    assert isinstance(found, Routed)
    assert [(one.reason, one.slot) for one in found.skipped] == [(SkipReason.OPTED_OUT, None)]
