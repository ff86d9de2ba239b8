"""Which figures leave, by StatsD on a socket, when the real operators work; and that none is about a reader."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from loan_reminders.domain.alerts import AlertKind, AlertOutcome
from loan_reminders.domain.errors import IlsUnavailable, LedgerUnavailable, MailRelayRejected
from loan_reminders.domain.stages import Stage
from loan_reminders.watching import alerts, metrics
from loan_reminders.watching.catalogue import METRICS, Kind
from tests.scenes.operators_at_work import AtWork
from tests.scenes.world import loans, reader

_LINE = re.compile(r"(?P<name>[^,:]+)(?P<tags>(?:,[^:]*)?):(?P<value>[^|]*)\|(?P<kind>\w+)")


class Listener:
    """A StatsD server: every datagram, in order."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self.lines, self._stop = [], threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while True:
            try:
                self.lines += self._socket.recv(65_536).decode().splitlines()
            except TimeoutError:
                if self._stop.is_set():  # what came before has been read: nothing more came in a tenth of a second
                    return

    def listening(self):
        return self._thread.is_alive()

    def close(self):
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def ours(self):
        """What came of the reminders: name, tags, value and kind of each."""
        self.close()
        found = [_LINE.fullmatch(line) for line in self.lines if line.startswith("airflow.relances.")]
        return [
            (one["name"], dict(tag.split("=") for tag in one["tags"].split(",") if tag), one["value"], one["kind"])
            for one in found
        ]


@pytest.fixture
def statsd(monkeypatch):
    from airflow.sdk._shared.observability.metrics import stats as metrics_of_airflow
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    listener = Listener()
    for name, value in {
        "STATSD_ON": "True",
        "STATSD_HOST": "127.0.0.1",
        "STATSD_PORT": str(listener.port),
        "STATSD_PREFIX": "airflow",
        "STATSD_INFLUXDB_ENABLED": "True",
    }.items():
        monkeypatch.setenv(f"AIRFLOW__METRICS__{name}", value)
    stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
    yield listener
    if listener.listening():
        listener.close()
    metrics_of_airflow._get_backend().statsd.close()
    stats.initialize(factory=NoStatsLogger, export_legacy_names=False)


@pytest.fixture
def at_work(world, monkeypatch, tmp_path):
    return AtWork(world, monkeypatch, tmp_path)


class Instance(SimpleNamespace):
    """What a task asks of Airflow about other runs: nothing is under way."""

    def get_dr_count(self, **_):
        return 0

    def get_dag(self, **_):
        return SimpleNamespace(is_paused=False)


def closing(at_work, run_id, *, minutes=5):
    now = at_work.operator("CloseRun", run_id).now()
    began = now.astimezone(UTC).replace(minute=now.minute - minutes) if now.minute >= minutes else None
    began = began or datetime.fromtimestamp(now.timestamp() - 60 * minutes, UTC)
    run = SimpleNamespace(run_id="r", start_date=began)
    return at_work.operator("CloseRun", run_id).execute({"ti": SimpleNamespace(), "dag_run": run})


