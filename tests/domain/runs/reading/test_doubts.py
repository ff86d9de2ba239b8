"""When a reading is not as usual; and when it only looks so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.runs.reading.doubts import DoubtKind, PastReading, ReadingGuard, doubts
from loan_reminders.domain.runs.reading.tally import Reading

GUARD = ReadingGuard()
THURSDAY = date(2026, 11, 26)
EMPTY, FEW = DoubtKind.EMPTY_DAY, DoubtKind.FEW_LOANS
EMAILS, MOBILES = DoubtKind.FEW_EMAILS, DoubtKind.FEW_MOBILES


def weeks(*loans, day=THURSDAY, **more):
    """Readings of the same weekday before, the newest first."""
    return [
        PastReading(due_date=day - timedelta(weeks=number), loans=one, **more)
        for number, one in enumerate(loans, start=1)
    ]


def days(count, loans=100, emails=95, mobiles=60):
    return [
        PastReading(due_date=THURSDAY - timedelta(days=number), loans=loans, with_email=emails, with_mobile=mobiles)
        for number in range(1, count + 1)
    ]


def kinds(reading, past, guard=GUARD, day=THURSDAY):
    return [doubt.kind for doubt in doubts(reading, day, past, guard)]


@pytest.mark.parametrize(
    ("loans", "past", "found"),
    [
        (0, weeks(140, 150, 160), [EMPTY]),
        (0, weeks(140, 0, 160, 0, 155), [EMPTY]),  # holidays among them
        (0, weeks(21, 21, 21), [EMPTY]),
        (0, weeks(20, 20, 20), []),  # as many as may be missing
        (0, weeks(3, 4, 2, 5), []),  # a small library
        (0, weeks(0, 0, 0, 0), []),  # a day on which nothing is ever due
        (0, weeks(0, 0, 0, 150, 150), []),  # has become such a day
        (0, [], []),  # the first day
        (0, weeks(140), []),  # the first weeks
        (0, weeks(140, 150), []),
        (0, days(6), []),  # other weekdays say nothing of this one
        (0, weeks(*[0] * 8, *[150] * 20), []),  # what is further back than eight weeks is no habit
    ],
)
def test_an_empty_day(loans, past, found):
    assert kinds(Reading(loans=loans), past) == found


@pytest.mark.parametrize(
    ("loans", "past", "found"),
    [
        (3, weeks(240, 250, 260), [FEW]),  # a view rebuilt half-way
        (50, weeks(240, 250, 260), [FEW]),  # a fifth
        (51, weeks(240, 250, 260), []),
        (30, weeks(250, 0, 260, 3, 255), [FEW]),  # holidays among them
        (1, weeks(40, 40, 40), [FEW]),
        (1, weeks(39, 39, 39), []),  # a small library: one reader who comes or not makes the day
        (3, weeks(250, 250), []),  # the first weeks
        (3, weeks(4, 3, 5), []),
        (3, weeks(3, 3, 3, 250, 250), []),  # has become such a day
        (3, days(6, loans=250), []),  # other weekdays say nothing of this one
        (250, weeks(3, 4, 5), []),  # too many is for the guard of the volume
    ],
)
def test_a_day_of_few_loans(loans, past, found):
    assert kinds(Reading(loans=loans, with_email=loans, with_mobile=loans), past) == found


def test_the_words_of_a_day_of_few_loans_have_their_figures():
    [doubt] = doubts(Reading(loans=3), THURSDAY, weeks(240, 250, 260), GUARD)
    assert (doubt.kind, doubt.found, doubt.usual, doubt.compared) == (FEW, 3, 250, 3)


def test_few_loans_are_as_usual_on_a_holiday_and_where_the_library_says_so():
    past = weeks(240, 250, 260)
    assert kinds(Reading(loans=3), past, ReadingGuard(is_closed=lambda day: day == THURSDAY)) == []
    assert kinds(Reading(loans=3), past, ReadingGuard(few_loans_share=0.01)) == []
    assert kinds(Reading(loans=1), past, ReadingGuard(few_loans_share=0)) == []
    assert kinds(Reading(loans=100, with_email=90, with_mobile=60), past, ReadingGuard(few_loans_share=0.5)) == [FEW]


def test_few_loans_and_few_addresses_among_them_are_two_doubts():
    past = [*weeks(500, 500, 500), *days(10)]
    assert kinds(Reading(loans=60, with_email=57), past) == [FEW, MOBILES]


def test_weeks_of_few_loans_are_asked_about_once_and_again_when_they_last():
    usual = [one for number in range(5, 13) for one in days_of_week(number)]
    accepted = PastReading(due_date=THURSDAY - timedelta(days=10), loans=20, accepted=True)
    since = [PastReading(due_date=THURSDAY - timedelta(days=number), loans=number) for number in range(1, 10)]
    few = Reading(loans=12)
    assert kinds(few, [*since, *usual]) == [FEW]
    assert kinds(few, [*since, accepted, *usual]) == []
    # A day as there used to be ends it.
    one = PastReading(due_date=THURSDAY - timedelta(days=2), loans=76)
    assert kinds(few, [*since[:1], one, *since[2:], accepted, *usual]) == [FEW]
    long_ago = PastReading(due_date=THURSDAY - timedelta(days=29), loans=20, accepted=True)
    assert kinds(few, [*since, long_ago, *usual]) == [FEW]
    # An empty day that was accepted speaks for them too; they do not speak for an empty one.
    empty = PastReading(due_date=THURSDAY - timedelta(days=10), loans=0, accepted=True)
    assert kinds(few, [*since, empty, *usual]) == []
    assert kinds(Reading(), [*since, accepted, *usual]) == [EMPTY]


BY_WEEKDAY = (250, 200, 150, 200, 120, 60, 0)
SUMMER = date(2026, 7, 6), date(2026, 8, 29)


def a_summer(answer, part=0.1):
    """Days on which a question is asked when all is at so small a part, or twice that; `answer` is what comes of it."""
    day, past, asked = date(2026, 3, 2), [], []
    while day <= date(2026, 10, 31):
        few = part * (1 + day.day % 2) if SUMMER[0] <= day <= SUMMER[1] else 1
        loans = int(BY_WEEKDAY[day.weekday()] * few)
        found = doubts(Reading(loans=loans), day, past, GUARD)
        asked += [day] * bool(found)
        past.append(PastReading(due_date=day, loans=loans, **(answer if found else {})))
        day += timedelta(days=1)
    return asked


def test_a_summer_of_few_loans_whose_first_day_is_accepted_asks_once_in_four_weeks():
    """Monday's few are more than Friday's: a day is small by its own weekday."""
    asked = a_summer({"accepted": True})
    assert asked == [SUMMER[0], date(2026, 8, 4)]


def test_a_summer_of_few_loans_in_which_nobody_answers_stops_three_days_and_not_all():
    asked = a_summer({"unanswered": True})
    assert asked[:3] == [SUMMER[0] + timedelta(days=number) for number in range(3)]
    assert len(asked) <= 6


def test_an_ils_that_gives_nothing_is_asked_about_each_day_that_nobody_answers():
    usual = [one for number in range(1, 9) for one in days_of_week(number)]
    silent = [PastReading(due_date=THURSDAY - timedelta(days=n), loans=0, unanswered=True) for n in range(1, 4)]
    assert kinds(Reading(), [*silent, *usual]) == [EMPTY]
    assert kinds(Reading(loans=5), [*silent, *usual]) == [FEW]
    few = [replace(one, loans=5) for one in silent]
    assert kinds(Reading(loans=5), [*few, *usual]) == []
    assert kinds(Reading(), [*few, *usual]) == [EMPTY]
    # A usual day among them, or after them, and it is asked again.
    between = replace(few[1], loans=150, unanswered=False)
    fourth = PastReading(due_date=THURSDAY - timedelta(days=4), loans=5, unanswered=True)
    assert kinds(Reading(loans=5), [few[0], between, few[2], fourth, *usual[1:]]) == [FEW]


def test_a_day_that_was_read_again_and_answered_is_not_without_an_answer():
    again = weeks(240, 250, 260)
    late = [replace(one, loans=300, unanswered=True) for one in again]
    assert kinds(Reading(loans=50), [*late, *again]) == [FEW]
    assert kinds(Reading(loans=50), late) == []  # no example of what is usual


def test_the_words_of_an_empty_day_have_their_figures():
    [doubt] = doubts(Reading(rejected=40), THURSDAY, weeks(140, 150, 160), GUARD)
    assert (doubt.found, doubt.usual, doubt.compared) == (0, 150, 3)


def test_nothing_is_due_on_a_holiday():
    guard = ReadingGuard(is_closed=lambda day: day == THURSDAY)
    assert kinds(Reading(), weeks(140, 150, 160), guard) == []


def test_an_old_day_that_is_caught_up_has_its_own_past():
    """What came after it says nothing of it."""
    old = THURSDAY - timedelta(weeks=4)
    before, after = weeks(150, 150, 150, day=old), weeks(0, 0, 0)
    assert kinds(Reading(), [*after, *before], day=old) == [EMPTY]
    assert kinds(Reading(), weeks(150, 150, 150), day=old) == []
    assert kinds(Reading(), [PastReading(due_date=old, loans=150)] * 5, day=old) == []


def test_a_library_closed_for_weeks_is_asked_once_and_again_when_it_lasts():
    usual = [one for number in range(5, 13) for one in days_of_week(number)]
    accepted = PastReading(due_date=THURSDAY - timedelta(days=10), loans=0, accepted=True)
    since = [PastReading(due_date=THURSDAY - timedelta(days=number), loans=0) for number in range(1, 10)]
    assert kinds(Reading(), [*since, *usual]) == [EMPTY]
    assert kinds(Reading(), [*since, accepted, *usual]) == []
    # A day with a loan ends it: what is empty after it is asked about anew.
    one = PastReading(due_date=THURSDAY - timedelta(days=2), loans=1)
    assert kinds(Reading(), [*since[:1], one, *since[2:], accepted, *usual]) == [EMPTY]
    long_ago = PastReading(due_date=THURSDAY - timedelta(days=29), loans=0, accepted=True)
    assert kinds(Reading(), [*since, long_ago, *usual]) == [EMPTY]
    assert kinds(Reading(loans=100), [*since, accepted, *usual]) == []


def days_of_week(number):
    """A week of usual days, so many weeks ago."""
    monday = THURSDAY - timedelta(days=3 + 7 * number)
    return [PastReading(due_date=monday + timedelta(days=day), loans=150) for day in range(5)]


def test_of_several_readings_of_a_day_the_fullest_counts():
    """A run that is begun again late finds fewer loans; it does not make the day a small one."""
    assert kinds(Reading(), [*weeks(150, 150, 150), *weeks(0, 0, 0), *weeks(2, 2, 2)]) == [EMPTY]


@pytest.mark.parametrize(
    ("reading", "found"),
    [
        ({"with_email": 95, "with_mobile": 60}, []),
        ({"with_email": 0, "with_mobile": 60}, [EMAILS]),
        ({"with_email": 95, "with_mobile": 0}, [MOBILES]),
        ({"with_email": 0, "with_mobile": 0}, [EMAILS, MOBILES]),
        ({"with_email": 95, "with_mobile": 30}, [MOBILES]),  # half
        ({"with_email": 95, "with_mobile": 31}, []),
        ({"with_email": 47, "with_mobile": 60}, [EMAILS]),
        ({"with_email": 48, "with_mobile": 60}, []),
        ({"with_email": 100, "with_mobile": 100}, []),
    ],
)
def test_half_the_usual_share(reading, found):
    assert kinds(Reading(loans=100, **reading), days(10)) == found


def test_few_loans_may_be_chance():
    for loans in (1, 3, 39):
        assert kinds(Reading(loans=loans), days(10)) == []
    assert kinds(Reading(loans=40), days(10)) == [EMAILS, MOBILES]


def test_a_share_that_is_always_small_may_be_missed_by_chance():
    assert kinds(Reading(loans=100, with_email=95), days(10, mobiles=5)) == []
    assert kinds(Reading(loans=1000, with_email=950), days(10, mobiles=5)) == [MOBILES]


def test_small_days_are_no_example():
    small = [*days(2), *[PastReading(due_date=THURSDAY - timedelta(days=9 + n), loans=5, with_email=5, with_mobile=5)
                         for n in range(10)]]  # fmt: skip
    assert kinds(Reading(loans=100), small) == []
    assert kinds(Reading(loans=100), [*small, *days(3)]) == [EMAILS, MOBILES]


def test_readings_from_before_they_were_counted_are_no_example():
    assert (
        kinds(Reading(loans=100), [PastReading(due_date=THURSDAY - timedelta(days=n), loans=100) for n in range(1, 9)])
        == []
    )
    assert kinds(Reading(), weeks(150, 150, 150)) == [EMPTY]  # but their loans were


def test_only_the_last_readings_are_usual():
    """A library that gave up telephones is asked for some days, and then it is so."""
    past = [*days(6, mobiles=0), *[PastReading(due_date=THURSDAY - timedelta(days=n), loans=100, with_email=95,
                                               with_mobile=60) for n in range(7, 40)]]  # fmt: skip
    assert kinds(Reading(loans=100, with_email=95), past) == []
    assert kinds(Reading(loans=100, with_email=95), past[3:]) == [MOBILES]


def test_the_library_says_when_it_is_asked():
    careful = ReadingGuard(empty_day_median=2, share_drop=0.9, share_floor=10)
    assert kinds(Reading(), weeks(3, 4, 3), careful) == [EMPTY]
    assert kinds(Reading(loans=100, with_email=85, with_mobile=60), days(5), careful) == [EMAILS]
    never = ReadingGuard(empty_day_median=10**9, share_floor=10**9)
    assert kinds(Reading(), weeks(150, 150, 150), never) == kinds(Reading(loans=100), days(9), never) == []
