"""Give the figures of a run, of the queue and of errors to Airflow's metrics; without monitoring, nothing happens.

No figure is about anybody: tags are the library's code, a stage, a channel, a service. What goes wrong is logged and
stops nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from itertools import product
from typing import TYPE_CHECKING, Any, ParamSpec

from loan_reminders.domain import errors
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.watching import catalogue
from loan_reminders.watching.catalogue import Kind, Metric
from loan_reminders.watching.log_fields import log_counts

if TYPE_CHECKING:
    from loan_reminders.domain.alerts import AlertKind, AlertOutcome
    from loan_reminders.domain.runs.books import Books

log = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
S = DeliveryState

TOLD = (S.ACCEPTED, S.DELIVERED)
NOT_REACHED = (S.REFUSED, S.FAILED, S.BOUNCED)
UNREACHABLE = (
    SkipReason.NO_RECIPIENT,
    SkipReason.INVALID_RECIPIENT,
    SkipReason.DEAD_ADDRESS,
    SkipReason.DEAD_NUMBER,
    SkipReason.OPTED_OUT,
)
SERVICES: tuple[tuple[type[BaseException], str], ...] = (
    (errors.IlsError, "ils"),
    (errors.MailRelayUnavailable, "smtp"),
    (errors.MailRelayRejected, "smtp"),
    (errors.DeliveriesDeferred, "smtp"),
    (errors.SmsGatewayUnavailable, "allmysms"),
    (errors.SmsAnswerUnreadable, "allmysms"),
    (errors.SmsAccountRejected, "allmysms"),
    (errors.BounceMailboxUnavailable, "mailbox"),
    (errors.BounceMailboxRejected, "mailbox"),
    (errors.LetterStoreUnavailable, "storage"),
    (errors.LedgerUnavailable, "ledger"),
    (errors.LedgerRefused, "ledger"),
)
"""Whose error each class is; what is of none is the program's or the settings' own."""


def _stops_nothing(give: Callable[Arguments, None]) -> Callable[Arguments, None]:
    @wraps(give)
    def guarded(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            give(*arguments, **named)
        except Exception as error:
            log.warning("Mesures non transmises : %s", errors.unexpected(error))

    return guarded


@_stops_nothing
def give_run(library: str, stage: Stage, books: Books, *, seconds: float | None) -> None:
    """The books of a run that was closed; giving them again changes nothing but the count of closings."""
    tags = {"stage": stage.value}
    for channel in Channel:
        states = books.deliveries.get(channel, {})
        of_channel = {**tags, "channel": channel.value}
        _give(catalogue.RUN_PLANNED, library, sum(states.values()), of_channel)
        _give(catalogue.RUN_TOLD, library, _sum(states, TOLD), of_channel)
        _give(catalogue.RUN_NOT_REACHED, library, _sum(states, NOT_REACHED), of_channel)
        _give(catalogue.RUN_IN_DOUBT, library, _sum(states, (S.IN_DOUBT,)), of_channel)
    _give(catalogue.RUN_LOANS, library, books.loans_extracted, tags)
    _give(catalogue.RUN_UNREACHABLE, library, _sum(books.skipped, UNREACHABLE), tags)
    _give(catalogue.RUN_BEFORE_START, library, _sum(books.skipped, (SkipReason.BEFORE_START,)), tags)
    _give(catalogue.RUN_SEGMENTS, library, books.segments, tags)
    _give(catalogue.RUN_BALANCED, library, int(not books.problems()), tags)
    if seconds is not None:
        _give(catalogue.RUN_SECONDS, library, round(seconds, 1), tags)
    _give(catalogue.RUNS_CLOSED, library, 1, tags)
    log_counts("Tournée close", **books.figures(), segments=books.segments)


@_stops_nothing
def give_queue(library: str, ledger: Any) -> None:
    """What waits and what is in doubt, over all runs, by channel; asked of the library's ledger."""
    from loan_reminders.ledger.run_pages.waiting_now import PostgresQueue

    queue = ledger.part(PostgresQueue).now()
    for channel in Channel:
        tags = {"channel": channel.value}
        _give(catalogue.QUEUE_WAITING, library, queue.waiting.get(channel, 0), tags)
        _give(catalogue.QUEUE_AGE, library, round(queue.oldest_seconds.get(channel, 0.0)), tags)
        _give(catalogue.QUEUE_IN_DOUBT, library, queue.in_doubt.get(channel, 0), tags)
    _give(catalogue.LETTERS_TO_PRINT, library, queue.letters_to_print, {})


@_stops_nothing
def give_look(library: str, missed: Mapping[Stage, int]) -> None:
    """That the hourly look was taken, and how many days each stage misses."""
    for stage in dict.fromkeys((*Stage, *missed)):
        _give(catalogue.MISSED_DAYS, library, missed.get(stage, 0), {"stage": stage.value})
    _give(catalogue.LOOKS, library, 1, {})


@_stops_nothing
def give_zeros(library: str, stages: Iterable[Stage]) -> None:
    """Every counter of the library, grown by nothing: what happens next is then growth, be it the first of its kind.

    Prometheus sees how much a series grows, not that one is born at 1; and one that is silent for a week is forgotten.
    """
    from loan_reminders.domain.alerts import AlertKind, AlertOutcome

    services = dict.fromkeys(name for _, name in SERVICES)
    for service, kind in product(services, ("temporary", "permanent")):
        _give(catalogue.PROVIDER_ERRORS, library, 0, {"service": service, "kind": kind})
    for told, outcome in product(AlertKind, AlertOutcome):
        _give(catalogue.ALERTS, library, 0, {"kind": told.value, "outcome": outcome.value})
    for stage in stages:
        _give(catalogue.RUNS_CLOSED, library, 0, {"stage": stage.value})


@_stops_nothing
def give_credit(library: str, segments: int) -> None:
    """What is left on the SMS account."""
    _give(catalogue.SMS_CREDIT, library, segments, {})


@_stops_nothing
def count_error(library: str, error: object) -> None:
    """An error of the outside world, with which a task ended or is to be tried again; others are not counted here."""
    known = error if isinstance(error, errors.ReminderError) else getattr(error, "__context__", None)
    service = next((name for kind, name in SERVICES if isinstance(known, kind)), None)
    if service is not None:
        kind = "temporary" if isinstance(known, errors.TemporaryError) else "permanent"
        _give(catalogue.PROVIDER_ERRORS, library, 1, {"service": service, "kind": kind})


@_stops_nothing
def count_alert(library: str, kind: AlertKind, outcome: AlertOutcome) -> None:
    """What became of an alert."""
    _give(catalogue.ALERTS, library, 1, {"kind": kind.value, "outcome": outcome.value})


def _sum(counted: Mapping[Any, int], which: tuple[Any, ...]) -> int:
    return sum(counted.get(one, 0) for one in which)


def _give(metric: Metric, library: str, value: float, tags: Mapping[str, str]) -> None:
    from airflow.sdk.observability.stats import Stats

    if set(tags) != set(metric.tags):
        raise ValueError(f"{metric.name} has the tags {metric.tags}")
    told = {"library": library, **tags}
    if metric.kind is Kind.COUNTER:
        Stats.incr(metric.name, int(value), tags=told)
    else:
        Stats.gauge(metric.name, value, tags=told)
