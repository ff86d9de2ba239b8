"""Before anything leaves: does the ledger know all that has left already? And afterwards: mark what left now.

A ledger restored from yesterday's backup would send yesterday's messages again. It is found out by three witnesses:
the file of the newest mark, beside the letters; Airflow, which remembers its last runs; and the ledger's own marks,
which say on which server a step was sending. On disagreement nothing leaves, and a person is asked.

    the file names a mark that the ledger has not      the ledger is older than what left: hold
    the file cannot be understood                      nobody knows what it told: hold
    there is no file                                   the first day, or the storage is new: say so, and make one
    the file is older than the ledger's last mark      the storage was restored, or could not be written: go on
    a run that Airflow saw end is not in the ledger,   hold, also where there is no file
    or is not closed there though it has its books
    a step began on another server and never ended     a standby took over in the middle: its last seconds may be lost

What one look found, every later look asks again, whoever looks: a witness that is not there any more, or that is
replaced by an older one, takes nothing back. The question ends when a person accepts, or when the ledger has what it
lacked: a better backup was restored.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from loan_reminders.domain.errors import LedgerUnavailable, LetterStoreUnavailable, MarkUnreadable, SendingHeld
from loan_reminders.domain.marks.high_water import Gap, Mark, RememberedRun, lost_runs
from loan_reminders.domain.ports.marks import MarkFile, Marks
from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.stages import Channel
from loan_reminders.french.marks import FIRST_MARK, HELD, MARK_NOT_MADE, gap_words
from loan_reminders.french.refusals import sentence

log = logging.getLogger(__name__)


def check_complete(marks: Marks, file: MarkFile, *, last_runs: Sequence[RememberedRun] = ()) -> Mark | None:
    """Make sure that the ledger lacks nothing of what left; returns what the file says.

    `last_runs` are those that Airflow remembers; who looks without a run of Airflow's asks again for those of the open
    question. Raises SendingHeld, after keeping the question for a person, or LetterStoreUnavailable when the store does
    not answer: then nobody knows, and nothing leaves before it does.
    """
    mark, unreadable = _said(file)
    asked = marks.open_gap()
    before = Gap() if asked is None else asked.gap
    gap = replace(
        _lost_by_mark(marks, mark, before),
        unreadable=unreadable or (mark is None and before.unreadable),
        remembered=_lost_by_airflow(marks, (*before.remembered, *last_runs)),
        broken=tuple(marks.broken_steps()),
    )
    if gap:
        marks.find(gap)
        for line in gap_words(gap):
            log.warning("%s", line)
        raise SendingHeld(HELD)
    if asked is not None:
        marks.settle()
    return mark


def _said(file: MarkFile) -> tuple[Mark | None, bool]:
    """What the file says, and whether it is there and cannot be understood."""
    try:
        return file.read(), False
    except MarkUnreadable:
        return None, True


def _lost_by_mark(marks: Marks, mark: Mark | None, before: Gap) -> Gap:
    """What the file tells that the ledger lacks.

    Where the file is gone, or an older one lies in its place, what it told `before` still counts.
    """
    if mark is not None and not marks.knows(mark.mark_id):
        known = marks.runs([run.run_id for run in mark.runs])
        return Gap(mark_id=mark.mark_id, marked_at=mark.at, runs=lost_runs(mark.runs, known))
    if before.mark_id is None or before.marked_at is None or marks.knows(before.mark_id):
        return Gap()
    gone = mark is None or mark.at < before.marked_at
    return Gap(mark_id=before.mark_id, marked_at=before.marked_at, runs=before.runs) if gone else Gap()


def _lost_by_airflow(marks: Marks, runs: Sequence[RememberedRun]) -> tuple[RememberedRun, ...]:
    """Those of these runs, each once, that the ledger has not, or has only in part.

    A run that was cleared in Airflow and ended again has another number: it does not stand for what was lost.
    """
    each = {(run.stage, run.dag_run_id, run.run_id, run.closed_at): run for run in runs}
    return tuple(run for run in each.values() if marks.lacks(run))


def accept(marks: Marks, file: MarkFile, *, who: str) -> bool:
    """A person lets messages leave, whatever the ledger lacks: the file's mark counts as known from now on.

    A file that cannot be understood is written anew. False when nobody is asked. Raises LetterStoreUnavailable.
    """
    mark, unreadable = _said(file)
    if not marks.accept(who=who, mark_id=None if mark is None else mark.mark_id):
        return False
    if unreadable:
        file.write(marks.make(run_id=None, channel=None))
    return True


@contextmanager
def marked_step(
    ledger: Ledger,
    marks: Marks,
    file: MarkFile,
    *,
    run_id: int,
    channel: Channel,
    last_runs: Sequence[RememberedRun] = (),
) -> Iterator[bool]:
    """A step that sends: the ledger is found complete before, and marks are made at its beginning and its end.

    Nothing is asked or marked in a dry run. False: a person said that nothing is to leave, and nothing waits any more:
    there is no work to do. Raises like `check_complete` on entering.
    """
    if ledger.run(run_id).dry_run:
        yield True
        return
    work = True
    try:
        if check_complete(marks, file, last_runs=last_runs) is None:
            log.warning("%s", FIRST_MARK)
    except SendingHeld:
        if not _refused_and_empty(ledger, marks, run_id, channel):
            raise
        work = False
    if not work:
        yield False
        return
    begun = make_mark(marks, file, run_id=run_id, channel=channel)
    try:
        yield True
    finally:
        make_mark(marks, file, run_id=run_id, channel=channel, ends=begun)


def _refused_and_empty(ledger: Ledger, marks: Marks, run_id: int, channel: Channel) -> bool:
    gap = marks.open_gap()
    return gap is not None and gap.refused and not ledger.planned_count(run_id, channel)


def make_mark(
    marks: Marks,
    file: MarkFile,
    *,
    run_id: int | None = None,
    channel: Channel | None = None,
    ends: uuid.UUID | None = None,
) -> uuid.UUID | None:
    """Make a mark in the ledger and, once it is committed, in the file; returns its number.

    What goes wrong is logged and stops nothing: a file that stays behind is no fault of the ledger's. While a person is
    asked, or would be, the file is left as it is: it is the witness.
    """
    made: Mark | None = None
    try:
        before, unreadable = _said(file)
        witness = unreadable or marks.open_gap() is not None or (before is not None and not marks.knows(before.mark_id))
        made = marks.make(run_id=run_id, channel=channel, ends=ends)
        if not witness:
            run = None if run_id is None else marks.runs([run_id]).get(run_id)
            file.write((before or made).followed_by(made, run=run))
    except (LedgerUnavailable, LetterStoreUnavailable) as error:
        log.warning(MARK_NOT_MADE, sentence(error))
    return None if made is None else made.mark_id
