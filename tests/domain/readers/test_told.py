"""Whether a reader was told: no message counts for more than what is known of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.readers.told import TOLD, Outcome, outcome, told
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from tests.scenes.loan_records import DAY, a_bounce, a_dispute, a_letter, a_record, a_skip, registered_facts

C, O, R, S = Channel, Outcome, RegisteredState, DeliveryState  # noqa: E741 - O is an outcome


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("channel", C)
def test_every_state_by_every_channel_has_an_outcome(channel, state):
    assert outcome(a_record(channel, state)) in set(O)


@pytest.mark.parametrize(
    ("channel", "state", "is_outcome"),
    [
        (C.EMAIL, S.PLANNED, O.WAITING),
        (C.EMAIL, S.CLAIMED, O.WAITING),
        (C.EMAIL, S.ACCEPTED, O.ARRIVED),
        (C.EMAIL, S.REFUSED, O.NOT_ARRIVED),
        (C.EMAIL, S.BOUNCED, O.NOT_ARRIVED),
        (C.EMAIL, S.FAILED, O.NOT_ARRIVED),
        (C.EMAIL, S.IN_DOUBT, O.IN_DOUBT),
        (C.EMAIL, S.CANCELLED, O.CALLED_OFF),
        (C.SMS, S.ACCEPTED, O.LEFT),
        (C.SMS, S.DELIVERED, O.ARRIVED),
        (C.SMS, S.BOUNCED, O.NOT_ARRIVED),
        (C.LETTER, S.ACCEPTED, O.WAITING),
        (C.LETTER, S.BOUNCED, O.NOT_ARRIVED),
    ],
)
def test_how_far_a_message_came(channel, state, is_outcome):
    assert outcome(a_record(channel, state)) is is_outcome


@pytest.mark.parametrize("kind", BounceKind)
def test_an_email_taken_and_then_complained_about_is_in_doubt(kind):
    assert outcome(a_record(bounces=(a_bounce(kind),))) is O.IN_DOUBT


@pytest.mark.parametrize(
    ("batch", "is_outcome"),
    [
        (BatchState.DRAFT, O.WAITING),
        (BatchState.READY, O.WAITING),
        (BatchState.PRINTED, O.LEFT),
        (BatchState.ABANDONED, O.CALLED_OFF),
    ],
)
def test_a_letter_has_left_once_it_is_printed(batch, is_outcome):
    assert outcome(a_record(C.LETTER, letter=a_letter(batch))) is is_outcome


def test_a_letter_left_out_of_its_batch_is_called_off_even_when_the_batch_is_printed():
    assert outcome(a_record(C.LETTER, letter=a_letter(left_out=Reason.RETURNED))) is O.CALLED_OFF


@pytest.mark.parametrize(
    ("state", "is_outcome"),
    [
        (R.TO_PRINT, O.WAITING),
        (R.PRINTED, O.WAITING),
        (R.NUMBERED, O.WAITING),
        (R.POSTED, O.LEFT),
        (R.ACKNOWLEDGED, O.ARRIVED),
        (R.RETURNED, O.NOT_ARRIVED),
    ],
)
def test_a_registered_letter_has_left_once_it_is_posted_and_arrived_once_it_is_signed_for(state, is_outcome):
    one = a_record(C.REGISTERED_LETTER, letter=a_letter(), registered=registered_facts(state))
    assert outcome(one) is is_outcome


def test_a_registered_letter_whose_batch_was_abandoned_is_called_off():
    assert outcome(a_record(C.REGISTERED_LETTER, letter=a_letter(BatchState.ABANDONED))) is O.CALLED_OFF
    assert outcome(a_record(C.REGISTERED_LETTER, letter=a_letter())) is O.WAITING


def test_a_loan_taken_out_of_a_message_was_not_told_by_it():
    assert outcome(a_record(state=S.DELIVERED, dropped=Reason.RENEWED)) is O.CALLED_OFF


def test_only_what_is_known_to_have_left_counts_as_told():
    assert {O.ARRIVED, O.LEFT} == TOLD


def test_a_loan_about_which_nothing_is_known():
    answer = told(a_dispute())
    assert (answer.times, answer.last, answer.outcome, answer.why_not) == (0, None, None, None)


def test_two_channels_of_one_stage_tell_once_and_a_renewed_loan_is_told_anew():
    mail, sms = a_record(), a_record(C.SMS)
    assert told(a_dispute(mail, sms)).times == 1
    assert told(a_dispute(mail, a_record(stage=Stage.FIRST_REMINDER))).times == 2
    assert told(a_dispute(mail, a_record(due_date=mail.due_date + timedelta(days=28)))).times == 2


def test_what_was_called_off_is_not_the_last_message():
    mail = a_record()
    answer = told(a_dispute(mail, a_record(state=S.CANCELLED)))
    assert (answer.last, answer.outcome) == (mail, O.ARRIVED)
    assert told(a_dispute(a_record(state=S.CANCELLED))).last is None


@pytest.mark.parametrize("state", [S.IN_DOUBT, S.REFUSED, S.PLANNED, S.FAILED])
def test_a_message_that_may_not_have_arrived_tells_nobody(state):
    answer = told(a_dispute(a_record(state=state)))
    assert answer.times == 0
    assert answer.outcome is outcome(a_record(state=state))


def test_the_last_reason_is_kept_and_one_that_says_nothing_new_is_not():
    first = a_skip(SkipReason.NO_RECIPIENT)
    last = a_skip(SkipReason.HELD, day=DAY + timedelta(days=1))
    again = a_skip(SkipReason.ALREADY_SENT, day=DAY + timedelta(days=2))
    twice = a_skip(SkipReason.DUPLICATE_ROW, day=DAY + timedelta(days=3))
    assert told(a_dispute(skips=(first, last, again, twice))).why_not is last
    assert told(a_dispute(skips=(again, twice))).why_not is None


@pytest.mark.parametrize("state", [S.ACCEPTED, S.DELIVERED, S.IN_DOUBT, S.REFUSED, S.BOUNCED])
@pytest.mark.parametrize("channel", C)
def test_what_was_redirected_has_told_nobody_whatever_became_of_it(channel, state):
    one = a_record(channel, state, redirected=True)
    assert outcome(one) is O.REDIRECTED
    assert told(a_dispute(deliveries=(one,))).times == 0


def test_what_a_trial_had_not_sent_yet_waits_like_any_other():
    assert outcome(a_record(C.EMAIL, S.PLANNED, redirected=True)) is O.WAITING
