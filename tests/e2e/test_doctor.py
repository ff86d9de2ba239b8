"""`loan-reminders doctor` as an administrator types it: on an installation that runs, and on one that is broken."""

from __future__ import annotations

import json
import shutil

import pytest

from loan_reminders.commands.doctor import CHECKS
from tests.scenes.world import closed_port

NOWHERE = {"conn_type": "generic", "host": "127.0.0.1", "login": "x", "password": "un-Secret-de-connexion"}
OF_SETTINGS = {"settings", "retention", "start"}
"""What is about decisions, not about what may break."""


@pytest.fixture(scope="module")
def asked(installation):
    """Run the command with changes of its environment; the status, each check by its name, and all that was said."""

    def doctor(*words, **changes):
        done = installation.command("doctor", "--json", *words, **changes)
        told = json.loads(done.stdout)
        [library] = told["libraries"]
        return done.returncode, {check["name"]: check for check in library["checks"]}, done.stdout + done.stderr

    return doctor


@pytest.fixture(scope="module")
def sound(asked):
    return asked()


def nowhere(kind, **more):
    return json.dumps(NOWHERE | {"conn_type": kind, "port": closed_port()} | more)


@pytest.fixture(scope="module")
def broken(asked, installation, tmp_path_factory):
    """Everything that one machine can break at once, each in its own way."""
    folder = tmp_path_factory.mktemp("broken")
    package, config = folder / "package", folder / "library.toml"
    shutil.copytree(installation.package, package)
    next(package.rglob("NotoSansHebrew-Regular.ttf")).unlink()
    text = installation.config.read_text(encoding="utf-8")
    config.write_text(text.replace("erase = true", "erase = false"), encoding="utf-8")
    words = folder / "library" / "templates" / "courtesy_notice" / "email" / "words.txt.j2"
    words.parent.mkdir(parents=True)
    words.write_text("{{ unheard_of }}\n", encoding="utf-8")
    (folder / "file").write_text("no folder", encoding="utf-8")
    return asked(
        PYTHONPATH=str(package),
        REMINDERS_CONFIG=str(config),
        REMINDERS_STORAGE=str(folder / "file"),
        REMINDERS_SMS_CALLBACK_TOKEN="un-autre-jeton-de-plus-de-vingt-quatre-signes",
        AIRFLOW_CONN_REMINDERS_LEDGER=nowhere("postgres", schema="ledger"),
        AIRFLOW_CONN_ILS_ORACLE=nowhere("oracle", extra={"service_name": "X"}),
        AIRFLOW_CONN_MAIL_RELAY=nowhere("smtp", extra={"login_in_clear": True}),
        AIRFLOW_CONN_BOUNCE_MAILBOX=nowhere("imap"),
        AIRFLOW_CONN_ALLMYSMS=nowhere("http", extra={"login_in_clear": True}),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"postgresql+psycopg2://a:un-Secret-de-base@127.0.0.1:{closed_port()}/airflow",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        AIRFLOW__CORE__FERNET_KEY="",
        AIRFLOW__API__SECRET_KEY="secret",
        AIRFLOW__CORE__DEFAULT_TIMEZONE="utc",
    )


def test_every_check_is_made_on_an_installation_that_runs_and_none_says_that_it_cannot_work(sound):
    status, checks, _ = sound
    assert list(checks) == [check.name for check in CHECKS]
    failed = {name: check["findings"] for name, check in checks.items() if check["outcome"] == "failure"}
    assert failed == {}
    assert status == 1, "accounts of the development kind are to be looked at, for one"


@pytest.mark.parametrize("name", [check.name for check in CHECKS if check.name not in OF_SETTINGS])
def test_what_is_broken_is_said_with_what_it_means_and_what_to_do(broken, name):
    worst = "warning" if name in ("fonts", "clocks") else "failure"
    check = broken[1][name]
    assert check["outcome"] == worst, check
    [*_, finding] = [one for one in check["findings"] if one["outcome"] == worst]
    assert finding["what"]
    assert finding["means"]
    assert finding["do"]
    assert "inattendue" not in finding["what"], finding


def test_one_thing_that_is_broken_hides_no_other_and_no_secret_is_said(broken):
    status, checks, said = broken
    assert status == 2
    assert list(checks) == [check.name for check in CHECKS]
    assert checks["retention"]["outcome"] == "warning"
    for secret in ("un-Secret-de-connexion", "un-Secret-de-base", "un-autre-jeton"):
        assert secret not in said


def test_settings_that_cannot_be_read_are_told_with_file_and_key(installation, asked, tmp_path):
    text = installation.config.read_text(encoding="utf-8").replace('hour = "10:00"', 'hour = "25:00"')
    (tmp_path / "library.toml").write_text(text, encoding="utf-8")
    status, checks, _ = asked(REMINDERS_CONFIG=str(tmp_path / "library.toml"))
    assert (status, list(checks)) == (2, ["settings"])
    assert 'stages.overdue_notice.hour = "25:00"' in " ".join(checks["settings"]["findings"][0]["details"])
