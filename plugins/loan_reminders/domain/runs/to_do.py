"""What waits for a person: a closed list of kinds, the oldest first; and which days of the procedure were missed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from loan_reminders.domain.runs.reading.tally import UnknownCode
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Channel, Stage

GRACE = timedelta(hours=2)
"""How long after its hour a run may still begin, and how long the ILS may be read: a task that reads it is ended after
45 minutes, and a try begins the run afresh."""

STANDS_STILL_AFTER = timedelta(days=6)
"""No sound run stays open so long, but one whose letters wait for a librarian."""

MISSED_WITHIN = timedelta(days=30)
"""How far back days are looked at; later stages have taken over what is older."""


class ToDoKind(StrEnum):
    """What a person has to do; each kind has its own button."""

    LEDGER_BEHIND = "ledger_behind"
    LEDGER_GAP = "ledger_gap"
    VOLUME = "volume"
    READING = "reading"
    APPROVAL = "approval"
    PRINT = "print"
    NUMBER = "number"
    POST = "post"
    ACKNOWLEDGEMENT = "acknowledgement"
    IN_DOUBT = "in_doubt"
    NOT_ARRIVED = "not_arrived"
    BOUNCES = "bounces"
    REPLIES = "replies"
    MISSED_DAY = "missed_day"
    BOOKS_WRONG = "books_wrong"
    STANDS_STILL = "stands_still"
    NO_CREDIT = "no_credit"
    NEW_CODES = "new_codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoItem:
    """One thing that waits. `number` counts letters, messages, answers, addresses, or SMS left, by its kind.

    `since` is when it began to wait, None when nobody knows. `many`: there are more than were counted. `channel` tells
    ordinary from registered letters. `days` are those of one stage with the same fault; `run_id` is the first one's.
    `codes` are those of the ILS that nobody knew before. Letters of a `trial` are not for the post.
    """

    kind: ToDoKind
    since: datetime | None = None
    number: int = 0
    many: bool = False
    pages: int = 0
    stage: Stage | None = None
    channel: Channel | None = None
    run_id: int | None = None
    batch_id: int | None = None
    days: tuple[date, ...] = ()
    detail: str = ""
    codes: tuple[UnknownCode, ...] = ()
    trial: bool = False


def oldest_first(items: Iterable[ToDoItem]) -> tuple[ToDoItem, ...]:
    """The list as it is shown: what nobody can date comes first, it stops everything else."""
    return tuple(
        sorted(items, key=lambda item: (item.since is not None, item.since.timestamp() if item.since else 0.0))
    )


def missed_days(
    days: Sequence[WatchedDay], *, starts: Mapping[Stage, time], one_at_a_time: Collection[Stage], now: datetime
) -> tuple[tuple[ToDoKind, WatchedDay], ...]:
    """The days without a green run that a person has to see to, each with what is wrong, as far as the ledger knows.

    `starts` is each stage's hour; `now` is aware and in the library's zone. A run that is still being sent, or that
    waits for an answer, is no missed day, and holds back those that follow in the stages that go `one_at_a_time`.
    """
    found: list[tuple[ToDoKind, WatchedDay]] = []
    for stage, starts_at in starts.items():
        ours = [day for day in days if day.stage is stage]
        held_since = min((day.day for day in ours if stage in one_at_a_time and _under_way(day, now)), default=date.max)
        for day in ours:
            kind = _what_is_wrong(day, starts_at=starts_at, held_since=held_since, now=now)
            if kind is not None:
                found.append((kind, day))
    return tuple(sorted(found, key=lambda one: one[1].day))


def not_under_way(items: Iterable[ToDoItem], *, today: date, going: Collection[Stage]) -> Iterator[ToDoItem]:
    """The list without the missed days whose run goes on: those of `today`, of the stages that are `going` in Airflow.

    The ledger hears of a run when it reads the ILS; a run that waits behind another, or begins late, is nobody's work.
    """
    for item in items:
        if item.kind is not ToDoKind.MISSED_DAY or item.stage not in going or today not in item.days:
            yield item
        elif days := tuple(day for day in item.days if day != today):
            yield replace(item, days=days, number=len(days))


def _under_way(day: WatchedDay, now: datetime) -> bool:
    """Whether the day's run may still be going on: Airflow alone would know for sure."""
    if day.started_at is None or day.closed:
        return False
    return now - day.started_at < (STANDS_STILL_AFTER if day.read else GRACE)


def _what_is_wrong(day: WatchedDay, *, starts_at: time, held_since: date, now: datetime) -> ToDoKind | None:
    if day.started_at is None:
        is_late = day.day < now.date() or now - GRACE >= datetime.combine(now.date(), starts_at, now.tzinfo)
        return ToDoKind.MISSED_DAY if is_late and day.day < held_since else None
    if day.closed:
        return None if day.asking else ToDoKind.BOOKS_WRONG
    if day.asking or _under_way(day, now):
        return None
    return ToDoKind.STANDS_STILL if day.read else ToDoKind.MISSED_DAY
