"""What the doctor finds of Airflow itself, in its own tables and settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.commands.installation.of_airflow import PROCESSES, SECRETS
from loan_reminders.french.task_names import DAGS

pytestmark = pytest.mark.usefixtures("airflow_tables")
LONG = "9f2c6a0b7d1e4c58a3b6d0e9f7c2a1b4"


@pytest.fixture
def session():
    """Airflow's tables, which are emptied of what the test wrote."""
    from airflow.jobs.job import Job
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.errors import ParseImportError
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    def clear():
        with create_session() as opened:
            for table in (DagModel, ParseImportError, Job):
                opened.execute(delete(table))
            opened.execute(delete(DagBundleModel).where(DagBundleModel.name == "doctor"))

    clear()
    with create_session() as opened:
        opened.add(DagBundleModel(name="doctor"))
    yield create_session
    clear()


def know(session, **changes):
    from airflow.models.dag import DagModel

    with session() as opened:
        for dag_id in DAGS:
            values = {"dag_id": dag_id, "bundle_name": "doctor", "is_paused": False, "is_stale": False}
            told = changes.get(dag_id, {})
            if told is not None:
                opened.add(DagModel(**{**values, **told}))


def test_every_dag_known_and_on(doctor, session):
    know(session)
    assert doctor.findings("dags")[0] == 0


def test_paused_missing_and_stale_dags_are_named(doctor, session):
    know(session, watch={"is_paused": True})
    status, (finding,) = doctor.findings("dags")
    assert status == 1
    assert "Surveillance des tournées" in finding["what"]


@pytest.mark.parametrize("changes", [{"overdue_notice": None}, {"overdue_notice": {"is_stale": True}}])
def test_a_dag_that_is_not_there(doctor, session, changes):
    know(session, **changes)
    status, (finding,) = doctor.findings("dags")
    assert status == 2
    assert "overdue_notice" in finding["what"]


def test_a_file_that_cannot_be_read(doctor, session):
    from airflow.models.errors import ParseImportError

    know(session)
    with session() as opened:
        opened.add(ParseImportError(filename="x.py", bundle_name="doctor", stacktrace="un secret"))
    status, said = doctor("dags")
    assert status == 2
    assert "ne peuvent pas être lus : 1" in said
    assert "un secret" not in said


@pytest.mark.parametrize("check", ["dags", "processes"])
def test_airflows_database_that_does_not_answer_is_told_as_such(doctor, monkeypatch, check):
    import sqlite3

    from sqlalchemy.exc import OperationalError

    from loan_reminders.commands.installation import of_airflow

    def unreachable():
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("password=un-secret"))

    monkeypatch.setattr(of_airflow, "_session", unreachable)
    status, said = doctor(check)
    assert status == 2
    assert "La base d'Airflow ne répond pas" in said
    assert "airflow db migrate" in said
    assert "un-secret" not in said


def beat(session, ago, *kinds):
    from airflow.jobs.job import Job
    from sqlalchemy import insert

    with session() as opened:
        for kind in kinds:
            opened.execute(insert(Job).values(job_type=kind, state="running", latest_heartbeat=datetime.now(UTC) - ago))


def test_processes_at_work_silent_and_never_started(doctor, session):
    beat(session, timedelta(seconds=5), *PROCESSES)
    assert doctor.findings("processes")[0] == 0
    doctor.now = lambda: datetime.now(UTC) + timedelta(minutes=10)
    status, found = doctor.findings("processes")
    assert (status, len(found)) == (2, 3)


def test_a_process_that_never_began(doctor, session):
    beat(session, timedelta(0), "SchedulerJob", "DagProcessorJob")
    status, (finding,) = doctor.findings("processes")
    assert status == 2
    assert "triggerer" in finding["what"]


def test_accounts(doctor, monkeypatch):
    assert doctor.findings("accounts")[0] == 1  # Airflow's default
    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "True")
    assert doctor.findings("accounts")[0] == 2
    monkeypatch.setenv(
        "AIRFLOW__CORE__AUTH_MANAGER", "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    )
    assert doctor.findings("accounts")[0] == 1  # guessing passwords is not slow everywhere
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "deploy.accounts.login.AccountsAuthManager")
    assert doctor.findings("accounts")[0] == 0


def give_secrets(monkeypatch, value):
    for section, name in SECRETS:
        monkeypatch.setenv(f"AIRFLOW__{section.upper()}__{name.upper()}", value)


def test_secrets(doctor, monkeypatch):
    give_secrets(monkeypatch, LONG)
    assert doctor.findings("secrets")[0] == 0
    for guessable in ("airflow", "secret", "court"):
        give_secrets(monkeypatch, guessable)
        status, found = doctor.findings("secrets")
        assert (status, len(found)) == (2, 3)
        assert all("peut être deviné" in one["what"] for one in found)


def test_a_secret_that_is_empty_or_at_its_default_and_none_is_shown(doctor, monkeypatch):
    give_secrets(monkeypatch, LONG)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    status, said = doctor("secrets")
    assert status == 2
    assert "[core] fernet_key n'est pas donné" in said
    assert LONG not in said


def test_tokens_may_be_signed_by_a_key_instead(doctor, monkeypatch):
    give_secrets(monkeypatch, LONG)
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "")
    assert doctor.findings("secrets")[0] == 2
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", "/run/secrets/jwt.pem")
    assert doctor.findings("secrets")[0] == 0
