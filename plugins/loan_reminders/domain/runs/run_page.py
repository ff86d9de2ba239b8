"""One run as its page shows it: its books, what became of its messages, whom it did not reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from loan_reminders.domain.desk import NotReached, StuckDelivery
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch:
    """A batch of letters of the run."""

    batch_id: int
    state: BatchState
    channel: Channel
    letters: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGiven:
    """What a person answered to a question of the run; `reading`: it was about what was read of the ILS."""

    question: Question
    agreed: bool
    who: str
    at: datetime
    reading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNames:
    """Which readers a run's lists name: not reached for a reason, lost by a channel, or all; each from a line on."""

    reason: SkipReason | None = None
    not_reached_from: int = 0
    channel: Channel | None = None
    lost_from: int = 0


ALL_NAMES = RunNames()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A run. `balanced` is None until its books are written. What is counted is counted now, not when it was closed.

    `loans` is None until the ILS was read to the end. The names of `not_reached` and `lost` are nobody's when they were
    not asked for. `told` and `unreached` count readers, `redirected` messages that went to a test address. `reading` is
    what the ILS gave, None for an old run.
    """

    run_id: int
    stage: Stage
    dag_run_id: str
    reference_date: date
    due_date: date
    dry_run: bool
    started_at: datetime
    closed_at: datetime | None
    balanced: bool | None
    problems: Sequence[str]
    loans: int | None
    notices: int
    told: int
    unreached: int
    deliveries: Mapping[Channel, Mapping[DeliveryState, int]]
    redirected: int
    skipped: Mapping[SkipReason, int]
    reading: Reading | None = None
    batches: Sequence[RunBatch] = ()
    answers: Sequence[AnswerGiven] = ()
    not_reached: Sequence[NotReached] = field(default=())
    lost: Sequence[StuckDelivery] = field(default=())
