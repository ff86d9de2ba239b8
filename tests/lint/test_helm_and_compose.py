"""deploy/helm/values.yaml beside docker-compose.yaml: what one sets for Airflow and the program, the other sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.simulators.compose_file import services

ROOT = Path(__file__).resolve().parents[2]
VALUES: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "helm" / "values.yaml").read_text(encoding="utf-8"))
INIT = services({"AIRFLOW_ADMIN_EMAIL": "chef@bu.example"})["init"]
COMPOSE: dict[str, str] = {
    name: value
    for name, value in INIT["environment"].items()
    if name.startswith(("AIRFLOW__", "REMINDERS_", "FORWARDED_"))
}
JOB = VALUES["migrateDatabaseJob"]

ELSEWHERE_IN_THE_VALUES = {
    "AIRFLOW__CORE__EXECUTOR": "executor",
    "AIRFLOW__CORE__FERNET_KEY_CMD": "fernetKeySecretName",
    "AIRFLOW__API__SECRET_KEY_CMD": "apiSecretKeySecretName",
    "AIRFLOW__API_AUTH__JWT_SECRET_CMD": "jwtSecretName",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "data.metadataSecretName",
    "AIRFLOW__SECRETS__BACKEND": "secret",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": "secret",
}
"""What the chart has a value of its own for. Connections are variables out of the Secret, not a file."""

BY_THE_CHART = {
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "the chart names the service that it makes",
    "AIRFLOW__CELERY__BROKER_URL_CMD": "the chart brings a Redis, and makes its password",
    "AIRFLOW__CELERY__RESULT_BACKEND_CMD": "without one, Airflow takes its own database",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "the chart's probe is a command, `airflow jobs check`",
    "REMINDERS_DEMO": "no demo on a cluster",
}

OF_THE_PLACE = {
    "AIRFLOW__CORE__PARALLELISM": "one machine, or a cluster",
    "AIRFLOW__API__BASE_URL": "the site's own",
    "FORWARDED_ALLOW_IPS": "a gateway of Docker, or an ingress",
    "REMINDERS_CONFIG": "where the file is mounted",
    "REMINDERS_STORAGE": "a volume, or a bucket",
    "REMINDERS_ADMIN_EMAIL": "the site's own",
    "REMINDERS_ADMIN_PASSWORD_FILE": "where the secret is mounted",
}
"""What has another value there."""


def values() -> Iterator[tuple[str, str | None]]:
    """What the file of values sets, by the names that Compose has; None where the value is a secret's."""
    for section, options in VALUES["config"].items():
        for option, value in options.items():
            yield f"AIRFLOW__{section}__{option}".upper(), str(value)
    for listed in (VALUES["env"], VALUES["apiServer"].get("env", []), JOB.get("env", [])):
        for one in listed:
            yield one["name"], one["value"]
    for one in VALUES["secret"]:
        if not one["envName"].startswith("AIRFLOW_CONN_"):
            yield f"{one['envName']}_FILE", None


HELM = dict(values())


def test_what_compose_sets_the_values_set() -> None:
    assert set(COMPOSE) - set(HELM) == {*ELSEWHERE_IN_THE_VALUES, *BY_THE_CHART}


def test_what_the_values_set_compose_sets() -> None:
    assert set(HELM) - set(COMPOSE) == set()


@pytest.mark.parametrize("name", sorted(set(COMPOSE) & set(HELM) - set(OF_THE_PLACE)))
def test_both_set_it_to_the_same(name: str) -> None:
    assert HELM[name] is None or HELM[name] == COMPOSE[name]


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE_IN_THE_VALUES.values())))
def test_what_has_a_value_of_its_own_has_one(path: str) -> None:
    found: Any = VALUES
    for key in path.split("."):
        found = found[key]
    assert found


def test_the_reasons_are_of_settings_that_differ() -> None:
    assert [name for name in OF_THE_PLACE if HELM.get(name) == COMPOSE[name]] == []


def test_the_job_does_what_composes_init_does() -> None:
    """That command itself is run, with a real PostgreSQL, in tests/e2e/test_docker_commands.py."""
    assert JOB["args"] == INIT["command"]
    assert JOB.get("command") is None
    assert JOB.get("applyCustomEnv", True)


def test_the_first_administrators_password_is_a_file_out_of_the_secret() -> None:
    told = {one["name"]: one["value"] for one in JOB["env"]}
    [mount], [volume] = JOB["extraVolumeMounts"], JOB["extraVolumes"]
    [item] = volume["secret"]["items"]
    assert mount["name"] == volume["name"]
    assert mount["readOnly"] is True
    assert told["REMINDERS_ADMIN_PASSWORD_FILE"] == f"{mount['mountPath']}/{item['path']}"
    assert volume["secret"]["secretName"] in {one["secretName"] for one in VALUES["secret"]}
    assert told["REMINDERS_ADMIN_USERNAME"]
    assert told["REMINDERS_ADMIN_EMAIL"] == "", "nobody's address is made up"


def test_the_web_server_listens_to_its_ingress() -> None:
    words = " ".join(VALUES["apiServer"]["args"])
    served = " ".join(services({"AIRFLOW_ADMIN_EMAIL": "x"})["api-server"]["command"])
    assert words == f"bash -c exec {served}"
