"""What the DAGs have in common: names, schedule, time zone, retries, params; what a library may change is in
`library.toml`. An installation of several libraries has each DAG once for each of them (`each_library`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self
from zlib import crc32

from airflow.sdk import Param, get_parsing_context

from loan_reminders.domain.dag_ids import library_of
from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.runs.tries import FIRST_PAUSE, LONGEST_PAUSE, TRIES_AFTER
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.task_names import dag_title
from loan_reminders.services.compose import check_texts
from loan_reminders.settings.all_libraries import all_settings
from loan_reminders.settings.libraries import codes, of_library, several
from loan_reminders.settings.library_toml import Settings, our_dag_id, settings
from loan_reminders.timetables import UpToNowTimetable
from loan_reminders.watching.alerts import watched_run, watched_tasks

REGISTERED_AT_ONCE = 31
"""How many days of registered letters may be under way: one that nobody approved yet does not hold back the next."""

RUN_LASTS = {
    Stage.COURTESY_NOTICE: timedelta(days=2),
    Stage.OVERDUE_NOTICE: timedelta(days=5),
    Stage.FIRST_REMINDER: timedelta(days=2),
    Stage.SECOND_REMINDER: timedelta(days=2),
}
"""How long a run may last, longer than any sound one: a day for the question about the volume, then the tries, and for
SMS a long closed weekend. A run that stands still ends then, in red, and lets the next one begin. Registered letters
have no limit: they wait for a librarian as long as it takes."""

NOTICE_LASTS = timedelta(days=5)
"""The same for a notice that is not about loans: it may have SMS."""

SHORT_RUN_LASTS = timedelta(hours=2)
"""How long a run may last of a DAG that is no stage. No person is awaited: three tries, ten minutes apart."""


def _lasts(stage: Stage) -> timedelta | None:
    if not stage.is_about_loans:
        return NOTICE_LASTS
    return None if stage is Stage.REGISTERED_LETTER else RUN_LASTS[stage]


class _Schema(dict[str, Any]):
    """What a param may be, in the words of JSON Schema: nobody changes it.

    Airflow copies the params of a DAG with all that is in them four times for each task, and looks at each use whether
    a schema follows its norm; that of draft 7 is read in a quarter of the time of the newest.
    """

    def __init__(self, **said: Any) -> None:
        super().__init__({"$schema": "http://json-schema.org/draft-07/schema#", **said})

    def __deepcopy__(self, memo: object) -> Self:
        return self


_DAY = _Schema(type=["null", "string"], format="date", title="Jour de référence")
_TRIAL = _Schema(type="boolean", title="Essai à blanc")


@lru_cache(maxsize=512)
def _at(expression: str, time_zone: str) -> UpToNowTimetable:
    """One for all DAGs of an hour: Airflow puts each expression into English words, out of a dictionary it reads."""
    return UpToNowTimetable(expression, timezone=time_zone)


def daily(stage: Stage) -> UpToNowTimetable:
    """Every day at the stage's hour, in the library's zone; the logical date is that very moment."""
    starts_at = settings().starts_at(stage)
    return _at(f"{starts_at.minute} {starts_at.hour} * * *", settings().library.time_zone)


def other_notices() -> tuple[Stage, ...]:
    """The notices that are not about loans, of the current library; none unless its settings name one."""
    return settings().other_notices


def sends_sms(stage: Stage) -> bool:
    """Whether the current library sends SMS at this stage, or for this notice."""
    return any(rule.channel is Channel.SMS for rule in settings().policy().rule(stage).channels)


def runs_at_once(stage: Stage) -> int:
    """How many days of a stage, or of a notice, may be under way.

    One, but where a day may wait and must not hold back the next: for the approval of registered letters, or for the
    hours at which SMS may leave. There it is as many as begin while one lasts: what Airflow cannot begin on its day
    it leaves out once the day after is due.
    """
    if stage in settings().policy().one_at_a_time:
        return 1
    lasts = _lasts(stage)
    return REGISTERED_AT_ONCE if lasts is None else lasts.days + 1


def hourly(minute: int) -> UpToNowTimetable:
    """Every hour at this minute; each of several libraries at one of its own."""
    return _at(f"{_spread(minute)} * * * *", settings().library.time_zone)


def nightly(hour: int, minute: int) -> UpToNowTimetable:
    """Every day at this hour of the evening, so that what ended during a day is found on that day."""
    return _at(f"{_spread(minute)} {hour} * * *", settings().library.time_zone)


def _spread(minute: int) -> int:
    """The minute for this library: a hundred that began at the same one would wait for each other."""
    return (minute + crc32(settings().library.code.encode())) % 60 if several() else minute


def each_library() -> Iterator[None]:
    """Once for each library, which is current inside the loop: the only one, or each of the folder in turn.

    A library of a folder whose file is wrong is left out, and `check_libraries` says so: an error here would be that of
    the DAG file, and Airflow then stops every DAG of the file, those of the other libraries too. A process that runs
    one task makes the DAG of its library alone. Raises SettingsError when the only library's file is wrong.
    """
    if not several():
        yield
        return
    mine = library_of(get_parsing_context().dag_id or "")
    for code in (mine,) if mine else codes():
        with of_library(code):
            try:
                settings()
            except SettingsError:
                if mine:
                    raise
                continue
            yield


def check_libraries() -> None:
    """Raise SettingsError with what is wrong in the files of a folder of libraries.

    The only library of an installation says what is wrong in each of its DAGs.
    """
    if not several():
        return
    faults = [str(fault) for _, fault in all_settings() if isinstance(fault, SettingsError)]
    if faults:
        raise SettingsError("\n".join(faults))


def _check_texts(ours: Settings, stage: Stage) -> None:
    if sends_sms(stage):
        check_texts(ours.templates, ours.text_rules(), stage=stage, library=ours.identity())


def _shared(name: str) -> dict[str, Any]:
    """The arguments that all our DAGs have. `name` is a stage's, or that of what runs beside the stages."""
    ours = settings()
    known = ours.library
    return {
        "dag_id": our_dag_id(name),
        "dag_display_name": f"{dag_title(name)} · {known.short_name}" if several() else dag_title(name),
        "start_date": datetime(2026, 1, 1, tzinfo=ours.zone),
        "catchup": False,
        "tags": ["relances", known.code] if several() else ["relances"],
    }


