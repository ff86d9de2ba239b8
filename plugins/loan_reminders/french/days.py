"""How librarians read dates and hours."""

from __future__ import annotations

from datetime import date, datetime, tzinfo


def day_words(day: date | None) -> str:
    """`26/11/2026`, nothing for no day."""
    return "" if day is None else f"{day:%d/%m/%Y}"


def minute_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10 h 04`, by the library's clock."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H h %M}"


def second_words(moment: datetime, *, zone: tzinfo) -> str:
    """`26/11/2026 à 10:04:12`, by the library's clock: what may have to prove something."""
    return f"{moment.astimezone(zone):%d/%m/%Y à %H:%M:%S}"


_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def when_words(moment: datetime, *, now: datetime, zone: tzinfo) -> str:
    """`hier à 10 h 03`, by the library's clock: the day in words when it is near, `le 26/11/2026 à 10 h 04` else."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    ago = (today - local.date()).days
    if ago in (0, 1):
        day = ("aujourd'hui", "hier")[ago]
    elif 1 < ago < 7:
        day = f"{_WEEKDAYS[local.weekday()]} {local:%d/%m}"
    else:
        day = f"le {local:%d/%m/%Y}"
    return f"{day} à {local.hour} h {local:%M}"
