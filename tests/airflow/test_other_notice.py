"""A notice of a library's own, made of three files: its DAG, and all its tasks to balanced books."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.stages import Stage
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import ROOT, settings
from tests.scenes.several_libraries import settings_of, use

NOTICE = "card_expires"
DAY = date(2026, 11, 27)
ENTRY = """
[notices.card_expires]
title = "avis de fin de carte"
hour = "17:00"
days_back = 2
channels = [{ channel = "email" }, { channel = "sms", conditions = { categories = ["student"] } }]
"""
SQL = """
SELECT c.id AS notice_key, c.ends_on AS notice_date, c.reader AS patron_id, NULL AS patron_barcode,
       c.category AS patron_status, NULL AS patron_type, c.name AS last_name, 'Zoé' AS first_name, NULL AS full_name,
       NULL AS language, c.email AS email, c.mobile AS phone_sms, NULL AS phone_1, NULL AS phone_2, NULL AS phone_3,
       NULL AS phone_4, c.title AS title, NULL AS author, NULL AS call_number, NULL AS volume, NULL AS item_barcode,
       'BUDRT' AS branch
       /*{birth_date:unasked*/ /*|asked: , c.born AS birth_date }*/
  FROM cards c
 WHERE c.ends_on >= :due_from AND c.ends_on < :due_to
 ORDER BY c.reader, c.id
"""
TEMPLATES = {
    "email/subject.txt.j2": "Votre carte expire bientôt\n",
    "email/words.txt.j2": (
        "{% block message %}\nVotre carte expire dans un mois.\n{% endblock %}\n"
        "{% block advice %}\nPassez à l'accueil.\n{% endblock %}\n{% block thanks %}\nMerci.\n{% endblock %}\n"
    ),
    "sms/text.txt.j2": "{{ library.short_name }} : votre carte expire dans un mois.\n",
}
CARDS = """
    CREATE TABLE cards
        (id text, ends_on date, reader text, category text, name text, email text, mobile text, title text, born date)
"""
OPEN = 'window = { opens = "10:00", closes = "19:00", weekdays = [1, 2, 3, 4, 5, 6], on_holidays = false'


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The three files, in a folder of libraries; the ILS is a PostgreSQL."""
    folder = tmp_path / "libraries"
    statement = folder / "sql" / "view" / "notices" / f"{NOTICE}.sql"
    statement.parent.mkdir(parents=True)
    statement.write_text(SQL, encoding="utf-8")
    for name, words in TEMPLATES.items():
        file = folder / "montclar" / "templates" / NOTICE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words, encoding="utf-8")
    always = OPEN.replace("10:00", "00:00").replace("19:00", "24:00").replace("6]", "6, 7]").replace("false", "true")
    text = settings_of("montclar", ('kind = "aleph"', 'kind = "view"'), (OPEN, always))
    (folder / "montclar.toml").write_text(text + ENTRY, encoding="utf-8")
    (folder / "rivage.toml").write_text(settings_of("rivage"), encoding="utf-8")
    return use(monkeypatch, folder)


@pytest.fixture
def cards(postgres_server, monkeypatch):
    """The table of the ILS; the fixture runs statements on it."""
    name = postgres_server.create_database()
    postgres_server.execute(CARDS, database=name)
    connection = {
        "conn_type": "postgres",
        "host": str(postgres_server.socket_folder),
        "login": "postgres",
        "schema": name,
    }
    monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps(connection))
    yield lambda statement: postgres_server.execute(statement, database=name)
    postgres_server.drop_database(name)


def a_card(number, day, *, reader=1, category="01", email=True, mobile=True, born="1999-01-01"):
    key = "NULL" if number is None else f"'{number}'"
    mail = f"'lecteur{reader}@etu.example.org'" if email else "NULL"
    phone = f"'06 00 00 12 {reader:02}'" if mobile else "NULL"
    values = f"{key}, '{day}', 'P{reader}', '{category}', 'Dupont', {mail}, {phone}, 'Carte {number}', '{born}'"
    return f"INSERT INTO cards VALUES ({values})"


class Tasks:
    """The tasks of the notice's DAG, as their operators run them on a day, on a world's ledger and servers."""

    def __init__(self, world, monkeypatch, tmp_path):
        from loan_reminders.operators import base

        self.world, self.today, self.runs = world, DAY, 0
        monkeypatch.setattr(base.Installed, "ledger", lambda _: world.ledger)
        monkeypatch.setattr(base.Installed, "now", lambda task: self.now(task.config.zone))
        plain = {"disable_ssl": True, "disable_tls": True}
        sms = {"conn_type": "http", "port": urlsplit(world.sms.base_url).port, "schema": "http"}
        provider = world.sms.provider
        for name, connection in {
            "MAIL_RELAY": {"conn_type": "smtp", "port": world.mail.port, "extra": plain},
            "ALLMYSMS": {
                **sms,
                "login": provider.login,
                "password": provider.api_key,
                "extra": {"login_in_clear": True},
            },
        }.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({"host": "127.0.0.1", **connection}))

    def now(self, zone):
        return datetime.combine(self.today, datetime.min.time(), zone).replace(hour=17)

    def run(self, name, **arguments):
        from airflow.sdk import DAG

        from loan_reminders import operators

        with DAG(dag_id=f"{NOTICE}__montclar", schedule=None), of_library("montclar"):
            task = getattr(operators, name)(default_args={"stage": Stage(NOTICE)}, **arguments)
        instance = SimpleNamespace(id="1", try_number=1, max_tries=4)
        moment = self.now(settings_zone())
        run = SimpleNamespace(logical_date=moment, run_after=moment, run_id=f"run {self.runs}", run_type="scheduled")
        context = {"ti": instance, "dag_run": run, "params": {"reference_date": None, "dry_run": self.dry_run}}
        return task.execute({**context, "task_instance": instance})

    def begin(self, *, dry_run=False):
        """Up to the question about the volume, which is usual."""
        self.runs, self.dry_run = self.runs + 1, dry_run
        run_id = self.run("ExtractLoans")
        self.run("PlanNotices", run_id=run_id)
        assert self.run("ConfirmVolume", run_id=run_id) == 0
        return run_id

    def end(self, run_id) -> Books:
        self.run("SendEmails", run_id=run_id)
        self.run("SendSms", run_id=run_id)
        self.run("CloseRun", run_id=run_id)
        return self.world.ledger.close_run(run_id)

    def whole(self, **how):
        return self.end(self.begin(**how))


