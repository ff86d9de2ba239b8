"""The high-water mark: what left, as it is written down outside of the ledger, and what a ledger lacks of it.

Each step that sends makes a mark: a row of the ledger, committed, and then its number in a small file beside the
letters. A ledger that was restored from a backup has not the row that the file names, whatever the clocks say and
whatever numbers its runs have by now. The file is never ahead of a sound ledger, since it is written after the commit.
The file holds counts and days: nothing of any reader.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

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


class KnownBy(StrEnum):
    """Who knows of a run that the ledger lacks."""

    MARK = "mark"
    AIRFLOW = "airflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRun:
    """A run of which the ledger lacks something: how many attempted deliveries, by channel as far as is known."""

    stage: Stage
    day: date
    known_by: KnownBy
    lost: Counts = field(default_factory=dict)
    deliveries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenStep:
    """A step that was sending when the ledger moved to another server: its last messages may be missing."""

    stage: Stage
    day: date
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What is known of what the ledger lacks; without any of it, there is no gap.

    `mark_id` and `marked_at` are those of the file when the ledger has not its row.
    """

    mark_id: uuid.UUID | None = None
    marked_at: datetime | None = None
    runs: tuple[LostRun, ...] = ()
    broken: tuple[BrokenStep, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mark_id or self.runs or self.broken)


def lost_runs(marked: Sequence[MarkedRun], known: Mapping[int, MarkedRun]) -> tuple[LostRun, ...]:
    """What the file tells of runs, less what the ledger has of the same runs (`known`, by number), oldest first."""
    found = []
    for run in marked:
        ours = known.get(run.run_id)
        has = ours.attempted if ours is not None and ours.is_same(run) else {}
        lost = {channel: number - has.get(channel, 0) for channel, number in run.attempted.items()}
        lost = {channel: number for channel, number in lost.items() if number > 0}
        if lost or ours is None or not ours.is_same(run):
            found.append(LostRun(stage=run.stage, day=run.day, known_by=KnownBy.MARK, lost=lost))
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


def read(content: bytes, *, library: str) -> Mark | None:
    """The mark of a file, None when it is not one of this library that this program can read."""
    try:
        said = json.loads(content)
        if (said["format"], said["library"]) != (FORMAT, library):
            return None
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
        return None


def facts(gap: Gap) -> dict[str, Any]:
    """A gap as the ledger keeps it, in JSON: stages, days and counts."""
    return {
        "mark": None if gap.mark_id is None else str(gap.mark_id),
        "marked_at": None if gap.marked_at is None else gap.marked_at.isoformat(),
        "runs": [
            {
                "stage": run.stage.value,
                "day": run.day.isoformat(),
                "known_by": run.known_by.value,
                "lost": _counts(run.lost),
                "deliveries": run.deliveries,
            }
            for run in gap.runs
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
        runs=tuple(
            LostRun(
                stage=Stage(run["stage"]),
                day=date.fromisoformat(run["day"]),
                known_by=KnownBy(run["known_by"]),
                lost=_channels(run["lost"]),
                deliveries=run["deliveries"],
            )
            for run in said["runs"]
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
