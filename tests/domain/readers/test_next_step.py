"""What comes next for a loan: the stage, its day and its channels, or why nothing does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.readers.next_step import NoStep, next_step
from loan_reminders.domain.runs.holds import Hold
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.french.pages.next_step import next_step_words
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import DUE_DATE, OFFSETS, a_loan, a_mobile, a_patron

POLICY = read_settings(ROOT / "library.toml").policy()
COURTESY, OVERDUE, FIRST, SECOND, REGISTERED = Stage


def day(offset):
    return DUE_DATE + timedelta(days=offset)


def step(today, **changes):
    loan = a_loan(patron=a_patron(**changes.pop("patron", {})))
    return next_step(loan, policy=POLICY, today=today, **changes)


def held(until, loan_id=""):
    return Hold(
        hold_id=1, patron_id="P1", loan_id=loan_id, until=until, reason="conteste", at=datetime.now(UTC), who="z"
    )


@pytest.mark.parametrize(
    ("offset", "decided", "stage"),
    [
        (-10, (), COURTESY), (-2, (), COURTESY), (-2, (COURTESY,), OVERDUE), (0, (COURTESY,), OVERDUE),
        (1, (COURTESY, OVERDUE), FIRST), (2, (), FIRST), (8, (OVERDUE, FIRST), SECOND), (16, (), REGISTERED),
    ],
)  # fmt: skip
def test_the_next_stage_is_the_first_one_not_told_from_today_on(offset, decided, stage):
    found = step(day(offset), decided=decided)
    assert (found.stage, found.day) == (stage, day(OFFSETS[stage]))


def test_after_the_last_stage_nothing_comes():
    assert step(day(21), decided=(REGISTERED,)).why is NoStep.LAST_DONE
    assert step(day(30), decided=(REGISTERED,)).why is NoStep.LAST_DONE
    assert step(day(30), decided=(SECOND,)).why is NoStep.PAST


def test_the_channels_are_those_known_today():
    assert step(day(0)).channels == (Channel.EMAIL, Channel.SMS)
    assert step(day(0), patron={"category": PatronCategory.EXTERNAL}).channels == (Channel.EMAIL,)
    assert step(day(0), suppressed={a_mobile(): SkipReason.OPTED_OUT}).channels == (Channel.EMAIL,)
    assert step(day(5), patron={"email": Refusal.MISSING}).channels == (Channel.LETTER,)
    assert step(day(16)).channels == (Channel.REGISTERED_LETTER,)


def test_a_reader_whom_nothing_reaches_is_said_with_the_reason():
    found = step(day(-5), patron={"email": Refusal.MISSING})
    assert (found.stage, found.channels, found.why) == (COURTESY, (), SkipReason.NO_RECIPIENT)


def test_a_hold_passes_over_the_stages_until_its_day():
    found = step(day(0), held=held(day(8)))
    assert (found.stage, found.passed_over) == (SECOND, (OVERDUE, FIRST))
    assert step(day(0), held=held(day(0))).stage is OVERDUE
    assert step(day(10), held=held(day(40))).why is NoStep.HELD


def test_the_words_name_the_day_the_channels_and_the_condition():
    what, pill, said = next_step_words(step(day(7), decided=(OVERDUE,)), today=day(7))
    assert (what, pill) == ("1re lettre de relance", "prévue demain")
    assert said == "par e-mail, si le document n'est pas rendu ni prolongé d'ici là"
    assert "ne pas écrire jusqu'au" in next_step_words(step(day(0), held=held(day(2))), today=day(0))[2]
    for today, more in ((day(30), {}), (day(30), {"decided": (REGISTERED,)}), (day(0), {"held": held(day(90))})):
        assert "plus rien" in next_step_words(step(today, **more), today=today)[0]
