"""How checks are run and told: whatever one does, the others are done, and the status says the worst."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime

import pytest

from loan_reminders.commands import doctor as command
from loan_reminders.commands.installation.findings import Check, failure, fine, warning
from loan_reminders.domain.errors import IlsRejected, LedgerRefusal, LedgerUnavailable, MailRelayUnavailable
from loan_reminders.settings.library_toml import ROOT, forget_settings

READER = "Camille Introuvable"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def check(name, run, seconds=5.0):
    return Check(name=name, title=f"Le {name}", seconds=seconds, run=run)


def raising(error):
    def run(_):
        raise error

    return run


def run(*checks, arguments=()):
    out = io.StringIO()
    status = command.main(list(arguments), now=lambda: NOW, stopwatch=lambda: 0.0, out=out, checks=checks)
    return status, out.getvalue()


WELL = check("a", lambda _: [fine("Bien", "un détail")])
SO_SO = check("b", lambda _: [fine("Bien"), warning("Moyen", means="Voilà.", remedy="regarder")])
BAD = check("c", lambda _: [failure("Mal", means="Rien ne va.", remedy="réparer")])


@pytest.mark.parametrize(
    ("checks", "status", "end"),
    [
        ([WELL], 0, "Tout va bien.\n"),
        ([WELL, SO_SO], 1, "1 point à regarder.\n"),
        ([WELL, SO_SO, BAD], 2, "1 échec, 1 point à regarder.\n"),
    ],
)
def test_the_status_is_the_worst_finding(checks, status, end):
    found, said = run(*checks)
    assert found == status
    assert said.endswith(end)


def test_a_finding_says_what_is_so_what_it_means_and_what_to_do():
    assert run(BAD)[1].splitlines()[:4] == [
        "✗ Le c (0,0 s)",
        "    ✗ Mal",
        "      Rien ne va.",
        "      → Réparer.",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MailRelayUnavailable("Le serveur x ne répond pas. Nouvel essai automatique"), "Le serveur x ne répond pas"),
        (LedgerUnavailable(LedgerRefusal.NO_FREE_CONNECTION), "registre"),
        (IlsRejected("x", cause="ORA-01017, refus", remedy="demander un mot de passe"), "ORA-01017, refus"),
        (KeyError(READER), "Erreur inattendue : KeyError"),
    ],
)
def test_a_check_that_breaks_is_a_failure_and_the_others_go_on(error, words):
    status, said = run(check("broken", raising(error)), WELL)
    assert status == 2
    assert words in said
    assert "✓ Le a" in said
    assert READER not in said


def test_a_check_that_takes_too_long_is_left_behind():
    began = time.monotonic()
    status, said = run(check("slow", lambda _: time.sleep(30), seconds=0.2), WELL)
    assert time.monotonic() - began < 10
    assert status == 2
    assert "✗ Pas de réponse en 0.2 s" in said
    assert "✓ Le a" in said


def test_for_a_program_it_is_one_object_of_a_form_that_stays(capsys):
    status, said = run(SO_SO, BAD, arguments=["--json"])
    told = json.loads(said)
    assert status == 2
    assert (told["version"], told["outcome"], told["at"]) == (1, "failure", "2026-11-27T08:00:00+00:00")
    (library,) = told["libraries"]
    assert library["library"] == "montclar"
    assert [(one["name"], one["outcome"]) for one in library["checks"]] == [("b", "warning"), ("c", "failure")]
    assert library["checks"][1]["findings"] == [
        {"outcome": "failure", "what": "Mal", "means": "Rien ne va.", "do": "réparer", "details": []}
    ]
    assert capsys.readouterr().err.splitlines() == ["[1/2] Le b…", "[2/2] Le c…"]


def test_settings_that_are_wrong_are_the_only_finding(tmp_path, monkeypatch):
    text = (ROOT / "library.toml").read_text(encoding="utf-8").replace('hour = "10:00"', 'hour = "25:00"')
    (tmp_path / "library.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))
    status, said = run(WELL)
    assert status == 2
    assert 'stages.overdue_notice.hour = "25:00"' in said
    assert "rien ne tourne" in said
    assert "Le a" not in said


def test_one_check_may_be_asked_for_alone(doctor, monkeypatch):
    status, said = doctor("fonts")
    assert status == 0
    assert said.startswith("✓ Polices (")


def test_its_help_is_french(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "afficher cette aide" in said
    assert "Code de retour" in said


@pytest.fixture
def two_libraries(tmp_path, monkeypatch):
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    for code in ("montclar", "valmy"):
        (tmp_path / f"{code}.toml").write_text(text.replace('code = "montclar"', f'code = "{code}"'), encoding="utf-8")
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path))
    return tmp_path


def current(_):
    from loan_reminders.settings.library_toml import settings

    return [fine(f"Ici {settings().library.code}")]


def test_each_of_several_libraries_is_checked_as_itself_and_what_is_common_once(two_libraries):
    ours, common = check("own", current), Check(name="c", title="Le commun", seconds=5, run=current, common=True)
    status, said = run(ours, common)
    assert status == 0
    assert [line.strip() for line in said.splitlines() if "Ici" in line or "==" in line] == [
        "== montclar",
        "✓ Ici montclar",
        "✓ Ici montclar",
        "== valmy",
        "✓ Ici valmy",
    ]
    told = json.loads(run(ours, common, arguments=["--json"])[1])
    assert [one["library"] for one in told["libraries"]] == ["montclar", "valmy"]


def test_one_of_several_may_be_asked_for_and_one_that_is_wrong_stops_no_other(two_libraries):
    assert "valmy" not in run(check("own", current), arguments=["--bibliotheque", "montclar"])[1]
    status, said = run(check("own", current), arguments=["--bibliotheque", "ailleurs"])
    assert status == 2
    assert "pas de bibliothèque « ailleurs »" in said
    (two_libraries / "montclar.toml").write_text("rien", encoding="utf-8")
    forget_settings()
    status, said = run(check("own", current))
    assert status == 2
    assert "Réglages illisibles ou faux" in said
    assert "✓ Ici valmy" in said


def test_the_only_library_of_a_folder_has_no_others_that_go_on(two_libraries):
    (two_libraries / "valmy.toml").unlink()
    (two_libraries / "montclar.toml").write_text("rien", encoding="utf-8")
    forget_settings()
    _, said = run(check("own", current))
    assert "rien ne tourne" in said
    assert "celles des autres" not in said


def test_what_is_common_is_checked_though_the_first_library_cannot_be_read(two_libraries):
    (two_libraries / "montclar.toml").write_text("rien", encoding="utf-8")
    forget_settings()
    common = Check(name="c", title="Le commun", seconds=5, run=current, common=True)
    status, said = run(check("own", current), common)
    assert status == 2
    assert said.count("✓ Le commun") == 1
    assert "rien ne tourne" not in said
    assert "celles des autres" in said
    told = json.loads(run(common, arguments=["--json"])[1])
    assert [[one["name"] for one in library["checks"]] for library in told["libraries"]] == [["settings"], ["c"]]
