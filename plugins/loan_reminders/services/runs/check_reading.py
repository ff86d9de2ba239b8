"""Is what a run read of the ILS as usual? Asked before anything leaves, and shown with the run."""

from __future__ import annotations

from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.runs.planning import out_of_time
from loan_reminders.domain.runs.reading.doubts import LOOKED_BACK, Doubt, ReadingGuard, doubts
from loan_reminders.domain.stages import Policy


def reading_doubts(
    ledger: Ledger, *, run_id: int, guard: ReadingGuard, policy: Policy | None = None
) -> tuple[Doubt, ...]:
    """What is not as usual in what a run read; nothing where its reading was not counted.

    It is compared with the stage's readings of earlier due dates, also when an old day is caught up. With `policy`, a
    run so late that nothing of it may leave any more asks nothing: most of its loans came back long ago.
    """
    readings = ledger.readings()
    reading = readings.of(run_id)
    if reading is None:
        return ()
    run = ledger.run(run_id)
    if policy and out_of_time(run.due_date, stage=run.stage, policy=policy, today=run.today) is not None:
        return ()
    past = readings.before(run_id, since=run.reference_date - LOOKED_BACK)
    return doubts(reading, run.due_date, past, guard)
