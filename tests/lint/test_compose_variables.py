"""What the program and single sign-on read from the environment, Docker Compose passes to the containers."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulators.compose_file import COMPOSE, OVERLAYS, ROOT, VARIABLE

NOT_PASSED = {
    "REMINDERS_SMS_CALLBACK_TOKEN": "a secret comes by file",
    "REMINDERS_LEDGER_URL": "another ledger, for one command",
    "REMINDERS_LEDGER_URL_FILE": "another ledger, for one command",
}


def named(prefix: str, *folders: str) -> set[str]:
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {found for file in files for found in re.findall(rf"\b{prefix}_[A-Z_]+", _text(file))}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_every_variable_that_the_program_reads_is_passed() -> None:
    passed = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    assert named("REMINDERS", "plugins", "deploy", "dags") - passed == NOT_PASSED.keys()


def test_every_variable_of_single_sign_on_is_passed_with_the_value_that_it_has_without() -> None:
    passed = OVERLAYS["sso"]["services"]["init"]["environment"]
    assert named("OIDC", "deploy/sso") == {name for name in passed if name.startswith("OIDC_")}
    code = "".join(map(_text, (ROOT / "deploy/sso").glob("*.py")))
    for name, value in re.findall(r'environ\.get\("(OIDC_\w+)", "([^"]*)"\)', code):
        found = VARIABLE.fullmatch(passed[name])
        assert found is not None
        assert found.groups() == (name, "-", value)
