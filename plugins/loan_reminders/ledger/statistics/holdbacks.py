"""The periods in which SMS were held back at random: kept when a run is planned, so that they are known for good."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.statistics.effect import Kept

_KEEP = text("""
    INSERT INTO holdbacks (library, first_day, last_day, share, seed)
    VALUES (:library, :first_day, :last_day, :share, :seed)
    ON CONFLICT ON CONSTRAINT one_holdback DO UPDATE SET ended_on = excluded.first_day
    WHERE holdbacks.ended_on IS NOT NULL
""")
_END = text("""
    UPDATE holdbacks SET ended_on = :today
    WHERE library = :library AND last_day >= :today AND ended_on IS NULL
      AND (first_day, last_day, share, seed) IS DISTINCT FROM
          (CAST(:first_day AS date), CAST(:last_day AS date), CAST(:share AS double precision), CAST(:seed AS text))
""")
_ALL = text("SELECT * FROM holdbacks WHERE library = :library ORDER BY holdback_id")
_NONE = {"first_day": None, "last_day": None, "share": None, "seed": None}


def keep_holdback(connection: Connection, library: str, holdback: Holdback) -> None:
    """Keep a period, once, in the caller's transaction.

    One that was given up and is in force again is kept as ended before it began: nothing is ever concluded from it.
    """
    connection.execute(_KEEP, {"library": library, **_values(holdback)})


def end_others(connection: Connection, library: str, current: Holdback | None, today: date) -> None:
    """Note which periods were given up before their last day: `current` is the one that the settings say now."""
    asked = {"library": library, "today": today, **(_values(current) if current else _NONE)}
    connection.execute(_END, asked)


def all_holdbacks(connection: Connection, library: str) -> tuple[Kept, ...]:
    """Every period of a library, in the order in which they were met."""
    return tuple(
        Kept(
            holdback_id=row.holdback_id,
            holdback=Holdback(share=row.share, first=row.first_day, last=row.last_day, seed=row.seed),
            ended_on=row.ended_on,
        )
        for row in connection.execute(_ALL, {"library": library})
    )


def _values(holdback: Holdback) -> Mapping[str, Any]:
    return {
        "first_day": holdback.first,
        "last_day": holdback.last,
        "share": holdback.share,
        "seed": holdback.seed,
    }
