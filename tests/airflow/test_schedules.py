"""On which day a run falls, whatever an Airflow installation's own settings are; and no run begins in the future."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.runs.reference_date import reference_date
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT, read_settings

SWITCHES = {"spring": date(2026, 3, 29), "autumn": date(2026, 10, 25)}
"""The days on which clocks change in Paris; in New York it is on other days."""

DAYS = 4
INSTALLATIONS = {
    "as Airflow comes": {},
    "plain expressions have data intervals and missed runs are caught up, elsewhere": {
        "SCHEDULER__CREATE_CRON_DATA_INTERVALS": "True",
        "SCHEDULER__CATCHUP_BY_DEFAULT": "True",
        "CORE__DEFAULT_TIMEZONE": "America/New_York",
    },
    "at an hour that the clocks leave out and repeat": {
        "SCHEDULER__CREATE_CRON_DATA_INTERVALS": "True",
        "CORE__DEFAULT_TIMEZONE": "Pacific/Noumea",
        "hour": "02:30",
    },
    "just after midnight": {"SCHEDULER__CREATE_CRON_DATA_INTERVALS": "True", "hour": "00:05"},
}


def since(switch):
    """Noon, two days before."""
    return datetime.combine(switch - timedelta(days=2), datetime.min.time(), ZoneInfo("Europe/Paris")).replace(hour=12)


@pytest.fixture(scope="module", params=INSTALLATIONS.values(), ids=INSTALLATIONS)
def airflow_settings(request, tmp_path_factory):
    """The settings of a library, and what that Airflow's scheduler makes of each DAG around both switches."""
    folder = tmp_path_factory.mktemp("airflow")
    changes = dict(request.param)
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    if hour := changes.pop("hour", None):
        text = re.sub(r'(?m)^hour = "[0-9:]+"', f'hour = "{hour}"', text)
        assert text.count(f'hour = "{hour}"') == len(Stage)
    config = folder / "library.toml"
    config.write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    env |= {f"AIRFLOW__{name}": value for name, value in changes.items()} | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "REMINDERS_CONFIG": str(config),
        "PYTHONPATH": os.pathsep.join((str(ROOT / "plugins"), str(ROOT))),
    }
    moments = [since(switch).isoformat() for switch in SWITCHES.values()]
    command = [sys.executable, "-m", "tests.scenes.schedules", str(DAYS), *moments]
    said = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout
    return read_settings(config), json.loads(said.splitlines()[-1])


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_day_has_one_run_at_the_stages_hour_about_that_day(airflow_settings, switch):
    config, said = airflow_settings
    first = SWITCHES[switch] - timedelta(days=1)
    for stage in Stage:
        ticks = said[stage.value]["ticks"][list(SWITCHES).index(switch)]
        assert [tick["logical_date"] for tick in ticks] == [tick["run_after"] for tick in ticks]
        instants = [datetime.fromisoformat(tick["logical_date"]) for tick in ticks]
        about = [reference_date(param=None, logical_date=one, run_after=one, time_zone=config.zone) for one in instants]
        assert about == [first + timedelta(days=number) for number in range(DAYS)]
        starts_at = config.stages.of(stage).starts_at
        hours = {one.astimezone(config.zone).time() for one in instants}
        left_out = {datetime(2026, 3, 29, 3, 30).time()} if starts_at.hour == 2 and switch == "spring" else set()
        assert hours == {starts_at} | left_out


def test_nothing_is_caught_up_by_itself_and_the_zone_is_the_librarys(airflow_settings):
    config, said = airflow_settings
    assert set(said) > {stage.value for stage in Stage}
    for dag in said.values():
        assert (dag["catchup"], dag["zone"]) == (False, config.library.time_zone)


def test_what_runs_every_hour_does_not_wait_for_the_end_of_the_hour(airflow_settings):
    _, said = airflow_settings
    for dag_id in set(said) - {stage.value for stage in Stage}:
        for ticks in said[dag_id]["ticks"]:
            assert [tick["logical_date"] for tick in ticks] == [tick["run_after"] for tick in ticks]


@pytest.fixture(scope="module")
def stored():
    """A DAG as Airflow's web server has it."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True).dags[Stage.COURTESY_NOTICE.value]
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


def asked(stored, **body):
    """What the web server makes of a librarian's « Déclencher »."""
    from airflow.api_fastapi.core_api.datamodels.dag_run import TriggerDAGRunPostBody

    return TriggerDAGRunPostBody(**{"logical_date": None, **body}).validate_context(stored)


def utc(**ahead):
    return datetime.now(ZoneInfo("UTC")) + timedelta(**ahead)


@pytest.mark.parametrize(
    "body",
    [
        {"logical_date": utc(days=1)},
        {"logical_date": datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("UTC"))},
        {"logical_date": datetime(9999, 12, 31, 23, 59, tzinfo=ZoneInfo("America/Cayenne"))},
        {"logical_date": utc(days=400), "dag_run_id": "mine"},
        {"logical_date": utc(days=2), "data_interval_start": utc(days=2), "data_interval_end": utc(days=3)},
        {"run_after": utc(days=1)},
    ],
)
def test_a_run_in_the_future_is_refused_at_once_in_words(stored, body):
    with pytest.raises(ValueError, match=r"Tournée refusée .* est dans l'avenir.*« Jour de référence »"):
        asked(stored, **body)


def test_twenty_minutes_ahead_are_the_future_too(stored):
    # now, not when the tests were collected: a slow machine may need longer than that to come here
    with pytest.raises(ValueError, match="est dans l'avenir"):
        asked(stored, logical_date=utc(minutes=20))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"logical_date": utc()},
        {"logical_date": utc(minutes=2)},
        {"logical_date": utc(days=-3)},
        {"logical_date": utc(days=-3), "dag_run_id": "mine"},
    ],
)
def test_a_run_of_now_or_of_a_past_day_is_taken(stored, body):
    made = asked(stored, **body)
    assert made["logical_date"] == body.get("logical_date")
    if body.get("logical_date"):
        assert made["data_interval"].start == made["data_interval"].end == made["logical_date"]


@dataclass
class DagRun:
    """What Airflow's listeners are given of a run, as far as ours looks."""

    dag: Any
    logical_date: datetime | None
    state: str = "running"
    note: str = ""

    def set_state(self, state):
        self.state = state


def begun(dag, logical_date):
    """A run that the scheduler calls running: those of the command line come here unseen by the timetable."""
    from airflow.listeners.listener import get_listener_manager

    made = DagRun(dag=dag, logical_date=logical_date)
    get_listener_manager().hook.on_dag_run_running(dag_run=made, msg="started")
    return made


def test_a_run_in_the_future_by_another_door_ends_at_once_in_words(stored):
    made = begun(stored, utc(days=1))
    assert made.state == "failed"
    assert "dans l'avenir" in made.note


@pytest.mark.parametrize("logical_date", [None, utc(), utc(minutes=2), utc(days=-3)])
def test_any_other_run_goes_its_way(stored, logical_date):
    assert begun(stored, logical_date).state == "running"


def test_other_peoples_runs_are_left_alone():
    from airflow.timetables.trigger import CronTriggerTimetable

    theirs = SimpleNamespace(timetable=CronTriggerTimetable("0 0 * * *", timezone="UTC"))
    assert begun(theirs, utc(days=1)).state == "running"
