"""How librarians read and write dates and hours."""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo


def day_words(day: date | None) -> str:
    """`26/11/2026`, nothing for no day."""
    return "" if day is None else f"{day:%d/%m/%Y}"


_WRITTEN = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")


def written_day(text: str) -> date:
    """The day that somebody wrote: `26/11/2026`, or `2026-11-26` as a browser sends it. Raises ValueError."""
    text = text.strip()
    in_words = _WRITTEN.fullmatch(text)
    if in_words is None:
        return date.fromisoformat(text)
    day, month, year = map(int, in_words.groups())
    return date(year, month, day)


def minute_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10 h 04`, by the library's clock."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H h %M}"


def second_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10:04:12`, by the library's clock: what may have to prove something."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H:%M:%S}"


WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip


def long_day_words(day: date, *, year: bool = True) -> str:
    """`lundi 30 novembre 2026`, or without its year; the first of a month is `1er`."""
    number = "1er" if day.day == 1 else str(day.day)
    words = f"{WEEKDAYS[day.weekday()]} {number} {MONTHS[day.month - 1]}"
    return f"{words} {day.year}" if year else words


def hour_words(moment: datetime, *, zone: tzinfo) -> str:
    """`7 h`, `10 h 03`, by the library's clock; an hour stays on one line."""
    at = moment.astimezone(zone)
    words = f"{at.hour} h {at.minute:02}" if at.minute else f"{at.hour} h"
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def near_words(moment: datetime, now: datetime, *, zone: tzinfo) -> str:
    """How one says an hour that is near: `à 10 h 03` today, `hier à 7 h`, `demain à 7 h`, `lundi 30 novembre à 7 h`."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    hour = f"à {hour_words(moment, zone=zone)}"
    near = {-1: "hier", 0: "", 1: "demain"}.get((day - today).days)
    if near is None:
        near = long_day_words(day, year=day.year != today.year)
    return f"{near} {hour}".strip()


def when_words(moment: datetime, *, now: datetime, zone: tzinfo) -> str:
    """`hier à 10 h 03`, by the library's clock: the day in words when it is near, `le 26/11/2026 à 10 h 04` else."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    ago = (today - local.date()).days
    if ago in (0, 1):
        day = ("aujourd'hui", "hier")[ago]
    elif 1 < ago < 7:
        day = f"{WEEKDAYS[local.weekday()]} {local:%d/%m}"
    else:
        day = f"le {local:%d/%m/%Y}"
    return f"{day} à {local.hour} h {local:%M}"
