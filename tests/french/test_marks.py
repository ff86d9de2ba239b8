"""What is said of a ledger that may lack what left: each run once, and nothing better than it is known."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from loan_reminders.domain.marks.high_water import BrokenStep, Gap, LostRun, RememberedRun
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.marks import UNREADABLE, gap_words

DAY = date(2026, 11, 28)
NOTICE = "avis de retard du samedi 28 novembre 2026"


def remembered(**more):
    usual = {"dag_run_id": "r", "run_id": 7, "stage": Stage.OVERDUE_NOTICE, "day": DAY}
    usual |= {"started_at": datetime(2026, 11, 28, 9, tzinfo=UTC), "closed_at": datetime(2026, 11, 28, 10, tzinfo=UTC)}
    return RememberedRun(**(usual | more))


def said(**gap):
    return list(gap_words(Gap(**gap)))


def test_what_airflow_remembers_is_counted_by_its_books() -> None:
    left = {Channel.EMAIL: 96, Channel.SMS: 70}
    assert said(remembered=(remembered(left=left),)) == [
        f"{NOTICE} : 96 e-mails, 70 SMS selon Airflow ; le registre n'a pas cette tournée jusqu'à sa fin"
    ]
    assert said(remembered=(remembered(),)) == [
        f"{NOTICE} : Airflow n'en compte aucun envoi parti ; le registre n'a pas cette tournée jusqu'à sa fin"
    ]


def test_of_a_run_without_books_nobody_says_that_nothing_left() -> None:
    """It ran into its time limit, or was marked as failed: thousands of messages may have left by then."""
    assert said(remembered=(remembered(closed_at=None),)) == [
        f"{NOTICE} : Airflow ne sait pas ce qui en est parti ; le registre n'a pas cette tournée"
    ]


def test_a_mark_that_counts_nothing_hides_no_count_of_airflow() -> None:
    """The file may be of the beginning of a step: the store could not be written afterwards."""
    begun = LostRun(stage=Stage.OVERDUE_NOTICE, day=DAY)
    [line] = said(mark_id=uuid.uuid4(), runs=(begun,), remembered=(remembered(left={Channel.EMAIL: 96}),))
    assert line.startswith(f"{NOTICE} : 96 e-mails selon Airflow")
    [line] = said(mark_id=uuid.uuid4(), runs=(begun,))
    assert line == f"{NOTICE} : aucun envoi compté au dernier repère ; la tournée elle-même manque"


def test_a_run_that_the_file_tells_of_is_not_told_again() -> None:
    lost = LostRun(stage=Stage.OVERDUE_NOTICE, day=DAY, lost={Channel.EMAIL: 96})
    other = remembered(stage=Stage.FIRST_REMINDER)
    lines = said(mark_id=uuid.uuid4(), runs=(lost,), remembered=(remembered(), other))
    assert lines[0] == f"{NOTICE} : 96 e-mails"
    assert len(lines) == 2
    assert lines[1].startswith("1re lettre de relance")


def test_a_file_that_cannot_be_read_is_told_as_that() -> None:
    assert said(unreadable=True) == [UNREADABLE]
    step = BrokenStep(stage=Stage.OVERDUE_NOTICE, day=DAY, channel=Channel.SMS)
    assert said(unreadable=True, broken=(step,))[-1] == UNREADABLE


def test_a_mark_alone_is_the_end_of_a_step() -> None:
    assert "la fin de la dernière étape d'envoi" in said(mark_id=uuid.uuid4())[0]
    assert said() == []
