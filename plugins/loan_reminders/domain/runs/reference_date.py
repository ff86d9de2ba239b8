"""Which day a run is about."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from loan_reminders.domain.errors import CodedError, SettingsError

OLDEST = timedelta(days=366)
"""How far back a run may be about: by then, every loan of that day has long been at its last stage."""

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHOWN = 40


class DayRefusal(StrEnum):
    """Why a run cannot be about a day."""

    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    NOT_A_DAY = "not_a_day"
    IN_A_BACKFILL = "in_a_backfill"


class ReferenceDateRefused(CodedError, SettingsError):
    """The day that a run was asked to be about cannot be; the code is a `DayRefusal`."""


def reference_date(
    *,
    param: str | None,
    logical_date: datetime | None,
    run_after: datetime,
    time_zone: tzinfo,
    today: date | None = None,
    backfill: bool = False,
) -> date:
    """The day a run is about: the `reference_date` param, else the logical date, else `run_after`.

    The instants must know their zone; the day is that of the library's own zone, so that a run at 00:30 in
    Paris belongs to that Paris day. `today` is the day the run really happens, that of `run_after` unless given.
    Raises ReferenceDateRefused when the param is not an ISO date or a day yet to come, when the day is more than a year
    back, and when a `backfill`, which gives each of its runs a day, has the param as well: all would be about one day.
    """
    if param and backfill:
        raise ReferenceDateRefused(DayRefusal.IN_A_BACKFILL)
    today = today or run_after.astimezone(time_zone).date()
    day = _day(param) if param else _local(logical_date or run_after, time_zone)
    if param and day > today:
        raise ReferenceDateRefused(DayRefusal.IN_THE_FUTURE, day=day, today=today)
    if day < today - OLDEST:
        raise ReferenceDateRefused(DayRefusal.TOO_OLD, day=day)
    return day


def _day(param: object) -> date:
    text = param if isinstance(param, str) else repr(param)
    with suppress(ValueError):  # a day that no month has
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
    raise ReferenceDateRefused(DayRefusal.NOT_A_DAY, text=text[:_SHOWN])


def _local(instant: datetime, time_zone: tzinfo) -> date:
    try:
        return instant.astimezone(time_zone).date()
    except OverflowError:  # the first or the last day that can be counted, beyond in this zone
        return instant.date()
