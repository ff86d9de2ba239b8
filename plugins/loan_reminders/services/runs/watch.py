"""Which days of which stage were missed, and which runs stand still: sentences that say what to do about each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from loan_reminders.domain.errors import DaysMissed
from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Stage
from loan_reminders.french.words import STAGES

log = logging.getLogger(__name__)

WITHIN = timedelta(days=30)
"""How far back days are looked at; later stages have taken over what is older."""

GRACE = timedelta(hours=2)
"""How long after its hour today's run may still begin: the tries of a morning when the ILS is down take an hour."""

STANDS_STILL_AFTER = timedelta(days=6)
"""No sound run lasts so long, but one whose letters wait for a librarian."""


class Orchestrator(Protocol):
    """What Airflow knows of the stages' runs."""

    def under_way(self, stage: Stage, dag_run_id: str) -> bool:
        """Whether this run is queued or running; False when it ended or was deleted."""
        ...

    def active_runs(self, stage: Stage) -> int:
        """How many runs of the stage are queued or running, those included that never began."""
        ...

    def paused(self, stage: Stage) -> bool:
        """Whether the stage's DAG is paused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """One stage's days without a green run, sorted by what to do about them."""

    stage: Stage
    never_begun: tuple[date, ...]
    not_balanced: tuple[date, ...]
    never_closed: tuple[date, ...]
    standing_still: tuple[date, ...]

    @classmethod
    def of(
        cls,
        stage: Stage,
        days: Sequence[WatchedDay],
        *,
        starts_at: time,
        holds_back: bool,
        now: datetime,
        airflow: Orchestrator,
    ) -> _Stage:
        begun = {day.day: day for day in days if day.started_at is not None}
        alive = {on: day for on, day in begun.items() if airflow.under_way(stage, day.dag_run_id)}
        # Where one day is done at a time, a run that is not done holds back those of the days that follow.
        held_since = min(alive, default=date.max) if holds_back else date.max
        today_is_late = now - GRACE >= datetime.combine(now.date(), starts_at, now.tzinfo)
        return cls(
            stage=stage,
            never_begun=tuple(
                day.day
                for day in days
                if day.day not in begun and day.day < held_since and (day.day < now.date() or today_is_late)
            ),
            not_balanced=tuple(on for on, day in begun.items() if on not in alive and day.closed),
            never_closed=tuple(on for on, day in begun.items() if on not in alive and not day.closed),
            standing_still=tuple(
                on
                for on, day in alive.items()
                if not day.asking and day.started_at is not None and now - day.started_at > STANDS_STILL_AFTER
            ),
        )

    @property
    def number(self) -> int:
        """How many days something is wrong with."""
        return len(self.never_begun) + len(self.not_balanced) + len(self.never_closed) + len(self.standing_still)

    def sentences(self, airflow: Orchestrator) -> list[str]:
        """What is wrong and what to do about it, a sentence or two each."""
        found = []
        if self.never_begun:
            found.append(
                f"aucune tournée pour le {_days(self.never_begun)}. Pour rattraper : « Déclencher », avec ce jour de"
                f" référence.{self._why_not(airflow)}"
            )
        if self.not_balanced:
            found.append(
                f"comptes qui ne sont pas justes pour le {_days(self.not_balanced)}. Lire le journal de « Clore et"
                " vérifier », réparer, « Effacer » les tâches rouges ; ou « Déclencher » avec ce jour de référence."
            )
        if self.never_closed:
            found.append(
                f"tournée commencée et jamais close pour le {_days(self.never_closed)}. Arrêtée exprès : ne pas la"
                " relancer avant que la cause soit réparée. Sinon « Effacer » ses tâches rouges, ou « Déclencher »"
                " avec ce jour de référence : ce qui est parti ne repart pas."
            )
        if self.standing_still:
            found.append(
                f"tournée qui n'avance plus pour le {_days(self.standing_still)}. Répondre à sa question (« Actions"
                " requises »), ou la marquer en échec, puis « Déclencher » avec ce jour de référence."
            )
        name = STAGES[self.stage]
        return [f"{name[0].upper()}{name[1:]} ({self.stage}) : {sentence}" for sentence in found]

    def _why_not(self, airflow: Orchestrator) -> str:
        if airflow.paused(self.stage):
            return " Cette étape est en pause dans Airflow : la remettre en marche."
        active = airflow.active_runs(self.stage)
        if not active:
            return ""
        return (
            f" Tournées en cours ou en attente dans Airflow : {active} ; si l'une n'avance pas (sa date logique est"
            " peut-être dans l'avenir), la marquer en échec : elle peut retenir les autres."
        )


def watch(
    ledger: Ledger,
    airflow: Orchestrator,
    *,
    starts: Mapping[Stage, time],
    one_at_a_time: Collection[Stage],
    now: datetime,
    tell: Callable[[Mapping[Stage, int]], None] = lambda _: None,
) -> int:
    """Look at every stage's last days; returns how many days were looked at and are still under way.

    `starts` is each stage's hour in the library's zone, `one_at_a_time` the stages of which a day waits for the one
    before, `now` is aware and in that zone; `tell` is told how many days each stage misses. Raises DaysMissed, with all
    that was found, as long as something is missed: a later green run of the day settles it.
    """
    days = ledger.days_to_watch(since=now.date() - WITHIN, until=now.date(), stages=tuple(starts))
    found = [
        _Stage.of(
            stage,
            [day for day in days if day.stage is stage],
            starts_at=starts_at,
            holds_back=stage in one_at_a_time,
            now=now,
            airflow=airflow,
        )
        for stage, starts_at in starts.items()
    ]
    tell({one.stage: one.number for one in found})
    sentences = [sentence for one in found for sentence in one.sentences(airflow)]
    for sentence in sentences:
        log.warning("%s", sentence)
    if sentences:
        raise DaysMissed(" ".join(sentences))
    log.info("Aucun jour manqué, aucune tournée arrêtée")
    return len(days)


def _days(days: Sequence[date]) -> str:
    return ", le ".join(f"{day:%d/%m/%Y}" for day in sorted(days))
