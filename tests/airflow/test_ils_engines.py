"""The ILS through Airflow Connections of each type: which leads to which engine, and what is said of another."""

from __future__ import annotations

import json
import logging

import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.settings.library_toml import settings
from tests.scenes.ils_engines import ACCOUNT, FORTY, PASSWORD, ZONE, mariadb_at_hand, postgres_at_hand

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def postgresql(postgres_server):
    with postgres_at_hand(postgres_server) as made:
        made.execute(*FORTY)
        yield made


@pytest.fixture(scope="module")
def mariadb(mariadb_server):
    with mariadb_at_hand(mariadb_server) as made:
        made.execute(*FORTY)
        yield made


@pytest.fixture
def ask(monkeypatch):
    """Define the connection and count its loans."""

    def asked(**values):
        from loan_reminders.hooks.ils import ils_database

        monkeypatch.setenv("AIRFLOW_CONN_ILS_ELSEWHERE", json.dumps(values))
        database = ils_database(settings().ils.model_copy(update={"connection": "ils_elsewhere"}), zone=ZONE)
        with database.session() as session:
            ((found,),) = session.execute(
                "SELECT COUNT(*) FROM open_loans WHERE title LIKE :title", {"title": "%à 100 %"}
            ).fetchmany()
            return database.engine.value, found

    return asked


def of_postgres(ils, **changes):
    return {
        "conn_type": "postgres",
        "host": str(ils.server.socket_folder),
        "login": ACCOUNT,
        "schema": ils.name,
        **changes,
    }


def of_mysql(ils, **changes):
    return {
        "conn_type": "mysql",
        "host": ils.server.host,
        "port": ils.server.port,
        "login": ACCOUNT,
        "password": PASSWORD,
        "schema": ils.name,
        **changes,
    }


def test_the_type_postgres_leads_to_postgresql(ask, postgresql, caplog):
    with caplog.at_level(logging.DEBUG):
        assert ask(**of_postgres(postgresql)) == ("postgresql", 40)
    assert "open_loans" not in caplog.text


def test_an_extra_is_an_option_of_libpq(ask, postgresql):
    assert ask(**of_postgres(postgresql, extra={"connect_timeout": 5, "cursor": "dictcursor"})) == ("postgresql", 40)
    with pytest.raises(IlsRejected, match="une option de la connexion"):
        ask(**of_postgres(postgresql, extra={"nope": "1"}))


@pytest.mark.parametrize(
    ("kind", "extra"),
    [("mysql", {}), ("mariadb", {}), ("generic", {"engine": "mariadb"}), ("generic", {"engine": "MySQL"})],
)
def test_the_types_that_lead_to_mariadb(ask, mariadb, kind, extra, caplog):
    with caplog.at_level(logging.DEBUG):
        assert ask(**of_mysql(mariadb, conn_type=kind, extra=extra)) == ("mariadb", 40)
    assert "open_loans" not in caplog.text
    assert PASSWORD not in caplog.text


def test_a_wrong_password_or_extra_is_rejected(ask, mariadb):
    with pytest.raises(IlsRejected, match="1045"):
        ask(**of_mysql(mariadb, password="faux"))
    with pytest.raises(IlsRejected, match="extra inconnu : charset"):
        ask(**of_mysql(mariadb, extra={"charset": "latin1"}))


def test_a_server_that_is_down_is_unavailable(ask, mariadb):
    with pytest.raises(IlsUnavailable, match="2003"):
        ask(**of_mysql(mariadb, port=1))


@pytest.mark.parametrize(
    ("kind", "extra"), [("http", {}), ("sqlite", {}), ("generic", {}), ("generic", {"engine": "access"})]
)
def test_another_type_is_told_with_those_there_are(ask, kind, extra):
    told = rf"ils_elsewhere est de type « {kind} ».* Types permis : ils .*; oracle, postgres, mysql ; ou generic"
    with pytest.raises(IlsRejected, match=told):
        ask(conn_type=kind, host="x", extra=extra)
