"""The DAGs of several libraries as Airflow reads them: ids, tags, hours; a wrong file stops its own library alone."""

from __future__ import annotations

import os
from datetime import date
from types import SimpleNamespace

import pytest

from loan_reminders.domain.errors import SettingsError, TemplateError
from loan_reminders.domain.stages import Stage
from loan_reminders.french.task_names import DAGS
from loan_reminders.settings.library_toml import ROOT
from tests.scenes.several_libraries import settings_of, use, write_libraries

NAMES = set(DAGS)


def read_dags():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"), collect_dags=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    later = (('[stages.courtesy_notice]\noffset_days = -2\nhour = "07:00"',
              '[stages.courtesy_notice]\noffset_days = -2\nhour = "06:30"'),
             ('time_zone = "Europe/Paris"', 'time_zone = "Indian/Reunion"'))  # fmt: skip
    return use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline", colline=later))


def test_each_library_has_every_dag_with_its_code_its_tag_and_its_hour(folder):
    bag = read_dags()
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"{name}__{code}" for name in NAMES for code in ("rivage", "colline")}
    for dag_id, dag in bag.dags.items():
        name, _, code = dag_id.partition("__")
        assert dag.tags == {"relances", code}
        assert dag.dag_display_name.endswith(f" · BU {code.capitalize()}")
        assert dag.fileloc.endswith(f"/{name}.py")
    hours = {code: bag.dags[f"courtesy_notice__{code}"].timetable.serialize() for code in ("rivage", "colline")}
    assert [hours["rivage"]["expression"], hours["rivage"]["timezone"]] == ["0 7 * * *", "Europe/Paris"]
    assert [hours["colline"]["expression"], hours["colline"]["timezone"]] == ["30 6 * * *", "Indian/Reunion"]


def test_what_runs_every_hour_begins_at_a_minute_of_each_library(tmp_path, monkeypatch):
    use(monkeypatch, write_libraries(tmp_path / "libraries", *(f"bu{number:02}" for number in range(20))))
    bag = read_dags()
    told = [dag.timetable.serialize()["expression"] for dag_id, dag in bag.dags.items() if dag_id.startswith("watch__")]
    assert len(told) == 20
    assert len(set(told)) > 10
    assert all(expression.endswith(" * * * *") and 0 <= int(expression.split()[0]) < 60 for expression in told)


def test_a_wrong_file_is_one_import_error_and_the_other_libraries_keep_every_dag(folder):
    """Airflow makes every DAG of a file with an import error stale: the error must be of a file without DAGs."""
    (folder / "plage.toml").write_text(settings_of("plage", ('hour = "10:00"', 'hour = "25:00"')), encoding="utf-8")
    (folder / "copie.toml").write_text(settings_of("rivage"), encoding="utf-8")
    bag = read_dags()
    assert set(bag.dags) == {f"{name}__{code}" for name in NAMES for code in ("rivage", "colline")}
    [(file, message)] = bag.import_errors.items()
    assert file.endswith("libraries.py")
    assert not any(dag.fileloc.endswith("libraries.py") for dag in bag.dags.values())
    assert f"{folder / 'plage.toml'} : 1 valeur à corriger" in message
    assert 'stages.overdue_notice.hour = "25:00" : il faut une heure de 00:00 à 23:59' in message
    assert f"{folder / 'copie.toml'} : library.code" in message


def test_an_sms_that_cannot_fit_stops_the_first_task_of_its_library_and_of_no_other(folder):
    long = ('account_url = "https://bu-montclar.example/', f'account_url = "https://{"x" * 150}.example/')
    (folder / "rivage.toml").write_text(settings_of("rivage", long), encoding="utf-8")
    bag = read_dags()
    assert bag.import_errors == {}
    first = {code: bag.dags[f"overdue_notice__{code}"].get_task("extract_loans") for code in ("rivage", "colline")}
    first["colline"]._check_templates(date(2026, 11, 27))
    with pytest.raises(TemplateError, match=r"overdue_notice/sms/text.txt.j2 : jusqu'à 2"):
        first["rivage"]._check_templates(date(2026, 11, 27))


