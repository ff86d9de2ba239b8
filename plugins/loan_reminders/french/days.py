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


def moment_words(moment: datetime, *, now: datetime, zone: tzinfo) -> str:
    """`aujourd'hui à 10 h 03`, `hier à 10 h 03`, `le 26/11/2026 à 10 h 04`, by the library's clock."""
    local = moment.astimezone(zone)
    day = {0: "aujourd'hui", 1: "hier"}.get((now.astimezone(zone).date() - local.date()).days, f"le {local:%d/%m/%Y}")
    return f"{day} à {local:%H h %M}"
