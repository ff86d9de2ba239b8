"""Passwords, keys and tokens come by environment or file: everybody on a machine may read a program's arguments.

What a running installation shows is looked at in tests/e2e/test_process_list.py; here, all that we tell people and
machines to run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "AIRFLOW_FERNET_KEY", "AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET", "REMINDERS_SMS_CALLBACK_TOKEN",
    "ALLMYSMS_API_KEY", "POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "LEDGER_DB_PASSWORD", "ORACLE_PASSWORD",
    "ILS_PASSWORD", "REDIS_PASSWORD",
}  # fmt: skip
"""What a secret is called where it comes by the environment."""
SECRET_NAME = r"(?:\w*(?:PASSWORD|PASSWD|_PWD|SECRET|TOKEN|API_?KEY|FERNET_KEY)\w*)"
SECRET_OPTION = r"(?:[a-z-]*(?:password|passwd|secret|token|api-?key|credential|conn-uri|callback)[a-z-]*)"
AN_OPTION = re.compile(rf"(?:^|[\s\"'`])--(?!conn-id\b){SECRET_OPTION}(?:[= ]|$)", re.IGNORECASE)
A_URL = re.compile(r"\w://[^\s/@:]+:[^\s/@]+@")
A_VARIABLE = re.compile(rf"\$\$?\{{?{SECRET_NAME}")
AN_ENVIRONMENT_OPTION = re.compile(rf"(?:^|\s)(?:-e|--env)[= ]\"?{SECRET_NAME}=", re.IGNORECASE)
EVERY = {"option": AN_OPTION, "URL": A_URL, "variable": A_VARIABLE, "environment option": AN_ENVIRONMENT_OPTION}
NOT_OUR_SECRET = re.compile(r"--callback-method\b")


def secrets_in(command: str) -> set[str]:
    """Which ways of giving a secret as an argument a command uses."""
    command = NOT_OUR_SECRET.sub("", command)
    found = {name for name, pattern in EVERY.items() if pattern.search(command)}
    return found | {name for name in SECRETS if re.search(rf"\$\$?\{{?{name}\b", command)}


@pytest.mark.parametrize(
    "command",
    [
        "loan-reminders migrate upgrade --url postgresql://ledger:hush@db/ledger",
        "psql postgresql://ledger:$LEDGER_DB_PASSWORD@db/ledger",
        "airflow connections add mail_relay --conn-password hush",
        "airflow connections add mail_relay --conn-uri smtp://u:p@h",
        "airflow users create --username biblio --password hush",
        "python -m tests.simulators.allmysms_server --api-key=${ALLMYSMS_API_KEY:?run docker/make-env.sh}",
        "curl --oauth2-bearer $REMINDERS_SMS_CALLBACK_TOKEN http://localhost",
        "sh -c 'redis-cli -a $$AIRFLOW_SECRET_KEY ping'",
        "docker run -e ORACLE_PASSWORD=hush gvenzl/oracle-free",
        "docker run --env APP_USER_PASSWORD=hush gvenzl/oracle-free",
    ],
)
def test_a_secret_given_as_an_argument_is_found(command: str) -> None:
    assert secrets_in(command)


@pytest.mark.parametrize(
    "command",
    [
        "loan-reminders migrate upgrade --url postgresql:///ledger?host=/run/postgresql",
        "docker run -e ORACLE_PASSWORD gvenzl/oracle-free",
        "docker compose exec allmysms cat /tmp/sms.jsonl",
        "airflow db migrate && loan-reminders migrate upgrade",
    ],
)
def test_other_arguments_are_not(command: str) -> None:
    assert secrets_in(command) == set()


def compose_commands() -> Iterator[tuple[str, str]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    for name, service in services.items():
        for words in (service.get("command"), service.get("entrypoint"), service.get("healthcheck", {}).get("test")):
            if words:
                yield f"docker-compose.yaml: {name}", words if isinstance(words, str) else " ".join(words)


def script_lines() -> Iterator[tuple[str, str]]:
    """What shells run; psql's \\getenv names a variable without showing it."""
    for path in (ROOT / "Makefile", ROOT / "Dockerfile", ROOT / ".ci/run", *sorted((ROOT / "docker").glob("*.sh"))):
        for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            if not line.lstrip().startswith("#"):
                yield path.relative_to(ROOT).as_posix(), line


def documented_lines() -> Iterator[tuple[str, str]]:
    """What the pages, the comments and the docstrings tell people to run."""
    pages = [path for path in ROOT.rglob("*.md") if not {".venv", "var"} & set(path.relative_to(ROOT).parts)]
    others = [ROOT / "docker-compose.yaml", ROOT / "library.toml"]
    for path in [*pages, *others, *(ROOT / "plugins").rglob("*.py"), *(ROOT / "sql").rglob("*.py")]:
        for line in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            if re.search(r"(^|[\s`])(python3? -m|loan-reminders|airflow|docker|psql|sqlplus|curl|sh|make) \w*", line):
                yield path.relative_to(ROOT).as_posix(), line


@pytest.mark.parametrize("lines", [compose_commands, script_lines, documented_lines])
def test_nothing_that_is_run_gets_a_secret_as_an_argument(lines: Any) -> None:
    found = [(place, line, secrets_in(line)) for place, line in lines()]
    assert len(found) > 10
    assert [told for told in found if told[2]] == []


def test_no_program_of_ours_offers_an_option_for_a_secret() -> None:
    files = [file for place in ("plugins", "sql", "tests", "dags") for file in (ROOT / place).rglob("*.py")]
    offered = [
        (file.relative_to(ROOT).as_posix(), word.value)
        for file in files
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for word in call.args
        if isinstance(word, ast.Constant)
    ]
    assert len(offered) > 30
    assert [option for option in offered if secrets_in(f" {option[1]} ")] == []
