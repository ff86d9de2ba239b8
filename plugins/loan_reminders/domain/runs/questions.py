"""The two questions that a run asks a person before anything leaves, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.runs.reading.doubts import Doubt
from loan_reminders.domain.runs.volume import Alarm
from loan_reminders.domain.stages import Stage


class Question(StrEnum):
    """What is asked: may an unusual number of messages leave, may these registered letters be printed?"""

    VOLUME = "volume"
    LETTERS = "letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingRun:
    """The run that asks. `asked_at` is when, None when it does not ask now; `answered` is the answer given here since.

    `answered_by` is who gave it.
    """

    run_id: int
    dag_run_id: str
    stage: Stage
    reference_date: date
    due_date: date
    closed: bool
    asked_at: datetime | None = None
    answered: bool | None = None
    answered_by: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFacts:
    """All that there is to say of a run: the channels beyond the usual, a few of the deliveries, a reading in doubt.

    `rejected` counts the rows that could not be read.
    """

    alarms: Sequence[Alarm]
    runs_compared: int
    sample: Sequence[Delivery]
    doubts: Sequence[Doubt] = ()
    rejected: int = 0
