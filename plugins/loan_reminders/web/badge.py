"""The number beside the first tab: how much waits for a person. It is cheap, some seconds old, and never in the way.

The first page counts the same list: what waits in the ledger, without today's runs that Airflow says are going on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused, ReminderError, SettingsError, unexpected
from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind, not_under_way, oldest_first
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.schema import UPGRADE_COMMAND
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access

SECONDS = 5.0
"""How old the number may be; without an answer of the ledger, how long it is not asked again for the number."""

BATCHES_SHOWN = 6
"""Batches to print that have a line each; more are told in one."""

A_YEAR = timedelta(days=366)
"""How far back deliveries that did not arrive are looked for, as on the page « Au bureau »."""

BEHIND = frozenset({LedgerRefusal.NO_TABLES, LedgerRefusal.OLDER_TABLES})
"""Why the ledger refuses when it waits for its migrations."""

log = logging.getLogger(__name__)


class _Kept:
    """The last list of a library, None when the ledger did not say, and when it was asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.items: Sequence[ToDoItem] | None = None
        self.asked_at = float("-inf")


_all: dict[str, _Kept] = {}


def _kept() -> _Kept:
    return _all.setdefault(settings().library.code, _Kept())


def waiting(now: datetime) -> Sequence[ToDoItem]:
    """What waits for a person at `now`, in the library's zone, the oldest first; the number beside the tab follows it.

    A ledger that is behind its migrations is the one thing that waits then. Raises what the ledger raises otherwise.
    """
    config = settings()
    try:
        found = ledger_access.to_do().items(
            now=now,
            starts=config.starts,
            one_at_a_time=config.policy().one_at_a_time,
            posted_before=now.date() - timedelta(days=config.letters.acknowledgement_days),
            sent_since=now - A_YEAR,
            sms_floor=config.sms.budget.floor if config.policy().sends_sms else None,
        )
    except LedgerRefused as error:
        if error.code not in BEHIND:
            raise
        found = (ToDoItem(kind=ToDoKind.LEDGER_BEHIND, detail=UPGRADE_COMMAND),)
    found = _surveyed(found)
    kept = _kept()
    kept.items, kept.asked_at = found, time.monotonic()
    return found


def misses_today() -> bool:
    """Whether the last list has a run of today that is missing: Airflow alone knows whether that is nobody's work."""
    today = datetime.now(settings().zone).date()
    return any(item.kind is ToDoKind.MISSED_DAY and today in item.days for item in _kept().items or ())


def to_do_count(going: Collection[Stage] | None = None) -> int | None:
    """How many lines the list has, at most some seconds ago; None when the ledger, or the settings, cannot be read.

    `going` are the stages whose run of today goes on in Airflow; while nobody asked, no run of today counts as missed.
    """
    try:
        kept, now = _kept(), datetime.now(settings().zone)
    except SettingsError:
        return None
    if time.monotonic() - kept.asked_at >= SECONDS and kept.lock.acquire(blocking=False):
        try:
            waiting(now)
        except ReminderError:
            kept.items, kept.asked_at = None, time.monotonic()
        except Exception as error:  # whatever is wrong with the number, the page comes without it
            log.error("Le nombre de choses à faire n'est pas connu, %s", unexpected(error))
            kept.items, kept.asked_at = None, time.monotonic()
        finally:
            kept.lock.release()
    if kept.items is None:
        return None
    every = frozenset(item.stage for item in kept.items if item.stage is not None)
    return sum(1 for _ in not_under_way(kept.items, today=now.date(), going=every if going is None else going))


def forget() -> None:
    """Ask again at the next page: something was just done."""
    _kept().asked_at = float("-inf")


def _surveyed(items: Sequence[ToDoItem]) -> tuple[ToDoItem, ...]:
    """The list, where too many batches to print are one line: the oldest one's, with all letters; a trial's apart."""
    found = [item for item in items if item.kind is not ToDoKind.PRINT]
    for trial in (False, True):
        to_print = [item for item in items if item.kind is ToDoKind.PRINT and item.trial is trial]
        if len(to_print) <= BATCHES_SHOWN:
            found += to_print
            continue
        found.append(
            ToDoItem(
                kind=ToDoKind.PRINT,
                since=to_print[0].since,
                number=sum(item.number for item in to_print),
                pages=sum(item.pages for item in to_print),
                detail=str(len(to_print)),
                trial=trial,
            )
        )
    return oldest_first(found)
