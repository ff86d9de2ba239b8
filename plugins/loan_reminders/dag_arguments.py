"""What the DAGs have in common: names, schedule, time zone, retries, params; what a library may change is in
`library.toml`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param

from loan_reminders.domain.runs.tries import FIRST_PAUSE, LONGEST_PAUSE, TRIES_AFTER
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.task_names import DAGS
from loan_reminders.services.compose import check_texts
from loan_reminders.settings.library_toml import TEMPLATES, settings
from loan_reminders.timetables import UpToNowTimetable
from loan_reminders.watching.alerts import watched_run, watched_tasks

RUNS_AT_ONCE = {Stage.REGISTERED_LETTER: 31}
"""How many days of one stage may be under way, 1 where nothing is said: a day of registered letters that nobody
approved yet does not hold back the next days' runs."""

RUN_LASTS = {
    Stage.COURTESY_NOTICE: timedelta(days=2),
    Stage.OVERDUE_NOTICE: timedelta(days=5),
    Stage.FIRST_REMINDER: timedelta(days=2),
    Stage.SECOND_REMINDER: timedelta(days=2),
}
"""How long a run may last, longer than any sound one: a day for the question about the volume, then the tries, and for
SMS a long closed weekend. A run that stands still ends then, in red, and lets the next one begin. Registered letters
have no limit: they wait for a librarian as long as it takes."""

SHORT_RUN_LASTS = timedelta(hours=2)
"""How long a run may last of a DAG that is no stage. No person is awaited: three tries, ten minutes apart."""


def daily(stage: Stage) -> UpToNowTimetable:
    """Every day at the stage's hour, in the library's zone; the logical date is that very moment."""
    starts_at = settings().stages.of(stage).starts_at
    return UpToNowTimetable(f"{starts_at.minute} {starts_at.hour} * * *", timezone=settings().library.time_zone)


def hourly(minute: int) -> UpToNowTimetable:
    """Every hour at this minute."""
    return UpToNowTimetable(f"{minute} * * * *", timezone=settings().library.time_zone)


def nightly(hour: int, minute: int) -> UpToNowTimetable:
    """Every day at this hour of the evening, so that what ended during a day is found on that day."""
    return UpToNowTimetable(f"{minute} {hour} * * *", timezone=settings().library.time_zone)


def dag_arguments(stage: Stage) -> dict[str, Any]:
    """The arguments of one stage's DAG: days in the library's zone, retries with back-off.

    Runs come one at a time, but for a stage that may wait for a person. Missed days are not caught up by themselves.
    Raises SettingsError, which Airflow shows among the DAG import errors, when `library.toml` is wrong, and
    TemplateError when the stage's SMS cannot fit.
    """
    ours = settings()
    if any(entry.channel == Channel.SMS.value for entry in ours.stages.of(stage).channels):
        check_texts(TEMPLATES, ours.text_rules(), stage=stage, library=ours.identity())
    return {
        "dag_id": stage.value,
        "dag_display_name": DAGS[stage],
        "start_date": datetime(2026, 1, 1, tzinfo=ours.zone),
        "catchup": False,
        "max_active_runs": RUNS_AT_ONCE.get(stage, 1),
        "dagrun_timeout": RUN_LASTS.get(stage),
        "tags": ["relances"],
        **watched_run(late_after=timedelta(hours=ours.alerts.late_after_hours)),
        "params": {
            "reference_date": Param(
                None,
                type=["null", "string"],
                format="date",
                title="Jour de référence",
                description="Le jour que la tournée traite. Vide : le jour prévu.",
            ),
            "dry_run": Param(
                False,
                type="boolean",
                title="Essai à blanc",
                description="Tout préparer sans rien envoyer ; les messages se lisent dans le dossier des lettres.",
            ),
        },
        "default_args": {
            "owner": "bibliothèque",
            "stage": stage,
            "retries": TRIES_AFTER,
            "retry_delay": FIRST_PAUSE,
            "retry_exponential_backoff": True,
            "max_retry_delay": LONGEST_PAUSE,
            **watched_tasks(),
        },
    }


def arguments_beside_stages(dag_id: str) -> dict[str, Any]:
    """The arguments of a DAG that is no stage: it asks and counts. Its tasks are tried again within the hour.

    Raises SettingsError when `library.toml` is wrong.
    """
    return {
        "dag_id": dag_id,
        "dag_display_name": DAGS[dag_id],
        "start_date": datetime(2026, 1, 1, tzinfo=settings().zone),
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": SHORT_RUN_LASTS,
        "tags": ["relances"],
        **watched_run(),
        "default_args": {
            "owner": "bibliothèque",
            "retries": 2,
            "retry_delay": timedelta(minutes=10),
            "execution_timeout": timedelta(minutes=45),
            **watched_tasks(),
        },
    }
