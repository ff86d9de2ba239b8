"""A day of a stage without a green run, as the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from loan_reminders.domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedDay:
    """No run of this stage and day is green. The rest is about the newest run that was to send; without any, empty.

    `closed`: its books were written, and do not balance. `asking`: it holds letters that wait for a librarian's word,
    or got it in the last two hours. `read`: the ILS gave all its loans.
    """

    stage: Stage
    day: date
    dag_run_id: str = ""
    started_at: datetime | None = None
    closed: bool = False
    asking: bool = False
    run_id: int | None = None
    read: bool = False