def dag_arguments(stage: Stage) -> dict[str, Any]:
    """The arguments of one stage's DAG: days in the library's zone, retries with back-off.

    Runs come one at a time, but where `runs_at_once` says more. Missed days are not caught up by themselves.
    Raises SettingsError, which Airflow shows among the DAG import errors, when `library.toml` is wrong, and
    TemplateError when the SMS of the only library cannot fit. Those of a hundred would take ten seconds, twice a
    minute: they are looked at when a run begins, and by `check-settings`.
    """
    if not several():
        _check_texts(settings(), stage)
    return {
        **_shared(stage.value),
        "max_active_runs": runs_at_once(stage),
        "dagrun_timeout": _lasts(stage),
        **watched_run(late_after=timedelta(hours=settings().alerts.late_after_hours)),
        "params": {
            "reference_date": Param(
                None,
                description="Le jour que la tournée traite. Vide : le jour prévu.",
                schema=_DAY,
            ),
            "dry_run": Param(
                False,
                description="Tout préparer sans rien envoyer ; les messages se lisent dans le dossier des lettres.",
                schema=_TRIAL,
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


def arguments_beside_stages(name: str) -> dict[str, Any]:
    """The arguments of a DAG that is no stage: it asks and counts. Its tasks are tried again within the hour.

    Raises SettingsError when `library.toml` is wrong.
    """
    return {
        **_shared(name),
        "max_active_runs": 1,
        "dagrun_timeout": SHORT_RUN_LASTS,
        **watched_run(),
        "default_args": {
            "owner": "bibliothèque",
            "retries": 2,
            "retry_delay": timedelta(minutes=10),
            "execution_timeout": timedelta(minutes=45),
            **watched_tasks(),
        },
    }
