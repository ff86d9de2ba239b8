"""`make check-ils` where something is wrong: each kind of fault, through the Oracle wire, and whom to ask."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from loan_reminders.settings.library_toml import ROOT
from tests.scenes.checked_ils import check, connect
from tests.simulators.oracle_dictionary import Dictionary
from tests.simulators.oracle_server import SERVICE, Faults

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            {"refuse_login": 28000},
            "✗ Pas de connexion : Connexion au SIGB : ORA-28000, le compte est verrouillé (0,00 s)\n"
            "  → Demander à l'administrateur de la base de déverrouiller le compte de lecture, et pourquoi il l'",
        ),
        (
            {"refuse_login": 28001},
            "ORA-28001, le mot de passe a expiré (0,00 s)\n  → Demander à l'administrateur de la base un nouveau mot",
        ),
        ({"refuse_login": 1045}, "→ Demander à l'administrateur de la base le droit CREATE SESSION"),
        ({"refuse": 12541}, "ORA-12541, pas d'écouteur Oracle à cette adresse (0,00 s)\n  → Demander à l'admin"),
        ({"refuse": 12514}, "DPY-6001, l'écouteur Oracle ne connaît pas le service (0,00 s)\n  → Demander à l'admin"),
        ({"refuse_login": 1033}, "ORA-01033, la base démarre ou s'arrête (0,00 s)\n  → Demander à l'administrateur de"),
    ],
)
def test_a_connection_that_fails_says_what_to_ask_whom_and_nothing_more_is_tried(server, fault, told):
    server.faults = Faults(**fault)
    status, said = check()
    assert status == 2
    assert told in said
    assert said.count("✗") == 1
    assert said.endswith("1 échec.\n")
    assert "Nouvel essai" not in said
    assert "relancer la tâche" not in said


def test_a_wrong_password_is_tried_once_and_shown_nowhere(server, monkeypatch):
    connect(monkeypatch, server, password="another-Secret")
    status, said = check()
    server.unlock()
    assert status == 2
    assert "ORA-01017, identifiant ou mot de passe incorrect" in said
    assert "Secret" not in said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"extra": {"service": SERVICE}}, "extra inconnu : service ; extras permis"),
        ({"extra": {"service_name": SERVICE, "wallet_location": "/nowhere"}}, "wallet_location nomme un dossier qui"),
        ({"port": 1}, "pas d'écouteur Oracle à cette adresse"),
    ],
)
def test_a_connection_that_is_wrong_in_airflow(server, monkeypatch, changes, told):
    connect(monkeypatch, server, **changes)
    status, said = check()
    assert status == 2
    assert told in said
    assert "  → " in said


def test_a_connection_that_airflow_does_not_have(server, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_ILS_ORACLE")
    status, said = check()
    assert status == 2
    assert "Airflow n'a pas de connexion ils_oracle : la créer" in said


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"system": ("CREATE SESSION", "UPDATE ANY TABLE")}, ["le droit UPDATE ANY TABLE"]),
        ({"system": ("CREATE SESSION", "SELECT ANY TABLE", "CREATE TABLE")}, ["le droit CREATE TABLE"]),
        (
            {"granted": (("SELECT", "UNS50", "Z36"), ("UPDATE", "UNS50", "Z36"), ("DELETE", "UNS50", "Z30"))},
            ["DELETE sur UNS50.Z30", "UPDATE sur UNS50.Z36"],
        ),
        ({"on_columns": (("UPDATE", "UNS50", "Z303"),)}, ["UPDATE sur UNS50.Z303"]),
        ({"own": ("Z36",)}, ["la table Z36, qui lui appartient"]),
    ],
)
def test_an_account_that_could_write_is_a_warning(server, changes, details):
    server.dictionary = Dictionary(**changes)
    status, said = check()
    assert status == 1
    assert re.search(r"! Le compte pourrait écrire \(\d droits? de trop\)", said)
    for detail in details:
        assert f"    {detail}\n" in said
    assert "→ Demander à l'administrateur de la base un compte qui n'a que SELECT" in said


def test_what_public_may_write_of_oracles_own_is_no_concern(server):
    server.dictionary = Dictionary(granted=(("INSERT", "SYS", "WRI$_ADV_ASA"), ("DELETE", "APEX_220100", "X")))
    assert "✓ Le compte ne peut que lire" in check()[1]


def test_many_rights_are_told_short(server):
    server.dictionary = Dictionary(granted=tuple(("UPDATE", "UNS50", f"Z{number:03d}") for number in range(40)))
    _, said = check()
    assert "(40 droits de trop)" in said
    assert said.count("UPDATE sur") == 10
    assert "… et 30 de plus" in said


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        (date(2026, 3, 20), "! Compte ILS : son mot de passe expire le 20/03/2026"),
        (date(2027, 3, 20), "✓ Compte ILS : son mot de passe expire le 20/03/2027"),
    ],
)
def test_a_password_that_is_about_to_expire_is_a_warning(server, expires, told):
    server.dictionary = Dictionary(expires=expires)
    assert told in check()[1]


def test_a_view_of_the_dictionary_that_is_closed_leaves_that_check_open(server):
    server.dictionary = Dictionary(hidden="session_privs")
    status, said = check()
    assert status == 1
    assert "! Droits d'écriture : inconnu (Requête au SIGB : ORA-00942" in said
    assert "prêts à échéance" in said


def test_a_big_table_that_is_read_whole_is_a_warning(server, ils_database, monkeypatch):
    monkeypatch.setattr("loan_reminders.services.runs.check_ils.BIG_TABLE", 1)
    with closing(sqlite3.connect(ils_database)) as connection:
        (index,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'z36_by_due_date'").fetchone()
        connection.execute("DROP INDEX z36_by_due_date")
        connection.commit()
        try:
            status, said = check()
        finally:
            connection.execute(index)
            connection.commit()
    assert status == 1
    assert "! Plan : 1 grande table lue en entier" in said
    assert re.search(r"    Z36 lue en entier, environ [\d\u202f]+ lignes\n  → Demander à l'administrateur", said)
    server.dictionary = Dictionary(sizes={"Z36": None})


@pytest.mark.parametrize("code", [1031, 1039])
def test_a_plan_that_cannot_be_had_is_said_to_be_unknown(server, monkeypatch, code):
    from seerdb.server import BackendError

    from tests.simulators import oracle_backend

    def refuse(*_):
        raise BackendError("insufficient privileges", ora_code=code)

    monkeypatch.setattr(oracle_backend, "explain", refuse)
    status, said = check()
    assert status == 1
    assert f"! Plan de loans_due.sql : inconnu (Requête au SIGB : ORA-0{code}" in said


@pytest.fixture
def sql_folder(tmp_path, monkeypatch):
    """The site's own statements, which replace those delivered; to be spoiled."""
    folder = tmp_path / "sql" / "aleph"
    folder.mkdir(parents=True)
    for name in ("loans_due.sql", "loan_now.sql"):
        (folder / name).write_bytes((ROOT / "sql" / "aleph" / name).read_bytes())
    monkeypatch.setenv("REMINDERS_CONFIG", shutil.copy(ROOT / "library.toml", tmp_path))
    return folder


