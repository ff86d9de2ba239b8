"""The statements for Koha, Sierra and PMB: columns, binds, restraint, and how they reach each table."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pymysql
import pytest

from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.gateways.runs.binds import bind_names, together, values_named
from loan_reminders.gateways.runs.statements import final_text, offered
from sql.demo.generator import make_library
from tests.scenes.aleph import SQL_FOLDER, TODAY
from tests.scenes.library_systems import KOHA, PMB, SIERRA, SYSTEMS, connection_to, database_of

DAYS = {"due_from": datetime(2026, 3, 3), "due_to": datetime(2026, 3, 4)}
FORBIDDEN = {
    "another statement after it": r";",
    "a sign that the drivers read": r"%",
    "a cast by colons": r"::",
    "a quoted name": r'["`]',
    "the empty text, which some servers hold for NULL": r"(?<!')''(?!')",
    "concatenation, which is OR on MariaDB": r"\|\|",
    "the server's clock": r"\b(?:sysdate|curdate|curtime|current_date|current_timestamp|now|localtime)\b",
    "another clock": r"\b(?:unix_timestamp|date_sub|date_add|interval|at\s+time\s+zone|extract|date_trunc)\b",
    "a row limit by some server's own word": r"\blimit\b",
    "a write": r"\b(?:insert|update|delete|merge|replace|drop|alter|grant|into|call|do)\b",
    "a lock": r"\bfor\s+(?:update|share)\b",
    "a common table expression, which old servers lack": r"\bwith\b",
    "a function on the due date": r"\w\s*\([^()]*\b(?:date_due|due_gmt|pret_retour)\b",
}
SQL = {
    (system.name, name): (SQL_FOLDER / system.name / f"{name}.sql").read_text(encoding="utf-8")
    for system in SYSTEMS
    for name in ("loans_due", "loan_now")
}
BY_NAME = {system.name: system for system in SYSTEMS}


def code_of(sql):
    return re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL).strip().lower()


def faults(sql):
    return [name for name, pattern in FORBIDDEN.items() if re.search(pattern, code_of(sql))]


@pytest.mark.parametrize("key", SQL, ids="-".join)
def test_a_statement_keeps_to_what_every_server_of_its_system_reads(key):
    assert faults(SQL[key]) == []
    assert code_of(SQL[key]).startswith("select ")


def test_pmb_does_without_window_functions_which_its_hosts_may_lack():
    assert not re.search(r"\bover\s*\(", code_of(SQL["pmb", "loans_due"]))


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("i.date_due >= :due_from", "DATE(i.date_due) = :due_from"),
        ("i.date_due >= :due_from", "i.date_due >= NOW()"),
        ("i.date_due >= :due_from", "i.date_due >= DATE_ADD(:due_from, INTERVAL 1 DAY)"),
        ("i.date_due >= :due_from", "b.email LIKE '%@%'"),
        ("i.date_due >= :due_from", "b.email <> ''"),
        ("ORDER BY i.issue_id", "ORDER BY i.issue_id LIMIT 10"),
        ("ORDER BY i.issue_id", "ORDER BY i.issue_id;"),
        ("ORDER BY i.issue_id", "FOR UPDATE"),
        ("AS loan_key", "AS `loan_key`"),
        ("b.surname ", "b.surname || b.firstname "),
    ],
)
def test_each_rule_catches_its_fault(text, instead):
    planted = SQL["koha", "loans_due"].replace(text, instead)
    assert planted != SQL["koha", "loans_due"]
    assert faults(planted) != []


@pytest.mark.parametrize("system", SYSTEMS, ids=BY_NAME)
def test_the_settings_give_a_value_for_each_bind_and_a_form_for_each_choice(system):
    due, now = (SQL[system.name, name] for name in ("loans_due", "loan_now"))
    binds = system.settings.binds().keys()
    assert bind_names(due) - DAYS.keys() | bind_names(now) - {"loan_key", "loan_number"} == binds
    consent = {"sms_consent": "unasked"} if system is PMB else {}
    chosen = {**system.settings.choices(), **consent, "birth_date": "unasked"}
    assert {name: forms[0] for name, forms in offered(due).items()} == chosen


@pytest.fixture(scope="module")
def golden():
    return make_library(today=TODAY, patrons=300, loans=1500)


@pytest.fixture(scope="module")
def on_mariadb(mariadb_server, golden):
    with (
        database_of(KOHA, mariadb_server, KOHA.tables(golden, today=TODAY)) as koha,
        database_of(PMB, mariadb_server, PMB.tables(golden, today=TODAY)) as pmb,
    ):
        yield mariadb_server, {"koha": koha.name, "pmb": pmb.name}


@pytest.fixture(scope="module")
def on_postgres(postgres_server, golden):
    with database_of(SIERRA, postgres_server, SIERRA.tables(golden, today=TODAY)) as sierra:
        yield postgres_server, sierra.name


def asked(system, name):
    """A statement as the gateway sends it, with `%(name)s` for each bind, and their values."""
    sql = final_text(SQL[system.name, name], system.settings.choices())
    offer = {**system.settings.binds(), **DAYS}
    if name == "loan_now":
        sql, keys = together(sql, [f"{number}-{number}" for number in range(1, 50)])
        offer |= keys
    return re.sub(r"(?<!:):([a-z]\w*)", r"%(\1)s", re.sub(r"--[^\n]*", "", sql), flags=re.IGNORECASE), values_named(
        sql, offer
    )


@pytest.mark.parametrize("name", ["loans_due", "loan_now"])
@pytest.mark.parametrize("kind", ["koha", "pmb"])
def test_mariadb_reads_every_table_but_the_loans_by_its_keys(on_mariadb, kind, name):
    server, databases = on_mariadb
    sql, values = asked(BY_NAME[kind], name)
    with connection_to(BY_NAME[kind], server, databases[kind]) as connection, connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", values)
        place = {column[0]: number for number, column in enumerate(cursor.description)}
        plan = [(row[place["table"]], row[place["type"]]) for row in cursor.fetchall()]
    read_whole = {str(table) for table, how in plan if how in ("ALL", "index")}
    made_up = {table for table in read_whole if table.startswith(("<", "loan_now"))}  # the union's own
    # claims are few: they may be read once, whole
    loans = {"i", "r"} if kind == "koha" else {"p"}
    assert read_whole - made_up <= (loans if name == "loans_due" else set())
    assert len(plan) > 8


def test_the_columns_are_those_of_the_contract_in_their_order(on_mariadb, on_postgres):
    servers = {"koha": on_mariadb, "pmb": on_mariadb, "sierra": on_postgres}
    for kind, (server, name) in servers.items():
        sql, values = asked(BY_NAME[kind], "loans_due")
        with connection_to(BY_NAME[kind], server, name[kind] if isinstance(name, dict) else name) as connection:
            cursor = connection.cursor()
            cursor.execute(sql, values)
            assert [column[0] for column in cursor.description] == list(COLUMNS)


@pytest.mark.parametrize("name", ["loans_due", "loan_now"])
def test_postgresql_can_read_every_table_but_the_loans_by_its_keys(on_postgres, name):
    server, database = on_postgres
    sql, values = asked(SIERRA, name)
    with connection_to(SIERRA, server, database) as connection:
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_hashjoin = off")
        connection.execute("SET enable_mergejoin = off")
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {sql}", values))
    read_whole = set(re.findall(r"Seq Scan on (\w+)", plan))
    # lists of a site's own codes, a few lines each
    assert read_whole <= {"statistic_group", "patron_record_phone_type"}
    assert plan.count("Index Scan") + plan.count("Index Only Scan") > 8


PAGE = (SQL_FOLDER.parent / "docs" / "koha_sierra_pmb.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS, ids=BY_NAME)
def test_the_page_of_the_systems_names_every_setting_with_its_default(system):
    part = PAGE.partition(f"| `[ils.{system.name}]`")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| `(.*?)` \|", part, flags=re.MULTILINE))
    defaults = type(system.settings)().model_dump()
    assert {name: json.loads(value) for name, value in told.items()} == defaults


@pytest.mark.parametrize("kind", ["koha", "pmb"])
def test_the_grants_of_the_page_are_enough_and_no_more(on_mariadb, kind):
    server, databases = on_mariadb
    named = {"koha": "koha_library", "pmb": "bibli"}[kind]
    script = PAGE.partition(f'`ils.kind = "{kind}"`')[2].partition("```sql")[2].partition("```")[0]
    script = (
        re.sub(r"--[^\n]*", "", script)
        .replace(f"{named}.", f"{databases[kind]}.")
        .replace("REQUIRE SSL", "")
        .replace("…", "x")
    )
    account = f"r_{kind}"
    server.execute(*filter(str.strip, script.replace("reminders@'airflow.example.org'", f"{account}@'%'").split(";")))
    with server.connect(databases[kind], user=account, password="x") as connection, connection.cursor() as cursor:
        for name in ("loans_due", "loan_now"):
            sql, values = asked(BY_NAME[kind], name)
            assert cursor.execute(sql, values) >= 0
        with pytest.raises(pymysql.Error, match="denied"):
            cursor.execute("DELETE FROM issues" if kind == "koha" else "DELETE FROM pret")
        with pytest.raises(pymysql.Error, match="denied"):
            cursor.execute("SELECT * FROM borrowers" if kind == "koha" else "SELECT * FROM empr WHERE 1 = 0")
