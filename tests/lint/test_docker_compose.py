"""docker-compose.yaml and what it names: all that can be checked without Docker."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from loan_reminders.ledger.address import from_text
from sql.demo.generator import make_library
from sql.demo.tables import SCHEMA, TABLES

ROOT = Path(__file__).resolve().parents[2]
HOME = "/opt/relances/"
VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")
MAY_BE_EMPTY = "${REMINDERS_SMS_CALLBACK_NETWORKS:-}"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
ONE_SHOTS = {"init", "library"}
AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer"}


def texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        node = [*node.keys(), *node.values()]
    if isinstance(node, list):
        for child in node:
            yield from texts(child)
    elif node is not None:
        yield str(node)


def filled(node: Any, values: dict[str, str]) -> Any:
    """What Compose makes of the file with these values in .env."""
    if isinstance(node, dict):
        return {key: filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(value, values) for value in node]
    if isinstance(node, str):
        return VARIABLE.sub(lambda found: values[found[1]], node).replace("$$", "$")
    return node


def read_env(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What docker/make-env.sh writes."""
    folder = tmp_path_factory.mktemp("env")
    shutil.copytree(ROOT / "docker", folder / "docker")
    shutil.copy(ROOT / ".env.example", folder)
    subprocess.run([folder / "docker/make-env.sh"], check=True)
    written = folder / ".env"
    made = written.read_text(encoding="utf-8")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert subprocess.run([folder / "docker/make-env.sh"], stderr=subprocess.DEVNULL, check=False).returncode != 0
    assert written.read_text(encoding="utf-8") == made, "an .env that exists is left alone"
    return read_env(made)


@pytest.fixture(scope="module")
def services(secrets: dict[str, str]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = filled(SERVICES, secrets)
    return made


def test_every_variable_is_in_the_example_and_none_is_for_nothing() -> None:
    assert {found[1] for text in texts(COMPOSE) for found in VARIABLE.finditer(text)} == set(read_env(EXAMPLE))


def test_nothing_else_is_interpolated_and_a_missing_value_stops_compose() -> None:
    odd = {text for text in texts(COMPOSE) if "$" in VARIABLE.sub("", text).replace("$$", "")}
    assert odd == {MAY_BE_EMPTY}
    assert "# REMINDERS_SMS_CALLBACK_NETWORKS=" in EXAMPLE


def test_the_example_holds_no_value_and_says_how_to_make_each() -> None:
    assert set(read_env(EXAMPLE).values()) == {""}
    for name in read_env(EXAMPLE):
        assert re.search(rf"^# \$ \S.*\n{name}=$", EXAMPLE, re.MULTILINE), name


def test_made_secrets_fit_their_use(secrets: dict[str, str]) -> None:
    assert len(set(secrets.values())) == len(secrets)
    Fernet(secrets["AIRFLOW_FERNET_KEY"])
    odd = [name for name, value in secrets.items() if not re.fullmatch(r"[0-9a-f]{24,64}", value)]
    assert odd == ["AIRFLOW_FERNET_KEY"], "the others go into URLs, JSON and Oracle's IDENTIFIED BY"


def test_no_secret_is_written_in_the_file() -> None:
    bare = {"password": re.compile(r'"password": "(?!\$\{)'), "option": re.compile(r"--(password|api-key)[= ](?!\$\{)")}
    for text in texts(COMPOSE):
        assert not any(pattern.search(text) for pattern in bare.values()), text
        assert not re.search(r"://[^/\s]*:(?!\$\{)[^/\s]*@", text), text
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD$|SECRET|KEY$|TOKEN", name):
                assert VARIABLE.fullmatch(value), name


def test_ports_are_published_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)] == []
    assert {"network_mode", "privileged"} & {key for service in SERVICES.values() for key in service} == set()


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_what_can_be_waited_for(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) is (name not in ONE_SHOTS)
    for other, wanted in service.get("depends_on", {}).items():
        one_shot = wanted["condition"] == "service_completed_successfully"
        assert one_shot or wanted["condition"] == "service_healthy"
        assert one_shot is (other in ONE_SHOTS)
    if name in ONE_SHOTS:
        assert service.get("restart", "no") == "no"
    if "image" in service:
        assert "build" not in service
        assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*", service["image"]), "a version, not latest"


