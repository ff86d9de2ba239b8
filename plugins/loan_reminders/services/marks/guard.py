"""Before anything leaves: does the ledger know all that has left already? And afterwards: mark what left now.

A ledger restored from yesterday's backup would send yesterday's messages again. It is found out by three witnesses:
the file of the newest mark, beside the letters; Airflow, which knows its last green run; and the ledger's own marks,
which say on which server a step was sending. On disagreement nothing leaves, and a person is asked.

    the file names a mark that the ledger has not      the ledger is older than what left: hold
    there is no file                                   the first day, or the storage is new: say so, and make one
    the file is older than the ledger's last mark      the storage was restored, or could not be written: go on
    Airflow's last green run is not in the ledger      hold, also where there is no file
    a step began on another server and never ended     a standby took over in the middle: its last seconds may be lost
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from loan_reminders.domain.errors import LedgerUnavailable, LetterStoreUnavailable, SendingHeld
from loan_reminders.domain.marks.high_water import Gap, KnownBy, LostRun, Mark, lost_runs
from loan_reminders.domain.ports.marks import AirflowRun, MarkFile, Marks
from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.stages import Channel
from loan_reminders.french.marks import FIRST_MARK, HELD, MARK_NOT_MADE, gap_words
from loan_reminders.french.refusals import sentence

log = logging.getLogger(__name__)


def find_gap(marks: Marks, mark: Mark | None, *, last_run: AirflowRun | None = None) -> Gap:
    """What the ledger lacks, by all three witnesses; a gap that is false when it lacks nothing.

    `mark` is what the file says, `last_run` the last green run of the stage that Airflow knows.
    """
    unknown = mark is not None and not marks.knows(mark.mark_id)
    lost: tuple[LostRun, ...] = ()
    if mark is not None and unknown:
        lost = lost_runs(mark.runs, marks.runs([run.run_id for run in mark.runs]))
    if last_run is not None and marks.lacks(last_run) and not _told(lost, last_run):
        told = LostRun(stage=last_run.stage, day=last_run.day, known_by=KnownBy.AIRFLOW, deliveries=last_run.deliveries)
        lost = (*lost, told)
    return Gap(
        mark_id=mark.mark_id if mark is not None and unknown else None,
        marked_at=mark.at if mark is not None and unknown else None,
        runs=lost,
        broken=tuple(marks.broken_steps()),
    )


def _told(lost: tuple[LostRun, ...], run: AirflowRun) -> bool:
    return any((one.stage, one.day) == (run.stage, run.day) for one in lost)


def check_complete(marks: Marks, file: MarkFile, *, last_run: AirflowRun | None = None) -> Mark | None:
    """Make sure that the ledger lacks nothing of what left; returns what the file says.

    Raises SendingHeld, after keeping the question for a person, or LetterStoreUnavailable when the file cannot be
    read: then nobody knows, and nothing leaves before it can.
    """
    mark = file.read()
    gap = find_gap(marks, mark, last_run=last_run)
    if gap:
        before = marks.open_gap()
        # Airflow is asked about one stage at a time: what another stage's task found stays told.
        marks.find(gap if before is None else _together(before.gap, gap))
        for line in gap_words(gap):
            log.warning("%s", line)
        raise SendingHeld(HELD)
    marks.settle()
    return mark


def _together(before: Gap, now: Gap) -> Gap:
    known = {(run.stage, run.day) for run in now.runs}
    others = tuple(run for run in before.runs if (run.stage, run.day) not in known)
    return Gap(
        mark_id=now.mark_id or before.mark_id,
        marked_at=now.marked_at or before.marked_at,
        runs=(*others, *now.runs),
        broken=now.broken or before.broken,
    )


@contextmanager
def marked_step(
    ledger: Ledger,
    marks: Marks,
    file: MarkFile,
    *,
    run_id: int,
    channel: Channel,
    last_run: AirflowRun | None = None,
) -> Iterator[None]:
    """A step that sends: the ledger is found complete before, and marks are made at its beginning and its end.

    Nothing is asked or marked in a dry run, nor once a person refused and nothing waits any more. Raises like
    `check_complete` on entering.
    """
    run = ledger.run(run_id)
    if run.dry_run or _refused_and_empty(ledger, marks, run_id):
        yield
        return
    mark = check_complete(marks, file, last_run=last_run)
    if mark is None:
        log.warning("%s", FIRST_MARK)
    begun = make_mark(marks, file, run_id=run_id, channel=channel)
    try:
        yield
    finally:
        make_mark(marks, file, run_id=run_id, channel=channel, ends=begun)


def _refused_and_empty(ledger: Ledger, marks: Marks, run_id: int) -> bool:
    gap = marks.open_gap()
    return gap is not None and gap.refused and not ledger.planned_volume(run_id)


def make_mark(
    marks: Marks,
    file: MarkFile,
    *,
    run_id: int | None = None,
    channel: Channel | None = None,
    ends: uuid.UUID | None = None,
) -> uuid.UUID | None:
    """Make a mark in the ledger and, once it is committed, in the file; returns its number.

    What goes wrong is logged and stops nothing: a file that stays behind is no fault of the ledger's. A file that names
    a mark unknown to the ledger is left as it is: it is the witness.
    """
    made: Mark | None = None
    try:
        before = file.read()
        if before is not None and not marks.knows(before.mark_id):
            return None
        made = marks.make(run_id=run_id, channel=channel, ends=ends)
        run = None if run_id is None else marks.runs([run_id]).get(run_id)
        file.write((before or made).followed_by(made, run=run))
    except (LedgerUnavailable, LetterStoreUnavailable) as error:
        log.warning(MARK_NOT_MADE, sentence(error))
    return None if made is None else made.mark_id
