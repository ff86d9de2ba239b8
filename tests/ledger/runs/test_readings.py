"""What runs read of the ILS, kept with the run and asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.books import Imbalance
from loan_reminders.domain.runs.reading.doubts import PastReading
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.runs.volume import NOBODY, VolumeAnswer
from loan_reminders.domain.stages import Stage
from tests.scenes.builders import DUE_DATE, a_loan
from tests.scenes.ledger_runs import opened, rows
from tests.scenes.readings import READING, read

SINCE = DUE_DATE - timedelta(days=180)


def test_a_reading_comes_back_as_it_was_counted(ledger):
    run = read(ledger)
    assert ledger.readings().of(run.run_id) == READING


def test_a_run_that_was_not_read_to_the_end_has_none(ledger):
    run = opened(ledger)
    assert ledger.readings().of(run.run_id) is None
    assert ledger.readings().of(run.run_id + 1) is None
    ledger.finish_extraction(run.run_id, 3)
    assert ledger.readings().of(run.run_id) is None


def test_the_end_of_a_reading_said_twice_counts_once(ledger):
    run = read(ledger)
    ledger.finish_extraction(run.run_id, 7, Reading(loans=7))
    assert ledger.readings().of(run.run_id) == READING


def test_a_run_begun_afresh_has_no_reading_until_it_is_read_again(ledger):
    run = read(ledger)
    rows(ledger, "UPDATE runs SET loans_extracted = NULL")  # as if it had died at its last row
    again = opened(ledger, dag_run_id="run 0")
    assert (again.run_id, ledger.readings().of(again.run_id)) == (run.run_id, None)
    ledger.finish_extraction(again.run_id, 5, Reading(loans=5))
    assert ledger.readings().of(again.run_id) == Reading(loans=5)


def test_another_library_sees_nothing_of_it(ledger, ledger_url):
    from loan_reminders.ledger.connect import connect

    read(ledger, weeks=1)
    run = read(ledger)
    with connect(ledger_url, library="other") as other:
        assert other.readings().of(run.run_id) is None
        assert other.readings().before(run.run_id, since=SINCE) == ()
        assert not other.readings().doubted(run.run_id)


def test_what_came_before_is_of_the_stage_and_of_earlier_days(ledger):
    read(ledger, weeks=2)
    read(ledger, weeks=1, reading=Reading(loans=50, with_email=40, with_mobile=10), loans=52)  # two were taken up again
    read(ledger, weeks=1, dag_run_id="other", stage=Stage.FIRST_REMINDER)
    read(ledger, weeks=3, dag_run_id="dry", dry_run=True)
    read(ledger, weeks=40)  # too long ago
    opened(ledger, dag_run_id="not read", reference_date=DUE_DATE, due_date=DUE_DATE - timedelta(days=1))
    run = read(ledger)
    later = read(ledger, weeks=-1)
    before = set(ledger.readings().before(run.run_id, since=SINCE))
    assert before == {
        PastReading(due_date=DUE_DATE - timedelta(weeks=2), loans=100, with_email=95, with_mobile=60),
        PastReading(due_date=DUE_DATE - timedelta(weeks=1), loans=50, with_email=40, with_mobile=10),
    }
    assert len(ledger.readings().before(later.run_id, since=SINCE)) == 3


def test_runs_from_before_readings_were_kept_tell_their_loans(ledger):
    old = opened(ledger, dag_run_id="old", reference_date=DUE_DATE, due_date=DUE_DATE - timedelta(days=1))
    ledger.finish_extraction(old.run_id, 140)
    run = read(ledger)
    assert ledger.readings().before(run.run_id, since=SINCE) == (
        PastReading(due_date=DUE_DATE - timedelta(days=1), loans=140),
    )


@pytest.mark.parametrize(
    ("answers", "reading", "counts"),
    [
        ((VolumeAnswer.USUAL,), False, True),
        ((VolumeAnswer.ASKED,), True, False),
        ((VolumeAnswer.ASKED, VolumeAnswer.REFUSED), True, False),
        ((VolumeAnswer.ASKED, VolumeAnswer.APPROVED), True, True),
        ((VolumeAnswer.ASKED, VolumeAnswer.REFUSED), False, True),  # too many messages, of a sound reading
    ],
)
def test_a_reading_that_a_person_refused_is_no_example(ledger, answers, reading, counts):
    doubtful = read(ledger, weeks=1)
    for answer in answers:
        ledger.record_volume_answer(doubtful.run_id, answer, who="zoé", reading=reading)
    run = read(ledger)
    found = ledger.readings().before(run.run_id, since=SINCE)
    assert bool(found) is counts
    assert [one.accepted for one in found] == ([answers[-1] is VolumeAnswer.APPROVED] if counts else [])


def test_a_reading_that_nobody_answered_for_says_so(ledger):
    doubtful = read(ledger, weeks=1)
    ledger.record_volume_answer(doubtful.run_id, VolumeAnswer.ASKED, reading=True)
    ledger.record_volume_answer(doubtful.run_id, VolumeAnswer.REFUSED, who=NOBODY, reading=True)
    run = read(ledger)
    assert [(one.accepted, one.unanswered) for one in ledger.readings().before(run.run_id, since=SINCE)] == [
        (False, True)
    ]


def test_whether_the_question_was_about_the_reading(ledger):
    run = read(ledger)
    assert not ledger.readings().doubted(run.run_id)
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED, reading=True)
    assert ledger.readings().doubted(run.run_id)
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    assert not ledger.readings().doubted(run.run_id)


def test_the_books_of_a_run_whose_reading_was_refused_are_not_right(ledger):
    run = read(ledger, Reading())
    with ledger.planning(run.run_id):
        pass
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED, reading=True)
    assert ledger.close_run(run.run_id).problems() == ()
    ledger.record_volume_answer(run.run_id, VolumeAnswer.REFUSED, reading=True)
    assert [one.what for one in ledger.close_run(run.run_id).problems()] == [Imbalance.READING]
    assert rows(ledger, "SELECT balanced, books -> 'problems' ->> 0 FROM runs")[0][0] is False
    ledger.record_volume_answer(run.run_id, VolumeAnswer.APPROVED, reading=True)
    assert ledger.close_run(run.run_id).problems() == ()


def test_a_refused_volume_balances(ledger):
    run = read(ledger, Reading())
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    ledger.record_volume_answer(run.run_id, VolumeAnswer.REFUSED)
    assert ledger.close_run(run.run_id).problems() == ()


def test_remarks_on_rows_are_not_kept_with_the_loans(ledger):
    from dataclasses import replace

    from loan_reminders.domain.loans import RowRemarks

    run = opened(ledger)
    marked = replace(a_loan(), remarks=RowRemarks(unknown=((CodeKind.STATUS, "99"),), repaired=1))
    ledger.record_loans(run.run_id, [marked])
    [[record]] = rows(ledger, "SELECT record FROM loans_seen")
    assert "remarks" not in record