def test_order_of_the_first_start() -> None:
    waits = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert waits["init"] == {"postgres"}
    assert all("init" in waits[name] for name in AIRFLOW - {"init"})
    assert waits["oracle"] == {"library"}
    assert "restart" not in SERVICES["oracle"], "a failed load must stay visible"


def test_mounts_and_volumes_exist() -> None:
    mounts = [(name, *mount.split(":")) for name, service in SERVICES.items() for mount in service.get("volumes", [])]
    for name, source, target, *mode in mounts:
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"], source
        elif "build" in SERVICES[name]:
            assert re.search(rf"install --directory --owner relances\b.* {target}( |$)", DOCKERFILE, re.M), target
    named = {source for _, source, *_ in mounts if not source.startswith("./")}
    assert named == set(COMPOSE["volumes"])
    loaded = SERVICES["library"]["volumes"] + SERVICES["oracle"]["volumes"]
    assert loaded == ["ils:/var/lib/relances/ils", "ils:/container-entrypoint-initdb.d:ro"]


def test_the_image_copies_what_exists_and_runs_without_privileges() -> None:
    copied = re.findall(r"^COPY (\S+) (\S+)$", DOCKERFILE, re.M)
    assert {source for source, _ in copied} >= {"dags", "plugins", "sql", "templates", "library.toml"}
    assert [source for source, _ in copied if not (ROOT / source).exists()] == []
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)[-1] == "relances"
    assert re.search(r"^FROM python:3\.\d+-slim$", DOCKERFILE, re.M)
    assert re.search(rf"PYTHONPATH={HOME}plugins:{HOME[:-1]}\b", DOCKERFILE)
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    unpinned = [pin for pin in pins if not re.match(r"[\w.\[\],-]+==|\s*(#|--hash|$)", pin)]
    assert unpinned == []


def test_paths_in_the_environment_are_in_the_image() -> None:
    environment = SERVICES["scheduler"]["environment"]
    inside = {name: value for name, value in environment.items() if value.startswith(HOME)}
    assert set(inside) == {"AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__CORE__PLUGINS_FOLDER", "REMINDERS_CONFIG"}
    for path in inside.values():
        assert (ROOT / path.removeprefix(HOME)).exists(), path
    mounted = {mount.split(":")[1] for mount in SERVICES["scheduler"]["volumes"]}
    assert environment["REMINDERS_STORAGE"] in mounted
    assert str(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]).parent) in mounted


def test_airflow_knows_every_option() -> None:
    package = importlib.util.find_spec("airflow")
    assert package is not None
    assert package.origin is not None
    known = yaml.safe_load((Path(package.origin).parent / "config_templates/config.yml").read_text(encoding="utf-8"))
    for name in SERVICES["scheduler"]["environment"]:
        if name.startswith("AIRFLOW__"):
            _, section, option = name.lower().split("__")
            assert option in known[section]["options"], name


def test_every_airflow_service_has_the_same_environment() -> None:
    assert all(SERVICES[name]["environment"] == SERVICES["scheduler"]["environment"] for name in AIRFLOW)


FIELDS = ("conn_type", "host", "port", "login", "password", "schema", "extra_dejson")
IN_AIRFLOW = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.sdk import BaseHook
commands, names, fields = json.loads(sys.argv[1])
for words in commands:
    get_parser().parse_args(words)
