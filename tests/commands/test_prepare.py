"""What an installation is told before it starts: what is missing, in sentences; and nothing is begun."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from loan_reminders.commands import prepare
from loan_reminders.settings.library_toml import ROOT, forget_settings
from tests.scenes.alerted_team import told_to
from tests.scenes.several_libraries import EXAMPLE, use, write_libraries

CONNECTIONS = ("REMINDERS_LEDGER", "ILS_ORACLE", "MAIL_RELAY", "ALLMYSMS")
WHOLE = {"conn_type": "generic", "host": "server.example", "login": "relances", "password": "hush-hush"}


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The settings of a library that is not the fictional one, and all of its connections."""
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    settings = tmp_path / "library.toml"
    settings.write_text(re.sub(r'(?m)^email = ".*"$', 'email = "pret@bu.univ-ailleurs.fr"', text, count=1), "utf-8")
    monkeypatch.setenv("REMINDERS_CONFIG", str(settings))
    monkeypatch.delenv("REMINDERS_DEMO", raising=False)
    for name in CONNECTIONS:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(WHOLE))
    return settings


def test_nothing_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.main(["--verifier"]) == 0
    assert capsys.readouterr() == ("", "")


def test_without_the_ledger_nothing_starts_and_no_form_is_named_that_does_not_run_yet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    for arguments in (["--verifier"], []):
        assert prepare.main(arguments) == 1
        out, told = capsys.readouterr()
        assert (out, told.startswith("Connexion reminders_ledger : manque")) == ("", True)
        assert "secrets/connections.json" in told
        assert "interface" not in told
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(WHOLE | {"host": ""}))
    assert prepare.main(["--verifier"]) == 1
    assert "host à remplir" in capsys.readouterr().err


def test_each_other_connection_that_is_missing_or_empty_is_named_and_all_starts_for_its_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps(WHOLE | {"host": "", "login": ""}))
    monkeypatch.setenv("AIRFLOW_CONN_MAIL_RELAY", json.dumps({"conn_type": "smtp", "host": ""}))
    monkeypatch.setenv("AIRFLOW_CONN_ALLMYSMS", "no connection at all")
    assert prepare.main(["--verifier"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [re.search(r"Connexion (\w+) : ", line)[1] for line in told] == [  # type: ignore[index]
        "ils_oracle", "mail_relay", "allmysms",
    ]  # fmt: skip
    assert "host et login à remplir" in told[0]
    assert "host à remplir" in told[1], "a relay may know its senders by their address"
    assert all("interface d'Airflow" in line and "secrets/connections.json" in line for line in told)
    assert "hush" not in "".join(told)


def test_a_library_without_sms_needs_no_account_for_them(
    ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ALLMYSMS")
    assert prepare.main(["--verifier"]) == 0
    assert "Connexion allmysms : manque" in capsys.readouterr().out
    text = ours.read_text(encoding="utf-8")
    ours.write_text(re.sub(r'(?m)^ *\{ channel = "sms".*$', "", text), encoding="utf-8")
    forget_settings()
    assert prepare.main(["--verifier"]) == 0
    assert capsys.readouterr().out == ""


def test_the_connections_are_those_that_the_settings_name(
    ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ours.read_text(encoding="utf-8")
    for section, conn_id in (("email", "smtp_bu"), ("sms", "sms_bu")):
        assert f"\n[{section}]" in text
        text = re.sub(rf"(?m)^\[{section}\].*$", rf'[{section}]\nconnection = "{conn_id}"', text)
    ours.write_text(text, encoding="utf-8")
    forget_settings()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_BU", json.dumps({"conn_type": "smtp", "host": "relay.example"}))
    monkeypatch.delenv("AIRFLOW_CONN_MAIL_RELAY")
    monkeypatch.delenv("AIRFLOW_CONN_ALLMYSMS")
    assert prepare.main(["--verifier"]) == 0
    [told] = capsys.readouterr().out.splitlines()
    assert "Connexion sms_bu : manque" in told


def test_the_server_of_alerts_is_wanted_where_somebody_is_told(
    ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told_to(ours.parent, ["equipe@bu.univ-ailleurs.fr"])
    ours.write_text(ours.read_text("utf-8").replace("bu-montclar.example", "bu.univ-ailleurs.fr"), "utf-8")
    forget_settings()
    assert prepare.main(["--verifier"]) == 0
    assert "Connexion alert_relay : manque" in capsys.readouterr().out
    monkeypatch.setenv("AIRFLOW_CONN_ALERT_RELAY", json.dumps({"conn_type": "smtp", "host": "relay.example"}))
    assert prepare.main(["--verifier"]) == 0
    assert capsys.readouterr().out == ""


def test_the_fictional_library_starts_in_the_demo_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REMINDERS_CONFIG", str(ROOT / "library.toml"))
    assert prepare.main(["--verifier"]) == 1
    assert "encore celui de la bibliothèque fictive" in capsys.readouterr().err
    monkeypatch.setenv("REMINDERS_DEMO", "demo,scale")
    assert prepare.main(["--verifier"]) == 0


def test_what_is_missing_stops_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(WHOLE | {"login": ""}))
    assert prepare.main([]) == 1
    out, err = capsys.readouterr()
    assert (out, "reminders_ledger : login à remplir" in err) == ("", True)


def test_a_folder_without_a_library_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Docker makes an empty folder of one that is missing."""
    (folder := tmp_path / "libraries").mkdir()
    monkeypatch.setenv("REMINDERS_CONFIG", str(folder))
    assert prepare.main(["--verifier"]) == 1
    assert f"{folder} : ce dossier n'a aucun fichier de bibliothèque" in capsys.readouterr().err


REAL = (re.search(r'(?m)^email = ".*"$', EXAMPLE)[0], 'email = "pret@bu.univ-ailleurs.fr"')  # type: ignore[index]
WRONG = ('hour = "10:00"', 'hour = "25:00"')


def test_a_wrong_file_of_a_folder_is_told_and_keeps_no_other_library_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "libraries"
    sound = {"colline": [REAL], "plage": [REAL]}
    use(monkeypatch, write_libraries(folder, "colline", "plage", "rivage", **sound, rivage=[REAL, WRONG]))
    assert prepare.main(["--verifier"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    told = "À corriger (les autres bibliothèques ne l'attendent pas) : "
    assert out.count(told) == 1
    assert f"{told}{folder / 'rivage.toml'}" in out
    assert 'stages.overdue_notice.hour = "25:00" : il faut une heure' in out


def test_the_fictional_library_among_others_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file can be read: once its DAGs were turned on, it would write in an invented name to real readers."""
    folder = tmp_path / "libraries"
    use(monkeypatch, write_libraries(folder, "colline", "montclar", colline=[REAL]))
    assert prepare.main(["--verifier"]) == 1
    told = f"{folder / 'montclar.toml'} est encore celui de la bibliothèque fictive"
    assert capsys.readouterr().err.startswith(told)


def test_a_folder_without_a_sound_file_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", rivage=[REAL, WRONG]))
    assert prepare.main(["--verifier"]) == 1
    out, err = capsys.readouterr()
    assert (out, "25:00" in err) == ("", True)


def test_wrong_settings_are_told_as_they_are(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours.write_text("library = 3", encoding="utf-8")
    assert prepare.main(["--verifier"]) == 1
    assert "library.toml" in capsys.readouterr().err
