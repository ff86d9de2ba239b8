"""Is what a run is about to send of the usual size? An accident in the ILS must not text every student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from loan_reminders.domain.runs.reading.doubts import ReadingGuard
from loan_reminders.domain.stages import Channel


class VolumeAnswer(StrEnum):
    """What the ledger knows of a run's volume: it was usual, or a person was asked, and what the person said.

    No answer in time is a refusal.
    """

    USUAL = "usual"
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


NOBODY = "sans réponse"
"""Who is said to refuse when no person answered in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGuard:
    """When a run must be approved by a person.

    More than `factor` times the median of the stage's last runs, and more than the channel's `floors`, is unusual;
    more than the channel's `caps` always asks, whatever the past. `reading` says when what was read of the ILS asks.
    """

    factor: float
    floors: Mapping[Channel, int]
    caps: Mapping[Channel, int]
    reading: ReadingGuard = field(default_factory=ReadingGuard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One channel whose volume asks for an approval. `usual` is the median of the last runs, None without any."""

    channel: Channel
    planned: int
    usual: float | None
    cap: int


def alarms(
    planned: Mapping[Channel, int], past: Sequence[Mapping[Channel, int]], guard: VolumeGuard
) -> tuple[Alarm, ...]:
    """The channels beyond their usual volume or their cap. `past` holds the deliveries of the stage's last runs."""
    found = []
    for channel, count in sorted(planned.items()):
        usual = median([run.get(channel, 0) for run in past]) if past else None
        unusual = usual is not None and count > guard.floors[channel] and count > guard.factor * usual
        if unusual or count > guard.caps[channel]:
            found.append(Alarm(channel=channel, planned=count, usual=usual, cap=guard.caps[channel]))
    return tuple(found)