def test_an_empty_folder_is_an_import_error_that_says_what_to_put_there(tmp_path, monkeypatch):
    use(monkeypatch, tmp_path)
    bag = read_dags()
    [message] = bag.import_errors.values()
    assert f"{tmp_path} : ce dossier n'a aucun fichier de bibliothèque" in message
    assert bag.dags == {}


def test_a_process_that_runs_a_task_reads_the_file_of_its_library_alone(folder, monkeypatch):
    """Airflow's task runner says in its environment which DAG it needs (`get_parsing_context`)."""
    from airflow.dag_processing.dagbag import DagBag

    def read_for(dag_id):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        return DagBag(dag_folder=str(ROOT / "dags" / "overdue_notice.py"), collect_dags=True)

    def reading(self, *how, **more):
        read.append(self.name)
        return opened(self, *how, **more)

    (folder / "plage.toml").write_text("?", encoding="utf-8")
    read, opened = [], type(folder).read_text
    monkeypatch.setattr(type(folder), "read_text", reading)
    assert set(read_for("overdue_notice__rivage").dags) == {"overdue_notice__rivage"}
    assert {name for name in read if name.endswith(".toml")} == {"rivage.toml"}
    [message] = read_for("overdue_notice__plage").import_errors.values()
    assert "plage.toml : ce n'est pas du TOML valide" in message


def test_a_task_works_for_the_library_of_its_dag_in_whatever_thread(folder):
    from threading import Thread

    bag, seen = read_dags(), []
    for code in ("rivage", "colline"):
        task = bag.dags[f"overdue_notice__{code}"].get_task("send_sms")
        work = Thread(target=lambda task=task: seen.append((task.config.library.code, str(task.now().tzinfo))))
        work.start()
        work.join()
    assert seen == [("rivage", "Europe/Paris"), ("colline", "Indian/Reunion")]


def test_each_task_uses_the_connections_of_its_library(tmp_path, monkeypatch):
    own = (("[email]", '[email]\nconnection = "relais"'), ("[sms]", '[sms]\nconnection = "textos"'),
           ("[bounces]", '[bounces]\nconnection = "retours"'))  # fmt: skip
    use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline", rivage=own))
    asked = []

    class Connections:
        @staticmethod
        def get_connection(name):
            asked.append(name)
            return SimpleNamespace(
                conn_id=name,
                host="h",
                port=1,
                login="l",
                password="p",
                schema="http",
                extra_dejson={},
                conn_type="http",
            )

    for hook in ("mail_relay", "bounce_mailbox"):
        monkeypatch.setattr(f"loan_reminders.hooks.{hook}.BaseHook", Connections)
    monkeypatch.setattr("airflow.sdk.BaseHook.get_connection", Connections.get_connection)
    bag = read_dags()
    for code in ("rivage", "colline"):
        bag.dags[f"mail_feedback__{code}"].get_task("read_bounces").mailbox()
        sms = bag.dags[f"overdue_notice__{code}"].get_task("send_sms")
        sms.run_id = 1
        sms._provider(sms.now().date())
    assert asked == ["retours", "textos", "bounce_mailbox", "allmysms"]


def test_the_buttons_of_a_task_lead_to_the_pages_of_its_library(folder):
    from loan_reminders.operators.links import BatchLink, MissedDaysLink

    bag = read_dags()
    task = bag.dags["registered_letter__colline"].get_task("extract_loans")
    assert MissedDaysLink().get_link(task, ti_key=None) == "relances/colline/tournees/jours-manques"
    letters = bag.dags["registered_letter__colline"].get_task("print_registered_letters")
    letters.run_id = 7
    assert BatchLink().get_link(letters, ti_key=None) == "relances/colline/tournees/7/lots"


def test_the_watch_asks_about_the_dags_of_its_library():
    from loan_reminders.operators.watch_runs import AirflowRuns

    class Airflow:
        def get_dr_count(self, **asked):
            return len(asked["dag_id"])

    runs = AirflowRuns(Airflow(), library="rivage")
    assert runs.active_runs(Stage.FIRST_REMINDER) == len("first_reminder__rivage")


def test_without_a_library_that_is_said_there_is_no_guess(folder):
    from loan_reminders.operators import WatchRuns

    with pytest.raises(SettingsError, match="plusieurs bibliothèques"):
        _ = WatchRuns().config
    assert "REMINDERS_CONFIG" in os.environ
