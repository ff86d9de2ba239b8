"""The clock that long work asks again: "today" may end while it sends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in the library's time zone. Only operators and commands make one."""


def midnight(moment: datetime) -> datetime:
    """The beginning of a moment's day, in the same time zone."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
