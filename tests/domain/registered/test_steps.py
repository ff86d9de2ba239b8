"""The order of a registered letter's steps, and what may be undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.registered.steps import (
    Acknowledged,
    LetterEvent,
    Life,
    Numbered,
    Posted,
    Returned,
    last_standing,
    undoable,
)
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.french.refusals import sentence

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 12, 21)
NOW = datetime(2026, 12, 21, 10, tzinfo=PARIS)
OURS, OTHER = "1A23456789012", "2C00000000018"
S, A = RegisteredState, LetterAct
NPAI = ReturnReason.RETURNED_UNDELIVERABLE


NUMBER = Numbered(number=TrackingNumber.parse(OURS))
PRINTED = Life(state=S.PRINTED, printed_at=datetime(2026, 12, 17, 23, 30, tzinfo=UTC))  # the 18th in Paris


def posted(day=date(2026, 12, 18), today=TODAY):
    return Posted(day=day, today=today, zone=PARIS)


def acknowledged(day=date(2026, 12, 20), today=TODAY):
    return Acknowledged(day=day, today=today)


def returned(day=date(2026, 12, 20), reason=NPAI, today=TODAY):
    return Returned(day=day, today=today, reason=reason, since=NOW)


LIVES = {S.TO_PRINT: replace(PRINTED, state=S.TO_PRINT, printed_at=None), S.PRINTED: PRINTED}
LIVES[S.NUMBERED] = NUMBER.taken(PRINTED)
LIVES[S.POSTED] = posted().taken(LIVES[S.NUMBERED])
LIVES[S.ACKNOWLEDGED] = acknowledged().taken(LIVES[S.POSTED])
LIVES[S.RETURNED] = returned().taken(LIVES[S.POSTED])
OTHER_DAY = date(2026, 12, 21)
STEPS = {
    "number": Numbered(number=TrackingNumber.parse(OTHER)),
    "post": posted(OTHER_DAY),
    "acknowledge": acknowledged(OTHER_DAY),
    "return": returned(OTHER_DAY, ReturnReason.UNCLAIMED),
}


@pytest.mark.parametrize(
    ("state", "step", "outcome"),
    [
        (S.TO_PRINT, "number", "not_printed"),
        (S.TO_PRINT, "post", "not_printed"),
        (S.TO_PRINT, "acknowledge", "not_printed"),
        (S.TO_PRINT, "return", "not_printed"),
        (S.PRINTED, "number", S.NUMBERED),
        (S.PRINTED, "post", "no_number"),
        (S.PRINTED, "acknowledge", "no_number"),
        (S.PRINTED, "return", "no_number"),
        (S.NUMBERED, "number", "already_numbered"),
        (S.NUMBERED, "post", S.POSTED),
        (S.NUMBERED, "acknowledge", "not_posted"),
        (S.NUMBERED, "return", "not_posted"),
        (S.POSTED, "number", "already_numbered"),
        (S.POSTED, "post", "already_posted"),
        (S.POSTED, "acknowledge", S.ACKNOWLEDGED),
        (S.POSTED, "return", S.RETURNED),
        (S.ACKNOWLEDGED, "number", "already_numbered"),
        (S.ACKNOWLEDGED, "post", "already_answered"),
        (S.ACKNOWLEDGED, "acknowledge", "already_answered"),
        (S.ACKNOWLEDGED, "return", "already_answered"),
        (S.RETURNED, "number", "already_numbered"),
        (S.RETURNED, "post", "already_answered"),
        (S.RETURNED, "acknowledge", "already_answered"),
        (S.RETURNED, "return", "already_answered"),
    ],
)
def test_which_step_may_follow_which(state, step, outcome):
    if isinstance(outcome, RegisteredState):
        assert STEPS[step].taken(LIVES[state]).state is outcome
        return
    with pytest.raises(LetterStepRefused) as refused:
        STEPS[step].taken(LIVES[state])
    assert refused.value.code == outcome
    if outcome in ("not_printed", "no_number", "not_posted"):
        assert "Il faut d'abord" in sentence(refused.value)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (S.ACKNOWLEDGED, NUMBER),
        (S.POSTED, posted()),
        (S.RETURNED, posted()),
        (S.ACKNOWLEDGED, acknowledged()),
        (S.RETURNED, returned()),
    ],
)
def test_what_is_known_already_changes_nothing(state, step):
    assert step.taken(LIVES[state]) == LIVES[state]


@pytest.mark.parametrize(
    ("state", "step", "code", "words"),
    [
        (S.NUMBERED, posted(date(2026, 12, 22)), "in_the_future", "22/12/2026"),
        (S.NUMBERED, posted(date(2026, 12, 17)), "before_previous_step", "l'impression, le 18/12/2026"),
        (S.POSTED, acknowledged(date(2026, 12, 17)), "before_previous_step", "le 18/12/2026"),
        (S.POSTED, acknowledged(date(2026, 12, 22)), "in_the_future", "22/12/2026"),
        (S.POSTED, returned(date(2026, 12, 17)), "before_previous_step", "le 18/12/2026"),
        (S.POSTED, returned(date(2026, 12, 22)), "in_the_future", "22/12/2026"),
    ],
)
def test_days_follow_each_other(state, step, code, words):
    with pytest.raises(LetterStepRefused) as refused:
        step.taken(LIVES[state])
    assert refused.value.code == code
    assert words in sentence(refused.value)


def test_the_same_day_is_allowed_for_every_step():
    life = posted(date(2026, 12, 18)).taken(LIVES[S.NUMBERED])
    assert acknowledged(date(2026, 12, 18)).taken(life).state is S.ACKNOWLEDGED


def a_trace(*acts):
    return [
        LetterEvent(event_id=number, at=NOW, who="zoé", act=act, detail="", of_letter=act is not A.PRINTED)
        for number, act in enumerate(acts, start=1)
    ]


@pytest.mark.parametrize(
    ("acts", "last"),
    [
        ((), None),
        ((A.PRINTED,), None),
        ((A.PRINTED, A.NUMBERED), 2),
        ((A.PRINTED, A.NUMBERED, A.POSTED), 3),
        ((A.PRINTED, A.NUMBERED, A.POSTED, A.COPIED), 3),
        ((A.PRINTED, A.NUMBERED, A.POSTED, A.UNDONE), 2),
        ((A.PRINTED, A.NUMBERED, A.POSTED, A.UNDONE, A.UNDONE), None),
        ((A.PRINTED, A.NUMBERED, A.UNDONE, A.NUMBERED, A.POSTED), 5),
    ],
)
def test_the_last_step_that_stands(acts, last):
    found = last_standing(a_trace(*acts))
    assert (found.event_id if found else None) == last


@pytest.mark.parametrize(
    ("acts", "event_id", "code"),
    [
        ((), None, "nothing_to_undo"),
        ((A.PRINTED,), None, "printing_stays"),
        ((A.PRINTED, A.NUMBERED, A.POSTED), 2, "not_the_last"),
        ((A.PRINTED, A.NUMBERED, A.POSTED, A.UNDONE), 3, "not_the_last"),
    ],
)
def test_only_the_last_step_is_undone(acts, event_id, code):
    with pytest.raises(LetterStepRefused) as refused:
        undoable(a_trace(*acts), event_id=event_id)
    assert refused.value.code == code
