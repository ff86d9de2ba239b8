"""An extraction that breaks in the middle: Airflow tries the task again, and the run begins afresh."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from loan_reminders.domain.errors import IlsUnavailable
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import ROOT, settings
from sql.demo.generator import STAGE_LOANS, build_library
from tests.scenes.aleph import TODAY, assert_no_session_left
from tests.simulators.oracle_server import SERVICE, Faults, OracleServer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
READABLE = STAGE_LOANS[2] - 2
"""The loans of the day, but the two rows that no one can read."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    with OracleServer(path) as running:
        yield running


@pytest.fixture
def extraction(monkeypatch, server, ledger):
    """« Extraire les prêts » of the courtesy notice, ten rows a fetch, as each try of Airflow's runs it."""
    from loan_reminders.operators import base

    ours = settings()
    config = ours.model_copy(update={"ils": ours.ils.model_copy(update={"array_size": 10})})
    now = datetime.combine(TODAY, datetime.min.time(), config.zone).replace(hour=9)
    monkeypatch.setattr(base.Installed, "config", property(lambda _: config))
    monkeypatch.setattr(base.Installed, "ledger", lambda _: ledger)
    monkeypatch.setattr(base.Installed, "now", lambda _: now)
    values = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
    extra = {"service_name": SERVICE}
    monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({"conn_type": "oracle", **values, "extra": extra}))
    dag_run = SimpleNamespace(run_id="scheduled__1", logical_date=now.astimezone(UTC), run_after=now.astimezone(UTC))
    context = {"dag_run": dag_run, "params": {"reference_date": None, "dry_run": False}}

    def execute():
        from loan_reminders.operators.extract_loans import ExtractLoans

        return ExtractLoans(stage=Stage.COURTESY_NOTICE).execute(context)

    return execute


def counted(ledger):
    with ledger.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*), count(DISTINCT loan_id) FROM loans_seen").one()


@pytest.mark.parametrize("code", [1555, 28, 0])
def test_a_stream_that_breaks_once_is_begun_again_and_every_loan_is_there_once(extraction, server, ledger, code):
    """ORA-01555 (snapshot too old), ORA-00028 (session killed), a cut connection: nobody has to do anything."""
    server.faults = Faults(fail_fetch_after=3, fail_fetch_with=code, for_the_first=1)
    with pytest.raises(IlsUnavailable, match="Lecture du SIGB"):  # the class that Airflow tries again
        extraction()
    run_id = extraction()
    assert run_id == 1
    assert tuple(counted(ledger)) == (READABLE, READABLE)
    assert_no_session_left(server)


def test_every_stage_reads_the_ils_again_when_airflow_tries_again():
    from airflow.dag_processing.dagbag import DagBag

    dags = DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True).dags
    tries = {
        name: dag.get_task("extract_loans").retries for name, dag in dags.items() if "extract_loans" in dag.task_ids
    }
    assert set(tries) >= {stage.value for stage in Stage}
    assert min(tries.values()) >= 2