def spoil(folder, name, text, instead):
    path = folder / name
    was = path.read_text(encoding="utf-8")
    assert text in was
    path.write_text(was.replace(text, instead), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "instead", "told"),
    [
        ("loans_due.sql", "LEFT JOIN z13\n", "LEFT JOIN z99 z13\n", "✗ Droits insuffisants : 1 sur 8 tables ou vues"),
        ("loans_due.sql", "z13.z13_title", "z13.z13_nope", "✗ loans_due.sql : Requête au SIGB : ORA-00904, cette col"),
        ("loans_due.sql", "AS email,", "AS mel,", "✗ loans_due.sql ne rend pas : email"),
        ("loans_due.sql", ":due_ymd", ":due_day", "✗ loans_due.sql : La requête du SIGB a des binds sans valeur"),
        ("loan_now.sql", "z36.z36_number", "z36.z36_nope", "✗ loan_now.sql : Requête au SIGB : ORA-00904"),
    ],
)
def test_a_statement_that_does_not_fit_the_database_is_a_failure(server, sql_folder, name, text, instead, told):
    spoil(sql_folder, name, text, instead)
    status, said = check()
    assert status == 2
    assert told in said
    assert re.search(r"✗ .*\n(?:    .*\n)*  → ", said)
    if name == "loans_due.sql":
        assert "prêts à échéance" not in said


def test_a_session_killed_while_rows_are_read_is_a_failure(server, monkeypatch):
    server.faults = Faults(fail_query=0)
    monkeypatch.setenv("REMINDERS_CONFIG", str(ROOT / "library.toml"))
    plan = server.faults
    seen = []

    def log(sql):
        seen.append(sql)
        if "ORDER BY" in sql and "z36_due_date" in sql and not sql.startswith("EXPLAIN"):
            plan.fail_query = 28 if sum("z304" in said and "ORDER BY" in said for said in seen) >= 3 else 0

    monkeypatch.setattr(server, "statements", _Calling(log))
    status, said = check()
    assert status == 2
    assert "✗ Prêts à échéance du 03/03/2026 : Requête au SIGB : ORA-00028, la session a été arrêtée" in said
    assert "→ Demander à l'administrateur de la base qui arrête la session" in said


class _Calling(list):
    """A list that tells of what is put in it."""

    def __init__(self, told):
        super().__init__()
        self._told = told

    def append(self, one):
        super().append(one)
        self._told(one)


def test_a_day_without_a_loan_is_to_be_looked_at(server):
    status, said = check("--day", "1999-12-31")
    assert status == 1
    assert "! Aucun prêt à échéance du 31/12/1999" in said
    assert "À comparer" not in said


def test_an_address_that_nobody_has_is_a_warning(server, sql_folder):
    spoil(sql_folder, "loans_due.sql", "AS email,", "AS old_email, CAST(NULL AS VARCHAR(60)) AS email,")
    status, said = check()
    assert status == 1
    assert "! 225 lecteurs : e-mail 0 %," in said
    assert "→ Vérifier les colonnes de loans_due.sql (e-mail), puis les fiches du SIGB." in said


def test_nobody_listens_at_all(server, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    connect(monkeypatch, server, port=port)
    status, said = check()
    assert status == 2
    assert "DPY-6005, pas d'écouteur Oracle à cette adresse" in said
