"""docker-compose.yaml and what it names: all that can be checked without Docker.

What its commands do is tried in `test_docker_commands.py` beside it, in the namespaces that Docker would give them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from sql.demo.generator import make_library
from sql.demo.tables import SCHEMA, TABLES
from tests.simulators.compose_file import COMPOSE, OVERLAYS, ROOT, VARIABLE, made, services

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
ONE_SHOTS = {"init", "library"}
AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
DEMO = {"library", "oracle", "mailpit", "allmysms"}
SCALE = {"redis", "worker"}
BUILT_HERE = {name for name, service in SERVICES.items() if service["image"].endswith(":local")}
WRITES_ITS_IMAGE = {"oracle"}
"""Services whose image cannot do without: Oracle's unpacks its database into itself, as its own user."""
PROFILES = [tuple(one for one in pair if one) for pair in product(("", "demo"), ("", "scale"))]


def texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        node = [*node.keys(), *node.values()]
    if isinstance(node, list):
        for child in node:
            yield from texts(child)
    elif node is not None:
        yield str(node)


def secrets_of(service: dict[str, Any]) -> dict[str, str]:
    """The secrets of a service: the name below /run/secrets, and which secret it is."""
    listed = [{"source": one} if isinstance(one, str) else one for one in service.get("secrets", [])]
    return {one.get("target", one["source"]): one["source"] for one in listed}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """What docker/make-env.sh writes for the demo, on workers."""
    return made(tmp_path_factory.mktemp("env"), "demo", "scale")


def test_what_is_laid_over_it_is_named_in_env_and_so_read_by_every_line() -> None:
    """Named by `-f`, a file is read by that line alone: the next line without it would undo what the file says."""
    files = (*ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.yaml"))
    pages = "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert not re.findall(r"docker compose .*-f ", pages)
    named = [name for line in re.findall(r"COMPOSE_FILE=docker-compose.yaml:(\S+)", pages) for name in line.split(":")]
    overlays = {str(file.relative_to(ROOT)) for file in ROOT.glob("deploy/*/docker-compose.*.yaml")}
    assert {one for one in named if named.count(one) > 1} == overlays, "on its page, and in the file itself"


@pytest.mark.parametrize("name", ["libraries", "monitoring", "sso"])
def test_what_is_laid_over_it_reaches_every_part_of_airflow(name: str) -> None:
    over = OVERLAYS[name]["services"]
    first = over["init"]
    assert {service for service, one in over.items() if one == first} == AIRFLOW
    for mount in first.get("volumes", []):
        source, target, mode = mount.split(":")
        assert (source, mode) == ("./libraries", "ro")
        assert first["environment"]["REMINDERS_CONFIG"] == target


def test_every_variable_is_written_by_the_script_or_has_a_value_without(demo: tuple[dict[str, str], Path]) -> None:
    used = {found[1]: found[2] for text in texts(COMPOSE) for found in VARIABLE.finditer(text)}
    assert used.keys() == demo[0].keys()
    assert {name for name, kind in used.items() if kind == "?"} == {"AIRFLOW_ADMIN_EMAIL"}, (
        "nobody's address is made up"
    )
    assert all("$" not in VARIABLE.sub("", text).replace("$$", "") for text in texts(COMPOSE))


def test_without_profile_nothing_is_fictional() -> None:
    assert set(SERVICES) - set(services({"AIRFLOW_ADMIN_EMAIL": "x"})) == DEMO | SCALE
    assert {name for name, one in SERVICES.items() if one.get("profiles") == ["demo"]} == DEMO
    for name in set(SERVICES) - DEMO:
        assert SERVICES[name].get("build", {}).get("target", "production") == "production", name
        assert SERVICES[name]["image"] != "relances-demo:local", name
        assert not any(
            re.search(r"simulator|sql\.demo|montclar|mailpit|oracle", text) for text in texts(SERVICES[name])
        )
    of_stage = {stage.split()[2]: stage for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]}
    for stage in ("wheel", "program", "production"):
        assert not re.search(r"^COPY (tests|sql/)", of_stage[stage], re.M), stage


@pytest.mark.parametrize("profiles", PROFILES, ids=lambda chosen: "+".join(chosen) or "none")
def test_wait_finds_everything_healthy_or_done(profiles: tuple[str, ...]) -> None:
    """`up --wait` takes an exit for a failure, unless a service of the same start depends on that one being done."""
    started = services({"AIRFLOW_ADMIN_EMAIL": "x"}, *profiles)
    for name, service in started.items():
        assert ("healthcheck" in service) is (name not in ONE_SHOTS), name
        for other, wanted in service.get("depends_on", {}).items():
            condition = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
            assert wanted["condition"] == condition, (name, other)
            assert other in started, (name, other)
        if name in ONE_SHOTS:
            assert service["restart"] == "no"
            assert any(name in one.get("depends_on", {}) for one in started.values()), name