def test_every_figure_of_the_list_leaves_with_its_tags_and_no_other(at_work, world, statsd, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import ReadCredit, WatchRuns

    monkeypatch.setattr(alerts, "settings", lambda: at_work.operator("CloseRun", 1).config)
    run_id = world.begin(*loans(3))
    world.send_emails(run_id)
    world.send_sms(run_id)
    closing(at_work, run_id)
    world.extract(*loans(2), dag_run_id="another")
    ReadCredit(task_id="read_credit").execute({})
    with suppress(AirflowFailException):  # whether a day is missed is not the question here
        WatchRuns(task_id="watch_runs").execute({"ti": Instance()})
    task = at_work.operator("CloseRun", run_id)
    dag = SimpleNamespace(dag_id="overdue_notice", dag_display_name="2. Avis de retard")
    alerts.on_task_retried({"exception": IlsUnavailable("x")})
    alerts.on_task_failed({"exception": MailRelayRejected("x"), "task": task, "dag": dag, "run_id": "r"})
    came = statsd.ours()
    wanted = {f"airflow.{metric.name}": metric for metric in METRICS}
    assert {name for name, *_ in came} == set(wanted)
    for name, tags, _, kind in came:
        assert set(tags) == {"library", *wanted[name].tags}, name
        assert kind == ("c" if wanted[name].kind is Kind.COUNTER else "g")
        assert tags["library"] == "montclar"
    readers = [str(value) for number in range(1, 4) for value in (reader(number).email.value, reader(number).patron_id)]
    assert not [line for line in statsd.lines if any(word in line.split(":")[0].split("=") for word in readers)]


def test_the_figures_of_a_run_are_those_of_its_books(at_work, world, statsd):
    run_id = world.begin(*loans(3))
    world.send_emails(run_id)
    world.send_sms(run_id)
    assert closing(at_work, run_id)["loans"] == 3
    told = {(name, tags.get("channel")): float(value) for name, tags, value, _ in statsd.ours()}
    for channel, number in (("email", 3), ("sms", 3), ("letter", 0), ("registered_letter", 0)):
        assert told["airflow.relances.run.told", channel] == number
        assert told["airflow.relances.run.planned", channel] == number
        assert told["airflow.relances.run.not_reached", channel] == 0
    assert told["airflow.relances.run.loans", None] == 3
    assert told["airflow.relances.run.sms_segments", None] == 3
    assert told["airflow.relances.run.seconds", None] == 300
    assert told["airflow.relances.run.balanced", None] == 1


def test_books_that_do_not_balance_are_given_too_and_a_dry_run_is_not(at_work, world, statsd):
    from airflow.sdk.exceptions import AirflowFailException

    for dry_run in (True, False):
        with pytest.raises(AirflowFailException):
            closing(at_work, world.begin(*loans(2), dry_run=dry_run))
    balanced = [value for name, _, value, _ in statsd.ours() if name == "airflow.relances.run.balanced"]
    assert balanced == ["0"]


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (IlsUnavailable("x"), {("ils", "temporary")}),
        (MailRelayRejected("x"), {("smtp", "permanent")}),
        (KeyError("x"), set()),
        (None, set()),
    ],
)
def test_an_error_is_counted_by_whose_it_is_also_behind_airflows_own(statsd, error, found):
    from loan_reminders.operators.base import only_temporary_errors_are_retried

    ended = None
    if error is not None:
        with pytest.raises(Exception) as raised, only_temporary_errors_are_retried():  # noqa: PT011
            raise error
        ended = raised.value
    metrics.count_error("montclar", ended)
    assert {(tags["service"], tags["kind"]) for _, tags, _, _ in statsd.ours()} == found


def test_every_error_of_the_outside_world_is_somebodys():
    from loan_reminders.domain import errors

    ours = {errors.SendingWindowClosed, errors.SmsBudgetExceeded, errors.LettersNotPrinted, errors.BooksDoNotBalance}
    ours |= {errors.TasksNotDone, errors.DaysMissed, errors.SendingHeld}
    kinds = tuple(kind for kind, _ in metrics.SERVICES)
    bare = {
        kind
        for kind in (*errors.TemporaryError.__subclasses__(), *errors.PermanentError.__subclasses__())
        if not issubclass(kind, kinds) and kind.__module__ == errors.__name__
    }
    assert bare == ours


def test_the_hourly_look_gives_every_series_of_events_before_the_first_one(at_work, world, statsd, monkeypatch):
    """A series that is born at 1 has not grown: the alarm about the first alert that was not sent would stay silent."""
    from loan_reminders.operators import WatchRuns

    monkeypatch.setattr(WatchRuns, "ledger", broken_ledger)
    with suppress(Exception):
        WatchRuns(task_id="watch_runs").execute({"ti": Instance()})
    born = [(name, tags) for name, tags, value, kind in statsd.ours() if (value, kind) == ("0", "c")]
    services = dict.fromkeys(service for _, service in metrics.SERVICES)
    assert born == [
        *(
            ("airflow.relances.provider_errors", {"library": "montclar", "service": service, "kind": kind})
            for service in services
            for kind in ("temporary", "permanent")
        ),
        *(
            ("airflow.relances.alerts", {"library": "montclar", "kind": kind, "outcome": outcome})
            for kind in AlertKind
            for outcome in AlertOutcome
        ),
        *(("airflow.relances.runs_closed", {"library": "montclar", "stage": stage}) for stage in Stage),
    ]


def broken_ledger(_):
    raise LedgerUnavailable("x")


def test_what_goes_wrong_with_monitoring_stops_nothing(monkeypatch, caplog):
    from airflow.sdk.observability.stats import Stats

    def broken(*_, **__):
        raise OSError("Camille Martin")

    monkeypatch.setattr(Stats, "gauge", broken)
    metrics.give_credit("montclar", 12)
    metrics.give_queue("montclar", SimpleNamespace())
    assert caplog.text.count("Mesures non transmises") == 2
    assert "Camille" not in caplog.text
