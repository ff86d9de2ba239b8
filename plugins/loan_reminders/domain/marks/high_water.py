"""The high-water mark: what left, as it is written down outside of the ledger, and what a ledger lacks of it.

Each step that sends makes a mark: a row of the ledger, committed, and then its number in a small file beside the
letters. A ledger that was restored from a backup has not the row that the file names, whatever the clocks say and
whatever numbers its runs have by now. The file is never ahead of a sound ledger, since it is written after the commit.
The file holds counts and days: nothing of any reader.

Airflow is another witness: what it remembers of its runs that ended is compared with the same runs in the ledger.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from loan_reminders.domain.errors import MarkUnreadable
from loan_reminders.domain.stages import Channel, Stage

FORMAT = 1
"""The shape of the file; one of another shape cannot be read."""

RUNS_KEPT = 40
"""Runs that the file tells of, the newest: about a week."""

Counts = Mapping[Channel, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedRun:
    """A run and how many of its deliveries were attempted by each channel when the mark was made."""

    run_id: int
    stage: Stage
    day: date
    started_at: datetime
    attempted: Counts = field(default_factory=dict)

    def is_same(self, other: MarkedRun) -> bool:
        """Whether it is the same run: a restored ledger gives its number to another one."""
        return (self.run_id, self.stage, self.day, self.started_at) == (
            other.run_id,
            other.stage,
            other.day,
            other.started_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the file says: the newest mark, when it was made, and the last runs."""

    mark_id: uuid.UUID
    at: datetime
    runs: tuple[MarkedRun, ...] = ()

    def followed_by(self, made: Mark, *, run: MarkedRun | None) -> Mark:
        """What the file says after a mark that was `made` just now, by a step of `run`."""
        others = [one for one in self.runs if run is None or one.run_id != run.run_id]
        return replace(made, runs=(*others, *([] if run is None else [run]))[-RUNS_KEPT:])


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRun:
    """A run of the file's of which the ledger lacks something: how many attempted deliveries, by channel."""

    stage: Stage
    day: date
    lost: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedRun:
    """A run of a stage that ended, as Airflow remembers it: the ledger must have it as well.

    `run_id` is the number that the ledger gave it. `closed_at` is when the ledger counted the books that Airflow has:
    it must have counted them then, or later; `left` is what left by these books. None: Airflow has no books of the run
    as it ended, and nobody knows what left.
    """

    dag_run_id: str
    run_id: int
    stage: Stage
    day: date
    started_at: datetime
    closed_at: datetime | None = None
    left: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenStep:
    """A step that was sending when the ledger moved to another server: its last messages may be missing."""

    stage: Stage
    day: date
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What is known of what the ledger lacks; without any of it, there is no gap.

    `mark_id` and `marked_at` are those of the file when the ledger has not its row, `runs` what that file tells.
    `unreadable`: there is a file, and nobody can say what it tells. `remembered` are the runs that Airflow knows and
    the ledger has not, or has only in part.
    """

    mark_id: uuid.UUID | None = None
    marked_at: datetime | None = None
    unreadable: bool = False
    runs: tuple[LostRun, ...] = ()
    remembered: tuple[RememberedRun, ...] = ()
    broken: tuple[BrokenStep, ...] = ()

    def __bool__(self) -> bool:
        return self.unreadable or self.proven

    @property
    def proven(self) -> bool:
        """Whether something is known to be missing, or cut off; a file that cannot be read proves nothing."""
        return bool(self.mark_id or self.runs or self.remembered or self.broken)


def lost_runs(marked: Sequence[MarkedRun], known: Mapping[int, MarkedRun]) -> tuple[LostRun, ...]:
    """What the file tells of runs, less what the ledger has of the same runs (`known`, by number), oldest first."""
    found = []
    for run in marked:
        ours = known.get(run.run_id)
        has = ours.attempted if ours is not None and ours.is_same(run) else {}
        lost = {channel: number - has.get(channel, 0) for channel, number in run.attempted.items()}
        lost = {channel: number for channel, number in lost.items() if number > 0}
        if lost or ours is None or not ours.is_same(run):
            found.append(LostRun(stage=run.stage, day=run.day, lost=lost))
    return tuple(found)


def written(mark: Mark, *, library: str) -> bytes:
    """The file of a mark."""
    return json.dumps(
        {
            "format": FORMAT,
            "library": library,
            "mark": str(mark.mark_id),
            "at": mark.at.isoformat(),
            "runs": [
                {
                    "run": run.run_id,
                    "stage": run.stage.value,
                    "day": run.day.isoformat(),
                    "started": run.started_at.isoformat(),
                    "attempted": _counts(run.attempted),
                }
                for run in mark.runs
            ],
        },
        indent=1,
    ).encode()


def read(content: bytes, *, library: str) -> Mark:
    """The mark of a file. Raises MarkUnreadable when it is not one of this library that this program can read."""
    try:
        said = json.loads(content)
        if (said["format"], said["library"]) != (FORMAT, library):
            raise MarkUnreadable
        return Mark(
            mark_id=uuid.UUID(said["mark"]),
            at=datetime.fromisoformat(said["at"]),
            runs=tuple(
                MarkedRun(
                    run_id=int(run["run"]),
                    stage=Stage(run["stage"]),
                    day=date.fromisoformat(run["day"]),
                    started_at=datetime.fromisoformat(run["started"]),
                    attempted=_channels(run["attempted"]),
                )
                for run in said["runs"]
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MarkUnreadable from None


def facts(gap: Gap) -> dict[str, Any]:
    """A gap as the ledger keeps it, in JSON: stages, days and counts."""
    return {
        "mark": None if gap.mark_id is None else str(gap.mark_id),
        "marked_at": None if gap.marked_at is None else gap.marked_at.isoformat(),
        "unreadable": gap.unreadable,
        "runs": [{"stage": run.stage.value, "day": run.day.isoformat(), "lost": _counts(run.lost)} for run in gap.runs],
        "remembered": [
            {
                "dag_run": run.dag_run_id,
                "run": run.run_id,
                "stage": run.stage.value,
                "day": run.day.isoformat(),
                "started": run.started_at.isoformat(),
                "closed_at": None if run.closed_at is None else run.closed_at.isoformat(),
                "left": _counts(run.left),
            }
            for run in gap.remembered
        ],
        "broken": [
            {"stage": one.stage.value, "day": one.day.isoformat(), "channel": one.channel.value} for one in gap.broken
        ],
    }


def gap_of(said: Mapping[str, Any]) -> Gap:
    """A gap as the ledger kept it."""
    return Gap(
        mark_id=uuid.UUID(said["mark"]) if said["mark"] else None,
        marked_at=datetime.fromisoformat(said["marked_at"]) if said["marked_at"] else None,
        unreadable=said["unreadable"],
        runs=tuple(
            LostRun(stage=Stage(run["stage"]), day=date.fromisoformat(run["day"]), lost=_channels(run["lost"]))
            for run in said["runs"]
        ),
        remembered=tuple(
            RememberedRun(
                dag_run_id=run["dag_run"],
                run_id=run["run"],
                stage=Stage(run["stage"]),
                day=date.fromisoformat(run["day"]),
                started_at=datetime.fromisoformat(run["started"]),
                closed_at=datetime.fromisoformat(run["closed_at"]) if run.get("closed_at") else None,
                left=_channels(run["left"]),
            )
            for run in said["remembered"]
        ),
        broken=tuple(
            BrokenStep(stage=Stage(one["stage"]), day=date.fromisoformat(one["day"]), channel=Channel(one["channel"]))
            for one in said["broken"]
        ),
    )


def _counts(counts: Counts) -> dict[str, int]:
    return {channel.value: number for channel, number in counts.items()}


def _channels(said: Mapping[str, int]) -> dict[Channel, int]:
    return {Channel(channel): int(number) for channel, number in said.items()}