def test_order_of_the_first_start() -> None:
    waits = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert waits["init"] == {"postgres"}
    assert all("init" in waits[name] for name in AIRFLOW - {"init"})
    assert waits["oracle"] == {"library"}
    assert "restart" not in SERVICES["oracle"], "a failed load must stay visible"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= limits.keys()
    assert {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys() == set()
    assert service.get("network_mode", "none") == "none"
    if name not in WRITES_ITS_IMAGE:
        assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)
        assert limits["pids"] <= 512
        assert "/tmp" in {mount.split(":")[0] for mount in service["tmpfs"]}
    if name not in BUILT_HERE:
        assert re.fullmatch(r"[\w./-]+:v?\d[\w.-]*@sha256:[0-9a-f]{64}", service["image"]), "a version and a digest"
        assert name in WRITES_ITS_IMAGE or "user" in service, "not root"


def test_databases_and_queue_have_no_way_out_and_ports_are_this_machines() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("postgres", "redis", "oracle", "allmysms"))
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.keys() == {"api-server", "mailpit"}
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for listed in ports.values() for port in listed)


def test_a_client_cannot_say_by_itself_where_it_comes_from() -> None:
    """With `*` the web server would believe the first address of X-Forwarded-For, which anybody may write."""
    trusted = SERVICES["api-server"]["environment"]["FORWARDED_ALLOW_IPS"]
    gateway = COMPOSE["networks"]["outside"]["ipam"]["config"][0]["gateway"]
    assert trusted == gateway == "${TRUSTED_PROXIES:-172.30.240.1}"


def test_mounts_and_volumes_exist_and_are_the_programs_only_where_it_writes() -> None:
    mounts = [(name, *mount.split(":")) for name, service in SERVICES.items() for mount in service.get("volumes", [])]
    for name, source, target, *mode in mounts:
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
            assert mode == ["ro"], source
        elif name in BUILT_HERE:
            assert re.search(rf"install --directory --owner relances\b.* {target}( |$)", DOCKERFILE, re.M), target
    named = {source for _, source, *_ in mounts if not source.startswith("./")}
    assert named == set(COMPOSE["volumes"])
    loaded = SERVICES["library"]["volumes"] + SERVICES["oracle"]["volumes"]
    assert loaded == ["ils:/var/lib/relances/ils", "ils:/container-entrypoint-initdb.d:ro"]


def test_the_image_copies_what_exists_and_runs_without_privileges() -> None:
    copied = [line.split() for line in re.findall(r"^COPY ((?!--from).+)$", DOCKERFILE, re.M)]
    named = {source for *sources, _ in copied for source in sources}
    assert named >= {"dags", "plugins", "sql", "templates", "deploy", "docker"}
    assert [source for source in named if not (ROOT / source).exists()] == []
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]
    assert [stage.split()[2] for stage in stages] == ["wheel", "program", "demo", "production"]
    built_on = [stage.split()[0] for stage in stages]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", built_on[0])
    assert built_on == [built_on[0], built_on[0], "program", "program"], "what builds the wheel is in no other stage"
    assert all(re.findall(r"^USER (\S+)$", stage, re.M) == ["relances"] for stage in stages[2:])


# Secrets


def test_secrets_come_by_file_and_only_to_who_needs_them(demo: tuple[dict[str, str], Path]) -> None:
    files = {name: Path(one["file"]).name for name, one in COMPOSE["secrets"].items()}
    assert set(files.values()) <= {path.name for path in demo[1].iterdir()}
    given = {name: set(secrets_of(service).values()) for name, service in SERVICES.items()}
    assert set().union(*given.values()) == set(files)
    assert {name for name, ones in given.items() if "admin_password" in ones} == {"init"}
    assert {name for name, ones in given.items() if "postgres_password" in ones} == {"postgres"}
    assert {name for name, ones in given.items() if "connections" in ones} == AIRFLOW
    assert given["log-cleaner"] == given["mailpit"] == given["library"] == set()
    for name, service in SERVICES.items():
        read = {found for text in texts(service) for found in re.findall(r"/run/secrets/([\w.]+)", text)}
        assert read <= secrets_of(service).keys() | {"connections.json"} & secrets_of(service).keys(), name