def settings_zone():
    with of_library("montclar"):
        return settings().zone


@pytest.fixture
def tasks(library, world, monkeypatch, tmp_path):
    return Tasks(world, monkeypatch, tmp_path)


def test_the_three_files_make_a_dag_of_their_library_and_of_no_other(library):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / "other_notices.py"), collect_dags=True)
    assert bag.import_errors == {}
    [(dag_id, dag)] = bag.dags.items()
    assert dag_id == "card_expires__montclar"
    assert dag.dag_display_name == "Avis de fin de carte · BU Montclar"
    assert dag.timetable.serialize()["expression"] == "0 17 * * *"
    assert set(dag.task_ids) == {
        "extract_loans", "plan_notices", "confirm_volume", "send_emails", "send_sms", "close_run",
    }  # fmt: skip
    assert dag.get_task("close_run").upstream_task_ids >= {"send_emails", "send_sms"}
    assert dag.doc_md.startswith("## ")


def test_all_tasks_run_to_balanced_books_and_tell_each_request_once(tasks, cards, world):
    for card in (
        a_card(1, DAY),
        a_card(2, DAY),
        a_card(3, DAY - timedelta(days=2), reader=2, category="10"),
        a_card(4, DAY, reader=3, email=False, mobile=False),
        a_card(None, DAY, reader=4),
        a_card(5, DAY - timedelta(days=3), reader=5),
        a_card(6, DAY + timedelta(days=1), reader=6),
    ):
        cards(card)
    books = tasks.whole()
    assert world.mailed_to() == ["lecteur1@etu.example.org", "lecteur2@etu.example.org"]
    assert world.texted_to() == ["33600001201"]
    assert (books.loans_extracted, books.loans_in_notices, books.notices) == (5, 3, 2)
    assert books.skipped == {"no_recipient": 1, "invalid_row": 1}
    assert books.problems() == ()
    [first, _] = sorted(world.mail.messages(), key=lambda message: str(message["To"]))
    words = first.get_body(("plain",)).get_content()
    assert "Votre carte expire dans un mois." in words
    assert "Carte 1" in words
    assert "Carte 2" in words
    assert "rendre" not in words
    assert world.sms.provider.accepted[0].text == "BU Montclar : votre carte expire dans un mois. STOP au 36180"

    tasks.today += timedelta(days=1)
    again = tasks.whole()
    assert world.mailed_to() == [f"lecteur{number}@etu.example.org" for number in (1, 2, 6)]
    assert again.skipped == {"already_sent": 2, "no_recipient": 1, "invalid_row": 1}
    assert again.problems() == ()


def test_a_library_with_a_rule_for_minors_asks_the_statement_for_birth_dates(tasks, cards, world, library):
    rule = library / "montclar.toml"
    rule.write_text(rule.read_text(encoding="utf-8").replace('minors = "same"', 'minors = "never"'), encoding="utf-8")
    cards(a_card(1, DAY, born="2008-11-28"))
    cards(a_card(2, DAY, reader=2, born="2008-11-27"))
    assert tasks.whole().problems() == ()
    assert world.mailed_to() == ["lecteur1@etu.example.org", "lecteur2@etu.example.org"]
    assert world.texted_to() == ["33600001202"]


def test_what_the_statement_does_not_give_any_more_is_not_told(tasks, cards, world):
    cards(a_card(1, DAY))
    cards(a_card(2, DAY - timedelta(days=1), reader=2))
    cards(a_card(3, DAY, reader=3))
    run_id = tasks.begin()
    cards("DELETE FROM cards WHERE id IN ('2', '3')")
    books = tasks.end(run_id)
    assert world.mailed_to() == ["lecteur1@etu.example.org"]
    assert books.problems() == ()


def test_a_dry_run_writes_the_messages_and_sends_none(tasks, cards, world):
    cards(a_card(1, DAY))
    tasks.whole(dry_run=True)
    assert (world.mailed_to(), world.texted_to()) == ([], [])
    assert tasks.whole().problems() == ()
    assert world.mailed_to() == ["lecteur1@etu.example.org"]


def test_without_an_entry_there_is_no_such_dag(monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / "other_notices.py"), collect_dags=True)
    assert (bag.dags, bag.import_errors) == ({}, {})
