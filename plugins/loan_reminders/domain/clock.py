"""The clock that long work asks again: "today" may end while it sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in the library's time zone. Only operators and commands make one."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)


def midnight(moment: datetime) -> datetime:
    """The beginning of a moment's day, in the same time zone."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def as_number(moment: datetime) -> int:
    """A moment as microseconds since 1970, exactly: what tasks tell one another are numbers."""
    return (moment - _FIRST) // _UNIT


def of_number(number: int) -> datetime:
    """The moment of such a number, in UTC."""
    return _FIRST + number * _UNIT