def test_no_secret_is_a_variable_or_an_argument(demo: tuple[dict[str, str], Path]) -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET_|KEY|TOKEN|ACCOUNT|BROKER_URL|SQL_ALCHEMY|RESULT_BACKEND", name):
                assert re.search(r"_(CMD|FILE)$", name), name
                assert "/run/secrets/" in value, name
    made_up = [path.read_text(encoding="utf-8") for path in demo[1].iterdir() if path.name != "connections.json"]
    assert not any(secret in text for secret in made_up for text in (*texts(COMPOSE), *demo[0].values()))


def test_made_secrets_fit_their_use_and_stay_when_made_again(demo: tuple[dict[str, str], Path], tmp_path: Path) -> None:
    values, folder = demo
    secret = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o444 for path in folder.iterdir())
    Fernet(secret["fernet_key"])
    random = [text for name, text in secret.items() if not re.search(r"\.|conn|celery|fernet", name)]
    assert len(set(random)) == len(random) > 8
    assert all(re.fullmatch(r"[0-9a-f]{18,64}", text) for text in random), "they go into URLs, JSON and Oracle's SQL"
    for name in ("sql_alchemy_conn", "celery_result_backend"):
        url = make_url(secret[name].removeprefix("db+"))
        assert (url.drivername, url.host, url.database, url.username) == (
            "postgresql+psycopg2",
            "postgres",
            "airflow",
            "airflow",
        )
        assert url.password == secret["airflow_db_password"]
    assert secret["celery_broker_url"] == f"redis://:{secret['redis_password']}@redis:6379/0"
    assert f"requirepass {secret['redis_password']}\n" in secret["redis.conf"]
    assert (values["COMPOSE_PROFILES"], values["AIRFLOW_EXECUTOR"]) == ("demo,scale", "CeleryExecutor")
    made(folder.parent, "demo")
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == secret
    own, theirs = made(tmp_path)
    assert (own["COMPOSE_PROFILES"], own["AIRFLOW_EXECUTOR"], own["AIRFLOW_ADMIN_EMAIL"]) == ("", "LocalExecutor", "")
    assert (theirs / "connections.json").stat().st_mode & 0o777 == 0o644, "to be filled in"
    assert json.loads((theirs / "connections.json").read_text(encoding="utf-8"))["mail_relay"]["host"] == ""


# Airflow


def test_airflow_knows_every_option_and_which_are_secrets() -> None:
    package = importlib.util.find_spec("airflow")
    assert package is not None
    assert package.origin is not None
    known = yaml.safe_load((Path(package.origin).parent / "config_templates/config.yml").read_text(encoding="utf-8"))
    from airflow.providers.celery.get_provider_info import get_provider_info as celery
    from airflow.providers.fab.get_provider_info import get_provider_info as fab

    known |= celery()["config"] | fab()["config"]
    for name in SERVICES["scheduler"]["environment"]:
        if name.startswith("AIRFLOW__"):
            _, section, option = name.lower().split("__")
            described = known[section]["options"][option.removesuffix("_cmd")]
            assert option.endswith("_cmd") is (described.get("sensitive", False) and option != "backend_kwargs"), name


def test_every_airflow_service_has_the_same_environment_and_secrets() -> None:
    for name in AIRFLOW - {"init"}:
        assert SERVICES[name]["environment"] == SERVICES["scheduler"]["environment"], name
        assert SERVICES[name]["secrets"] == SERVICES["scheduler"]["secrets"], name
    more = SERVICES["init"]["environment"].items() - SERVICES["scheduler"]["environment"].items()
    assert {name.split("_")[1] for name, _ in more} == {"ADMIN", "DEMO"}
    assert [one for one in SERVICES["init"]["secrets"] if one not in SERVICES["scheduler"]["secrets"]] == [
        "admin_password"
    ]


@pytest.mark.parametrize("name", ["library", "allmysms"])
def test_modules_exist_and_know_the_options(name: str) -> None:
    found = re.search(r"python -m ([\w.]+)(.*)", " ".join(SERVICES[name]["command"]))
    assert found is not None
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    run = [sys.executable, "-m", found[1], "--help"]
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    words = re.findall(r"--[a-z-]+", found[2])
    assert words
    assert [word for word in words if word not in done.stdout] == []


def test_the_library_fits_the_columns_of_oracle() -> None:
    """Columns are declared in characters, because the image loads them as SYS, who would count bytes."""
    declared = re.findall(r"^\s+(z\w+)\s+(?:VARCHAR2|CHAR)\((\d+)\)", SCHEMA.read_text(encoding="ascii"), re.M)
    room = {name: int(length) for name, length in declared}
    for table, rows in make_library(today=date(2026, 3, 2)).rows.items():
        for index, column in enumerate(TABLES[table]):
            longest = max(len(row[index]) if isinstance(row[index], str) else 0 for row in rows)
            assert longest <= room.get(f"{table}_{column}", 0), f"{table}_{column}"