print(json.dumps({name: [getattr(BaseHook.get_connection(name), field) for field in fields] for name in names}))
"""


def airflow_commands(service: dict[str, Any]) -> Iterator[list[str]]:
    for words in (service.get("command", []), service.get("healthcheck", {}).get("test", [])[1:]):
        if words[:1] == ["airflow"]:
            yield words[1:]
        elif words[:2] == ["sh", "-c"]:
            yield from (part.split()[1:] for part in words[2].split(" && ") if part.startswith("airflow "))


def test_airflow_reads_the_connections_and_knows_the_commands(
    services: dict[str, dict[str, Any]], secrets: dict[str, str], tmp_path: Path
) -> None:
    ils, ledger, key = (secrets[name] for name in ("ILS_PASSWORD", "LEDGER_DB_PASSWORD", "ALLMYSMS_API_KEY"))
    plain = {"disable_ssl": True, "disable_tls": True}
    expected = {
        "ils_oracle": ["oracle", "oracle", 1521, "ILS", ils, None, {"service_name": "FREEPDB1"}],
        "reminders_ledger": ["postgres", "postgres", 5432, "ledger", ledger, "ledger", {}],
        "mail_relay": ["smtp", "mailpit", 1025, None, None, None, plain],
        "allmysms": ["http", "allmysms", 8025, "bu-montclar", key, "http", {"login_in_clear": True}],
    }
    commands = [command for service in services.values() for command in airflow_commands(service)]
    assert sorted(command[0] for command in commands) == sorted([*(AIRFLOW - {"init"}), "db", "jobs", "jobs"])
    environment = services["scheduler"]["environment"] | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "PATH": os.environ["PATH"],
    }
    run = [sys.executable, "-W", "ignore", "-c", IN_AIRFLOW, json.dumps([commands, list(expected), FIELDS])]
    done = subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == expected
    assert {fields[1] for fields in expected.values()} <= set(SERVICES)


def test_servers_expect_what_the_connections_say(services: dict[str, dict[str, Any]], secrets: dict[str, str]) -> None:
    environment, oracle = services["scheduler"]["environment"], services["oracle"]["environment"]
    assert (oracle["APP_USER"], oracle["APP_USER_PASSWORD"]) == ("ILS", secrets["ILS_PASSWORD"])
    assert {"--host=0.0.0.0", "--port=8025", "--login=bu-montclar"} <= set(services["allmysms"]["command"])
    assert services["allmysms"]["environment"]["ALLMYSMS_API_KEY"] == secrets["ALLMYSMS_API_KEY"]
    ledger = from_text(environment["AIRFLOW_CONN_REMINDERS_LEDGER"])
    airflow = make_url(environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    assert airflow.drivername == "postgresql+psycopg2"
    for url, user in ((ledger, "ledger"), (airflow, "airflow")):
        assert (url.host, url.port, url.database, url.username) == ("postgres", 5432, user, user)
        assert url.password == services["postgres"]["environment"][f"{user.upper()}_DB_PASSWORD"]


@pytest.mark.parametrize("name", ["init", "library", "allmysms"])
def test_modules_exist_and_know_the_options(services: dict[str, dict[str, Any]], name: str) -> None:
    found = re.search(r"python -m ([\w.]+)(.*)", " ".join(services[name]["command"]))
    assert found is not None
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    run = [sys.executable, "-m", found[1], "--help"]
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    words = re.findall(r"--[a-z-]+|^ upgrade$", found[2])
    assert words
    assert [word for word in words if word.strip() not in done.stdout] == []


def test_the_library_fits_the_columns_of_oracle() -> None:
    """Columns are declared in characters, because the image loads them as SYS, who would count bytes."""
    declared = re.findall(r"^\s+(z\w+)\s+(?:VARCHAR2|CHAR)\((\d+)\)", SCHEMA.read_text(encoding="ascii"), re.M)
    room = {name: int(length) for name, length in declared}
    for table, rows in make_library(today=date(2026, 3, 2)).rows.items():
        for index, column in enumerate(TABLES[table]):
            longest = max(len(row[index]) if isinstance(row[index], str) else 0 for row in rows)
            assert longest <= room.get(f"{table}_{column}", 0), f"{table}_{column}"
