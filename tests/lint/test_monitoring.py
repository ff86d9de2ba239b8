"""Page, alarms and dashboard name all the figures that the program gives, and no others; each alarm is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from loan_reminders.commands.doctor import CHECKS
from loan_reminders.watching.catalogue import METRICS, Metric
from tests.simulators.compose_file import COMPOSE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/monitoring"
BY_NAME = {metric.at_prometheus: metric for metric in METRICS}
PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
ASKED = [rule["expr"] for rule in RULES] + SHOWN
_NAME = re.compile(r"\bairflow_[a-z_]+")
_ROW = re.compile(r"^\| `(airflow_\w+)` \| (\w+) \| ([^|]+) \|([^|]*)\|", re.MULTILINE)


def labels_of(expression: str) -> set[str]:
    grouped = re.findall(r"by \(([^)]*)\)", expression)
    chosen = re.findall(r"(\w+)=~?[\"']", expression)
    return {label.strip() for group in grouped for label in group.split(",")} | set(chosen)


def test_the_page_tells_every_figure_as_it_is() -> None:
    said = {
        name: (kind, unit, tuple(filter(None, labels.strip().split(", "))))
        for name, kind, unit, labels in _ROW.findall(PAGE)
    }
    assert said == {name: (metric.kind.value, metric.unit, metric.tags) for name, metric in BY_NAME.items()}


def test_alarms_and_dashboard_ask_for_no_unknown_figure_and_leave_none_out() -> None:
    named = {name for expression in ASKED for name in _NAME.findall(expression)}
    assert named - set(BY_NAME) == set()
    assert set(BY_NAME) - named == set()


@pytest.mark.parametrize("expression", ASKED)
def test_an_expression_asks_for_labels_that_its_figures_have(expression: str) -> None:
    figures = [BY_NAME[name] for name in _NAME.findall(expression)]
    assert figures
    for figure in figures:
        assert labels_of(expression) <= {"library", *figure.tags}, expression
    assert expression.count("(") == expression.count(")")


def test_a_counter_is_asked_for_its_increase_and_a_gauge_is_not() -> None:
    for expression in ASKED:
        for name in _NAME.findall(expression):
            grows = f"increase({name}" in expression or f"absent({name}" in expression
            assert grows == (BY_NAME[name].kind.value == "counter"), expression


def test_no_figure_is_about_anybody() -> None:
    allowed = {"stage", "channel", "service", "kind", "outcome"}
    assert {tag for metric in METRICS for tag in metric.tags} == allowed
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(isinstance(metric, Metric) and metric.name.startswith("relances.") for metric in METRICS)


def entries() -> dict[str, str]:
    """What the runbook says below each heading."""
    parts = re.split(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alarm_has_its_entry_and_leads_to_it(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert re.search(r"\b(Do not|Do\b|do not)", entries()[rule["alert"]])
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"]["summary"].startswith("Relances")


def test_no_entry_is_about_an_alarm_or_a_check_that_there_is_not() -> None:
    said = set(entries())
    assert {name for name in said if name.startswith("Relances")} == {rule["alert"] for rule in RULES}
    assert {name for name in said if name.startswith("doctor: ")} == {f"doctor: {check.name}" for check in CHECKS}


def test_statsd_is_turned_on_with_tags() -> None:
    told = dict(
        line.split("=", 1)
        for line in (FOLDER / "airflow.env").read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    assert told["AIRFLOW__METRICS__STATSD_ON"] == "True"
    assert told["AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED"] == "True"
    port = told["AIRFLOW__METRICS__STATSD_PORT"]
    assert f"--statsd.listen-udp=:{port}" in (FOLDER / "statsd-exporter.yaml").read_text(encoding="utf-8")


def test_prometheus_reads_the_alarms_and_the_exporter() -> None:
    told = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    assert told["rule_files"] == ["rules.yaml"]
    assert told["scrape_configs"][0]["static_configs"][0]["targets"] == ["statsd-exporter:9102"]


def test_with_docker_the_figures_reach_the_exporter_as_they_do_elsewhere() -> None:
    """airflow.env is for an Airflow of one's own; the file that is laid over docker-compose.yaml has the same."""
    services = yaml.safe_load((FOLDER / "docker-compose.monitoring.yaml").read_text(encoding="utf-8"))["services"]
    lines = (FOLDER / "airflow.env").read_text(encoding="utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    exporter = services["statsd-exporter"]
    assert services["worker"]["environment"] == told
    assert told["AIRFLOW__METRICS__STATSD_HOST"] in services
    assert f"--statsd.listen-udp=:{told['AIRFLOW__METRICS__STATSD_PORT']}" in exporter["command"]
    assert set(exporter["networks"]) & set(COMPOSE["services"]["worker"]["networks"])
    assert re.fullmatch(r"[\w./-]+:v[\d.]+@sha256:[0-9a-f]{64}", exporter["image"])
    kept_small = COMPOSE["x-kept-small"].keys()
    assert kept_small <= exporter.keys()
    assert exporter["deploy"]["resources"]["limits"]["pids"] <= 512
    assert [exporter["read_only"], exporter["cap_drop"]] == [True, ["ALL"]]
