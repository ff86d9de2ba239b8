"""When a DAG runs: at each time of a cron expression, in the library's time zone, and never in the future."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.trigger import CronTriggerTimetable

if TYPE_CHECKING:
    from airflow.timetables.base import DataInterval
    from airflow.utils.types import DagRunType
    from pendulum import DateTime

LEEWAY = pendulum.duration(minutes=5)
"""How far the clock of a librarian's browser, which proposes the logical date, may be ahead of the server's."""


def in_future(moment: datetime) -> bool:
    """Whether an aware moment is in the future, by more than clocks usually differ."""
    return moment > pendulum.now("UTC") + LEEWAY


def refusal(moment: datetime, *, field: str) -> str:
    """Why a run with this date is refused, and what to do."""
    return (
        f"Tournée refusée : sa {field} ({moment:%d/%m/%Y}) est dans l'avenir, et jusque-là elle bloquerait les autres."
        " Garder la date proposée ; le jour à traiter se donne dans « Jour de référence »."
    )


class UpToNowTimetable(CronTriggerTimetable):
    """A run's logical date is the very time it is due.

    A plain cron expression would depend on `[scheduler] create_cron_data_intervals`.

    A run asked for by hand with a date in the future is refused at once. Airflow would count it as running until that
    date without ever beginning it: with one run at a time, the stage would stand still. Its scheduler makes no such
    run itself. Registered by the plugin, as Airflow wants it of a timetable that is not its own.
    """

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The interval of a run asked for by hand; `run_after` is here its logical date. Raises ValueError."""
        _refuse_future(run_after, field="date logique")
        return super().infer_manual_data_interval(run_after=run_after)

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """The run's name, as Airflow makes it. Raises ValueError when it is to begin in the future only."""
        _refuse_future(run_after, field="date de départ")
        if data_interval is not None:
            _refuse_future(data_interval.start, field="date logique")
        made: str = super().generate_run_id(
            run_type=run_type, run_after=run_after, data_interval=data_interval, **extra
        )
        return made


def _refuse_future(moment: datetime, *, field: str) -> None:
    if in_future(moment):
        raise ValueError(refusal(moment, field=field))
