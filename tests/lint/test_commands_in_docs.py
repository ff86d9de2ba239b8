"""Every command in the documentation: run here, or its target, sub-command and options are known to exist.

make X                         the target exists; `make help`, the cheap one, is run
loan-reminders X, python -m …  its --help is run, and knows every option that the page uses
airflow …                      Airflow's own parser takes it
the rest                       another test types it, the one that `ELSEWHERE` names for its page and program
"""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from loan_reminders.commands.registry import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ELSEWHERE = {
    ("docs/backup.md", "createdb pg_dump pg_restore tar"): "tests/ledger/test_backup.py",
    ("docs/install.md", "python export"): "tests/package/test_install_page.py",
    ("docs/deployment.md", "sh"): "tests/lint/test_docker_compose.py",  # what docker/make-env.sh writes
    # what its services run, as there is no Docker; its backups are in test_docker_backup.py beside it
    ("docs/deployment.md", "docker"): "tests/e2e/test_docker_commands.py",
    ("docs/droits_des_lecteurs.md", "docker"): "tests/e2e/test_docker_files.py",
    ("docs/bibliothecaires/contestation.md", "docker"): "tests/e2e/test_docker_files.py",
    ("docs/mise_en_service.md", "docker"): "tests/e2e/test_docker_files.py",
    ("docs/rights.md", "docker"): "tests/lint/test_docker_compose.py",  # the two files are Compose files
    ("docs/workers.md", "sh kubectl helm"): "tests/lint/test_helm_values.py",  # what the values ask of them; no cluster
    ("docs/several_libraries.md", "docker"): "tests/lint/test_docker_compose.py",
    ("docs/several_libraries.md", "python"): "tests/web/libraries/test_chooser.py",
}
"""Which test types, or tries as far as it can be tried here, the commands of a page that are not ours."""

ADDED = {
    "keycloak-auth-manager": "Keycloak's provider for Airflow is not installed here",
    "celery": "Airflow has this group where Celery is its executor: tests/e2e/test_several_workers.py types it",
}
"""Groups of Airflow's commands that a provider adds, and why they are not there."""

COMMAND = re.compile(r"`((?:make|loan-reminders|airflow) [^`\n]+|python -m loan_reminders[.\w]+[^`\n]*)`")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELLS = ("sh", "bash", "shell", "console")
TYPED = re.compile(r"^((?:make|loan-reminders|airflow|docker|sh|python) .*?)(?:  +[^ ].*)?$")
"""In a fence that may hold anything: a command, and what is said about it after some spaces."""


def commands(page: Path) -> list[str]:
    """What the page tells its reader to type: in fences, whole; in a sentence, what begins with one of ours."""
    text = page.read_text(encoding="utf-8")
    found = COMMAND.findall(FENCE.sub("", text))
    for language, block in FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            bare = line.strip().removeprefix("$ ")
            if language not in SHELLS:
                typed = None if language else TYPED.match(bare)
                bare = typed[1] if typed else ""
            if bare and not bare.startswith("#"):
                found.append(bare)
    return found


SAID = sorted({(page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in commands(page)})


def words_of(command: str) -> list[str]:
    words = shlex.split(command, comments=True)
    ends = [place for place, word in enumerate(words) if word.startswith(("|", ">", "&", ";"))]
    words = words[: ends[0]] if ends else words
    while words and re.fullmatch(r"[A-Z_][A-Z0-9_]*=.*", words[0]):
        words = words[1:]
    return words


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    if command in COMMANDS:
        main = COMMANDS[command].main()
    else:
        main = importlib.import_module(f"loan_reminders.commands.{command.replace('-', '_')}").main
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("page", "command"), SAID)
def test_the_command_can_be_typed(page: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(command)
    if words[:3] == ["python", "-m", "loan_reminders"]:
        words = ["loan-reminders", *words[3:]]
    if words[:1] == ["make"]:
        for target in (word for word in words[1:] if "=" not in word):
            assert re.search(rf"^{re.escape(target)}:.*##", MAKEFILE, flags=re.MULTILINE), target
    elif words[0] == "loan-reminders" or (words[:2] == ["python", "-m"] and words[2].startswith("loan_reminders")):
        ours, rest = (words[1], words[2:]) if words[0] == "loan-reminders" else (words[2].rpartition(".")[2], words[3:])
        if ours in ("--help", "--version"):
            return
        text = help_of(ours, capsys)
        for word in rest:
            option = word.partition("=")[0]
            if option.startswith("--"):
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), (option, text)
            elif option.isalpha() and option.islower() and rest.index(word) == 0:
                assert option in text, (option, text)
    elif words[0] == "airflow" and len(words) > 1:
        from airflow.cli.cli_parser import get_parser

        if words[1] in ADDED:
            pytest.skip(ADDED[words[1]])
        get_parser().parse_args(words[1:])
    else:
        tests = [test for (of, programs), test in ELSEWHERE.items() if of == page and words[0] in programs.split()]
        assert tests, f"{page}: say which test types `{command}`"


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_what_types_the_others_is_a_test(test: str) -> None:
    assert "def test_" in (ROOT / test).read_text(encoding="utf-8")


def test_make_help_runs() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make demo" in said


def test_there_are_commands_to_check() -> None:
    assert len(SAID) > 20
    assert any(command.startswith("airflow backfill") for _, command in SAID)
