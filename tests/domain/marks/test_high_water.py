"""The file of the mark: read as it was written, and nothing read into one that is spoilt."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.errors import MarkUnreadable
from loan_reminders.domain.marks.high_water import (
    RUNS_KEPT,
    BrokenStep,
    Gap,
    LostRun,
    Mark,
    MarkedRun,
    RememberedRun,
    facts,
    gap_of,
    lost_runs,
    read,
    written,
)
from loan_reminders.domain.stages import Channel, Stage

AT = datetime(2026, 11, 28, 10, tzinfo=UTC)
RUN = MarkedRun(
    run_id=7, stage=Stage.OVERDUE_NOTICE, day=date(2026, 11, 28), started_at=AT, attempted={Channel.EMAIL: 96}
)
MARK = Mark(mark_id=uuid.UUID(int=1), at=AT, runs=(RUN,))


def test_what_is_written_is_read_again() -> None:
    assert read(written(MARK, library="bu"), library="bu") == MARK


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        written(MARK, library="another"),
        written(MARK, library="bu").replace(b'"format": 1', b'"format": 2'),
        written(MARK, library="bu").replace(b"email", b"pigeon"),
        written(MARK, library="bu").replace(str(MARK.mark_id).encode(), b"none"),
        written(MARK, library="bu")[:-40],
    ],
)
def test_a_spoilt_file_is_told_from_none(content: bytes) -> None:
    with pytest.raises(MarkUnreadable):
        read(content, library="bu")


def test_the_file_holds_days_and_counts_and_nothing_else() -> None:
    said = json.loads(written(MARK, library="bu"))
    assert set(said) == {"format", "library", "mark", "at", "runs"}
    assert [set(run) for run in said["runs"]] == [{"run", "stage", "day", "started", "attempted"}]


def test_the_file_keeps_the_newest_runs_each_once() -> None:
    mark = MARK
    for number in range(RUNS_KEPT + 5):
        for _ in range(2):
            mark = mark.followed_by(Mark(mark_id=uuid.uuid4(), at=AT), run=replace(RUN, run_id=number))
    assert [run.run_id for run in mark.runs] == list(range(5, RUNS_KEPT + 5))
    assert mark.followed_by(MARK, run=None) == replace(MARK, runs=mark.runs)


def test_what_is_lost_is_what_was_attempted_less_what_the_ledger_has() -> None:
    assert lost_runs([RUN], {7: RUN}) == ()
    [lost] = lost_runs([RUN], {7: replace(RUN, attempted={Channel.EMAIL: 90, Channel.SMS: 3})})
    assert lost.lost == {Channel.EMAIL: 6}
    [whole] = lost_runs([RUN], {})
    assert (whole.stage, whole.day, whole.lost) == (RUN.stage, RUN.day, {Channel.EMAIL: 96})


def test_another_run_of_the_same_number_is_not_the_one_that_was_lost() -> None:
    """A restored ledger gives its numbers again."""
    [lost] = lost_runs([RUN], {7: replace(RUN, started_at=AT + timedelta(days=1))})
    assert lost.lost == {Channel.EMAIL: 96}


def test_a_gap_is_kept_and_read_as_it_was() -> None:
    run = LostRun(stage=RUN.stage, day=RUN.day, lost={Channel.SMS: 2})
    known = RememberedRun(
        dag_run_id="r", run_id=7, stage=RUN.stage, day=RUN.day, started_at=AT, closed_at=AT, left={Channel.EMAIL: 3}
    )
    step = BrokenStep(stage=RUN.stage, day=RUN.day, channel=Channel.SMS)
    whole = Gap(mark_id=MARK.mark_id, marked_at=AT, unreadable=True, runs=(run,), remembered=(known,), broken=(step,))
    for gap in (Gap(), whole):
        assert gap_of(json.loads(json.dumps(facts(gap)))) == gap
    assert not Gap()
    for gap in (Gap(broken=(step,)), Gap(remembered=(known,)), Gap(mark_id=MARK.mark_id)):
        assert gap
        assert gap.proven
    assert Gap(unreadable=True)
    assert not Gap(unreadable=True).proven
