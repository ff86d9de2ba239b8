"""The same figures by OpenTelemetry, Airflow's other way: sent to a collector on this machine, and read there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loan_reminders.watching.catalogue import METRICS, Kind

ROOT = Path(__file__).resolve().parents[2]
LIKE_A_TASK = """
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from loan_reminders.watching import metrics
from loan_reminders.watching.catalogue import METRICS

stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
for number, metric in enumerate(METRICS, start=1):
    metrics._give(metric, "montclar", number, {tag: f"a {tag}" for tag in metric.tags})
"""
"""What a task does: it begins its figures anew, gives them, and ends within seconds."""


class Collector(ThreadingHTTPServer):
    """Takes what is exported by HTTP, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Export)
        self.bodies: list[tuple[str, bytes]] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Export(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def exported() -> dict[str, tuple[Kind, float, dict[str, str], bool]]:
    """What a collector was told by one process: name → kind, value, attributes, and whether it is only the growth."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    collector = Collector()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__METRICS__")} | {
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_address[1]}",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    }
    try:
        run = [sys.executable, "-W", "ignore", "-c", LIKE_A_TASK]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False, timeout=120)
    finally:
        collector.close()
    assert done.returncode == 0, done.stderr
    found = {}
    for path, body in collector.bodies:
        assert path == "/v1/metrics"
        request = ExportMetricsServiceRequest()
        request.ParseFromString(body)
        for metric in (one for of in request.resource_metrics for each in of.scope_metrics for one in each.metrics):
            which = metric.WhichOneof("data")
            [point] = getattr(metric, which).data_points
            value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
            tags = {tag.key: tag.value.string_value for tag in point.attributes}
            growth = which == "sum" and metric.sum.is_monotonic and metric.sum.aggregation_temporality == 1
            found[metric.name] = (Kind.COUNTER if which == "sum" else Kind.GAUGE, value, tags, growth)
    return found


def test_a_process_that_ends_has_sent_every_figure_by_the_name_it_has_by_statsd(exported) -> None:
    assert {name.replace(".", "_") for name in exported} == {metric.at_prometheus for metric in METRICS}


@pytest.mark.parametrize("number", range(len(METRICS)), ids=lambda number: METRICS[number].name)
def test_with_its_kind_value_and_labels(exported, number: int) -> None:
    metric = METRICS[number]
    kind, value, tags, growth = exported[f"airflow.{metric.name}"]
    assert (kind, value) == (metric.kind, number + 1)
    assert tags == {"library": "montclar", **{tag: f"a {tag}" for tag in metric.tags}}
    assert growth is (metric.kind is Kind.COUNTER), "a counter that begins anew in each task is told by its growth"
