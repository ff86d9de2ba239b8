"""Every figure that this program gives to monitoring: its name, what it counts, and in what.

Airflow's own facility sends them (`[metrics]`: StatsD or OpenTelemetry) and writes its prefix before each name,
`airflow.` unless told otherwise. `docs/metrics.md` explains them; tests hold page, rules and dashboard to this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A gauge holds the newest value, a counter only grows."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure; every one has the tag `library` besides its `tags`."""

    name: str
    kind: Kind
    unit: str
    tags: tuple[str, ...] = ()

    @property
    def at_prometheus(self) -> str:
        """Its name once Airflow's usual prefix is before it and dots are no longer allowed."""
        return f"airflow_{self.name.replace('.', '_')}"


def _gauge(name: str, unit: str, *tags: str) -> Metric:
    return Metric(name=f"relances.{name}", kind=Kind.GAUGE, unit=unit, tags=tags)


def _counter(name: str, unit: str, *tags: str) -> Metric:
    return Metric(name=f"relances.{name}", kind=Kind.COUNTER, unit=unit, tags=tags)


RUN_LOANS = _gauge("run.loans", "loans", "stage")
RUN_PLANNED = _gauge("run.planned", "deliveries", "stage", "channel")
RUN_TOLD = _gauge("run.told", "deliveries", "stage", "channel")
RUN_NOT_REACHED = _gauge("run.not_reached", "deliveries", "stage", "channel")
RUN_UNREACHABLE = _gauge("run.unreachable", "loans", "stage")
RUN_IN_DOUBT = _gauge("run.in_doubt", "deliveries", "stage", "channel")
RUN_BEFORE_START = _gauge("run.before_start", "loans", "stage")
RUN_SEGMENTS = _gauge("run.sms_segments", "segments", "stage")
RUN_SECONDS = _gauge("run.seconds", "seconds", "stage")
RUN_BALANCED = _gauge("run.balanced", "0 or 1", "stage")
RUNS_CLOSED = _counter("runs_closed", "runs", "stage")
SMS_CREDIT = _gauge("sms_credit", "segments")
QUEUE_WAITING = _gauge("queue.waiting", "deliveries", "channel")
QUEUE_AGE = _gauge("queue.oldest_seconds", "seconds", "channel")
QUEUE_IN_DOUBT = _gauge("queue.in_doubt", "deliveries", "channel")
LETTERS_TO_PRINT = _gauge("letters_to_print", "letters")
MISSED_DAYS = _gauge("missed_days", "days", "stage")
LOOKS = _counter("looks", "looks")
PROVIDER_ERRORS = _counter("provider_errors", "errors", "service", "kind")
ALERTS = _counter("alerts", "alerts", "kind", "outcome")

METRICS = (
    RUN_LOANS,
    RUN_PLANNED,
    RUN_TOLD,
    RUN_NOT_REACHED,
    RUN_UNREACHABLE,
    RUN_IN_DOUBT,
    RUN_BEFORE_START,
    RUN_SEGMENTS,
    RUN_SECONDS,
    RUN_BALANCED,
    RUNS_CLOSED,
    SMS_CREDIT,
    QUEUE_WAITING,
    QUEUE_AGE,
    QUEUE_IN_DOUBT,
    LETTERS_TO_PRINT,
    MISSED_DAYS,
    LOOKS,
    PROVIDER_ERRORS,
    ALERTS,
)
