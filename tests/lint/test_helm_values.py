"""deploy/helm/values.yaml: what the official chart makes of it where Helm is at hand, its schema of values elsewhere.

The schema is the chart's own (apache/airflow, `chart/values.schema.json`, chart 1.22.0, Apache License 2.0), without
its words: see `airflow_chart/README.md` beside this file.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "helm" / "values.yaml"
VALUES: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SCHEMA = Path(__file__).parent / "airflow_chart" / "values.schema.json.gz"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MAKE_ENV = (ROOT / "docker/make-env.sh").read_text(encoding="utf-8")
CHART = os.environ.get("AIRFLOW_CHART", "")
"""The chart as a folder or an archive, for `helm template`."""
EXECUTORS = ("KubernetesExecutor", "CeleryExecutor")


def judge() -> Any:
    from jsonschema import Draft7Validator

    return Draft7Validator(json.loads(gzip.decompress(SCHEMA.read_bytes())))


def complaints(values: dict[str, Any]) -> list[str]:
    return [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in judge().iter_errors(values)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_charts_schema_takes_the_values(executor):
    assert complaints(VALUES | {"executor": executor}) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uid": "10001"}, "uid"),
        ({"secret": [{"envName": "A", "secretKey": 3}]}, "secret"),
        ({"migrateDatabaseJob": {"argz": []}}, "argz"),
        ({"workers": {"celery": {"replicas": "two"}}}, "replicas"),
    ],
)
def test_the_schema_refuses_what_the_chart_does_not_know(wrong, said):
    assert any(said in one for one in complaints(VALUES | wrong))


def strangers(values: Any, schema: dict[str, Any], whole: dict[str, Any], path: str = "") -> list[str]:
    """Keys that the schema does not name, where it names any: Helm takes them, and nothing reads them."""
    while "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].rpartition("/")[2]]
    if isinstance(values, list):
        return [one for each in values for one in strangers(each, schema.get("items", {}), whole, path)]
    if not isinstance(values, dict) or "properties" not in schema or path == ".config":
        return []
    known = schema["properties"]
    return [
        *(f"{path}.{key}" for key in values if key not in known),
        *(one for key, value in values.items() if key in known
          for one in strangers(value, known[key], whole, f"{path}.{key}")),
    ]  # fmt: skip


def test_every_key_is_one_that_the_chart_reads():
    whole = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    assert strangers(VALUES, whole, whole) == []
    assert strangers({"executer": "x", "workers": {"celery": {"replica": 2}}}, whole, whole) == [
        ".executer", ".workers.celery.replica",
    ]  # fmt: skip


@pytest.mark.skipif(
    not (shutil.which("helm") and CHART), reason="helm is not installed, or AIRFLOW_CHART does not name Airflow's chart"
)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_helm_renders_the_chart_with_the_values(executor):
    command = ["helm", "template", "relances", CHART, "--values", str(FILE), "--set", f"executor={executor}"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    parts = [part for part in yaml.safe_load_all(made) if part]
    assert {"Deployment", "Job", "ServiceAccount"} <= {part["kind"] for part in parts}
    assert "/opt/relances/docker/init.sh" in made
    assert "s3://letters_s3@relances/letters" in made


def test_the_values_say_what_the_image_and_the_program_say():
    work = re.findall(r"(?m)^WORKDIR (\S+)", DOCKERFILE)[-1]  # the first stage makes the wheel only
    assert VALUES["config"]["core"]["dags_folder"] == f"{work}/dags"
    assert "plugins_folder" not in VALUES["config"]["core"], "the package brings its own plugin"
    assert f"--uid {VALUES['uid']} " in DOCKERFILE
    assert VALUES["airflowHome"] == re.search(r"AIRFLOW_HOME=(\S+)", DOCKERFILE)[1]


def test_nothing_secret_is_in_the_file_and_every_connection_is_there():
    """The connections are those that docker/make-env.sh writes; the mailbox of bounces is for whoever has one."""
    named = {one["envName"] for one in VALUES["secret"]}
    written = re.findall(r'^ +"(\w+)": \{"conn_type"', MAKE_ENV, re.MULTILINE)
    asked = {f"AIRFLOW_CONN_{conn_id.upper()}" for conn_id in written}
    assert len(asked) == 4
    assert asked | {"AIRFLOW_CONN_LETTERS_S3", "REMINDERS_SMS_CALLBACK_TOKEN"} <= named
    assert not any(key in VALUES for key in ("fernetKey", "apiSecretKey", "jwtSecret"))
    assert VALUES["createUserJob"]["enabled"] is False
    storage = next(one["value"] for one in VALUES["env"] if one["name"] == "REMINDERS_STORAGE")
    assert "AIRFLOW_CONN_" + storage.removeprefix("s3://").partition("@")[0].upper() in named


def test_logs_are_kept_as_long_as_with_compose_whoever_cleans_them():
    """Each part of Airflow has a cleaner of the one volume: the shortest time counts."""
    celery = VALUES["workers"]["celery"]
    parts = [VALUES["scheduler"], VALUES["dagProcessor"], VALUES["triggerer"], celery]
    days = {part["logGroomerSidecar"]["retentionDays"] for part in parts}
    assert VALUES["logs"]["persistence"]["enabled"]
    assert f"LOG_DAYS={days.pop()}\n" in MAKE_ENV
    assert not days


def test_a_job_that_failed_stays_with_its_log():
    assert VALUES["migrateDatabaseJob"]["restartPolicy"] == "Never"
    assert VALUES["migrateDatabaseJob"]["ttlSecondsAfterFinished"] is None


def test_nothing_is_read_from_git():
    assert VALUES["dags"]["gitSync"]["enabled"] is VALUES["dags"]["persistence"]["enabled"] is False


def test_the_page_names_every_secret_and_the_keys_of_each():
    page = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")
    fence = page[page.index("kubectl create configmap") :]
    [volume] = VALUES["migrateDatabaseJob"]["extraVolumes"]
    keys = {one["secretKey"] for one in VALUES["secret"]} | {one["key"] for one in volume["secret"]["items"]}
    for key in keys:
        assert f"--from-file={key}=" in fence, key
    names = {one["secretName"] for one in VALUES["secret"]}
    names |= {VALUES[key] for key in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName")}
    for name in names | {VALUES["data"]["metadataSecretName"]}:
        assert f"secret generic {name} " in fence, name
