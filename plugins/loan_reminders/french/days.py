"""How librarians read dates and hours."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo


def day_words(day: date | None) -> str:
    """`26/11/2026`, nothing for no day."""
    return "" if day is None else f"{day:%d/%m/%Y}"


def minute_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10 h 04`, by the library's clock."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H h %M}"


def second_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10:04:12`, by the library's clock: what may have to prove something."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H:%M:%S}"


MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def long_day_words(day: date, *, year: bool = True) -> str:
    """`samedi 28 novembre 2026`; the first of a month is its « 1er »."""
    number = "1er" if day.day == 1 else str(day.day)
    words = f"{WEEKDAYS[day.weekday()]} {number} {MONTHS[day.month - 1]}"
    return f"{words} {day.year}" if year else words


def when_words(moment: datetime, *, zone: tzinfo, now: datetime) -> str:
    """`aujourd'hui à 8 h 41`, `hier à 10 h 03`, `samedi 28 novembre à 10 h 03`, by the library's clock."""
    there, today = moment.astimezone(zone), now.astimezone(zone).date()
    hour = f"{there.hour} h {there.minute:02d}"
    if there.date() == today:
        return f"aujourd'hui à {hour}"
    if there.date() == today - timedelta(days=1):
        return f"hier à {hour}"
    return f"{long_day_words(there.date(), year=there.year != today.year)} à {hour}"
