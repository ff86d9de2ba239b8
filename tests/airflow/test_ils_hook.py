"""The ILS through an Airflow Connection, on the Oracle wire."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable, SettingsError
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.reading.consent import NO_CODES
from loan_reminders.gateways.runs.patience import Patience
from loan_reminders.settings.library_toml import settings
from sql.demo.generator import STAGE_LOANS, build_library
from tests.scenes.aleph import CODES, MINORS, TODAY, due_day
from tests.simulators.oracle_server import SERVICE, OracleServer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    with OracleServer(path) as running:
        yield running


@pytest.fixture
def naps(monkeypatch):
    from loan_reminders.hooks import ils

    naps = []
    monkeypatch.setattr(ils, "Patience", lambda: Patience(sleep=naps.append))
    return naps


@pytest.fixture
def connection(monkeypatch, server, naps):
    def define(**changes):
        values = {
            "conn_type": "oracle",
            "host": server.host,
            "port": server.port,
            "login": server.user,
            "password": server.password,
            "extra": {"service_name": SERVICE},
        }
        monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({**values, **changes}))

    define()
    return define


def loans(conn_id="ils_oracle", *, consent=NO_CODES, **options):
    from loan_reminders.hooks.ils import loan_source

    codes = replace(CODES, zone=settings().zone, consent=consent)
    source = loan_source(settings().ils.model_copy(update={"connection": conn_id}), codes=codes, **options)
    return list(source.loans_due(due_day("C"), today=TODAY))


def test_loans_come_through_the_connection_and_nothing_of_them_is_logged(connection, caplog):
    with caplog.at_level(logging.DEBUG):
        found = loans()
    assert len(found) == STAGE_LOANS[2]
    assert sum(isinstance(row, Loan) for row in found) == STAGE_LOANS[2] - 2
    assert "z36" not in caplog.text
    assert "Martin" not in caplog.text


@pytest.mark.parametrize("consent", [NO_CODES, MINORS])
def test_birth_dates_are_read_where_minors_have_a_rule_and_nowhere_else(connection, server, consent):
    server.statements.clear()
    found = [one for one in loans(consent=consent) if isinstance(one, Loan)]
    asked = consent is MINORS
    assert any("birth_date" in statement for statement in server.statements) is asked
    assert any(one.patron.minor for one in found) is asked


def test_the_schema_field_names_the_service_when_the_extra_does_not(connection):
    connection(schema=SERVICE, extra={})
    assert len(loans()) == STAGE_LOANS[2]


def test_a_wrong_password_is_rejected(connection, server):
    connection(password="wrong-Secret")
    with pytest.raises(IlsRejected, match="ORA-01017"):
        loans()
    server.unlock()


def test_a_server_that_is_down_is_asked_again_and_then_unavailable(connection, naps):
    connection(port=1)
    with pytest.raises(IlsUnavailable, match="Connexion au SIGB : DPY-6005"):
        loans()
    assert naps == [2, 4, 8]


def test_a_page_does_not_wait_for_a_server_that_is_down(connection, naps):
    connection(port=1)
    with pytest.raises(IlsUnavailable, match="Connexion au SIGB : DPY-6005"):
        loans(for_pages=True)
    assert naps == []


def test_the_session_has_the_librarys_zone(connection, server):
    server.statements.clear()
    loans()
    assert server.statements[0] == f"ALTER SESSION SET TIME_ZONE = '{settings().zone.key}'"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"extra": {"service": SERVICE}}, "Connexion ils_oracle : extra inconnu : service ;"),
        ({"extra": "service_name: DEMO"}, "Connexion ils_oracle : le champ Extra n'est pas du JSON"),
        ({"extra": {"service_name": SERVICE, "call_timeout": 6}}, "ils.call_timeout_seconds de library.toml"),
        ({"login": None}, "il manque l'identifiant"),
    ],
)
def test_a_field_that_cannot_be_used_is_told_before_anything_is_asked(connection, server, changes, told):
    connection(**changes)
    server.statements.clear()
    with pytest.raises(IlsRejected, match=told):
        loans()
    assert not server.statements


def test_a_connection_nobody_defined_is_rejected_by_name():
    with pytest.raises(IlsRejected, match="Airflow n'a pas de connexion ils_nowhere"):
        loans("ils_nowhere")


def test_a_kind_of_ils_without_a_statement_is_told_with_those_there_are():
    from loan_reminders.hooks.ils import statement

    assert "FROM z36" in statement("aleph", "loans_due")
    assert "FROM z36" in statement("aleph", "loan_now")
    for kind in ("../aleph", "absys", ""):
        with pytest.raises(SettingsError, match=r"valeurs permises : .*aleph"):
            statement(kind, "loans_due")
