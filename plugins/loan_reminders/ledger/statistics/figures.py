"""The figures of the page, summed over the counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.figures import (
    Asked,
    Cut,
    Freshness,
    MessageFigures,
    Messages,
    Overdue,
    Returns,
    periods,
)
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.ledger.statistics import counting

_NARROWED = """
    AND (CAST(:stage AS text) IS NULL OR stage = :stage)
    AND (CAST(:channel AS text) IS NULL OR channel = :channel)
    AND (CAST(:branch AS text) IS NULL OR branch = :branch)
    AND (CAST(:category AS text) IS NULL OR category = :category)
"""
_FIGURES = ("told", "not_reached", "failed", "in_doubt", "waiting", "segments", "cost", "unpriced")
_SUMS = ", ".join(f"sum({name}) AS {name}" for name in _FIGURES)
_IN_PERIOD = f"""
    FROM message_counters
    WHERE library = :library
      AND moment >= timezone(:zone, CAST(CAST(:first AS date) AS timestamp))
      AND moment < timezone(:zone, CAST(CAST(:last AS date) + 1 AS timestamp))
      {_NARROWED}
"""
# Two sums into few lines each: one into all lines that the page may want would be as long as the counters themselves.
# Where a period begins is worked out once, and each moment then looked up among these beginnings.
_BY_PERIOD = text(f"""
    WITH starts AS MATERIALIZED (
        SELECT array_agg(timezone(:zone, CAST(day AS timestamp)) ORDER BY day) AS at
        FROM unnest(CAST(:periods AS date[])) AS day
    )
    SELECT width_bucket(moment, (SELECT at FROM starts)) AS period, channel, {_SUMS} {_IN_PERIOD} GROUP BY 1, 2
""")  # noqa: S608 - the pieces are this module's own
_BY_KIND = text(f"""
    SELECT stage, channel, branch, category, {_SUMS} {_IN_PERIOD} GROUP BY stage, channel, branch, category
""")
_RETURNS = text(f"""
    SELECT stage, channel = 'sms' AS with_sms, sum(loans) AS loans,
           sum(known_1) AS known_1, sum(known_3) AS known_3, sum(known_7) AS known_7,
           sum(returned_1) AS returned_1, sum(returned_3) AS returned_3, sum(returned_7) AS returned_7,
           sum(renewed_7) AS renewed_7
    FROM return_counters
    WHERE library = :library AND day BETWEEN :first AND :last {_NARROWED}
    GROUP BY stage, channel = 'sms'
""")  # noqa: S608 - the pieces are this module's own
_OVERDUE = text("""
    WITH ends AS (
        SELECT max(day) AS day FROM loan_looks
        WHERE library = :library AND day BETWEEN :first AND :last GROUP BY date_trunc('month', day)
    )
    SELECT ends.day, category, sum(overdue) AS overdue, sum(long_overdue) AS long_overdue
    FROM ends JOIN overdue_counters counted ON counted.library = :library AND counted.day = ends.day
    WHERE CAST(:branch AS text) IS NULL OR branch = :branch
    GROUP BY ends.day, category ORDER BY ends.day, category
""")
_LOOKS = text("SELECT min(day) AS first_look, max(day) AS last_look FROM loan_looks WHERE library = :library")

Transaction = Callable[[], AbstractContextManager[Connection]]


class PostgresFigures:
    """The figures of one library."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def messages(self, asked: Asked) -> MessageFigures:
        """What became of the messages of a period; a message counts on the day it was attempted."""
        parameters, starts = self._parameters(asked), periods(asked)
        with self._transaction() as connection:
            in_time = connection.execute(_BY_PERIOD, {**parameters, "periods": list(starts)}).all()
            by_kind = connection.execute(_BY_KIND, parameters).all()
        by: dict[Cut, dict[str, Messages]] = {cut: {} for cut in Cut}
        chart: dict[tuple[str, str], int] = {}
        total = Messages()
        for row in in_time:
            start, counted = starts[row.period - 1].isoformat(), _messages(row)
            total += counted
            by[Cut.PERIOD][start] = by[Cut.PERIOD].get(start, Messages()) + counted
            chart[start, row.channel] = counted.told if row.channel else counted.not_reached
        for row in by_kind:
            counted = _messages(row)
            for cut in (Cut.STAGE, Cut.CHANNEL, Cut.BRANCH, Cut.CATEGORY):
                key = getattr(row, cut.value)
                by[cut][key] = by[cut].get(key, Messages()) + counted
        return MessageFigures(total=total, by=by, chart=chart)

    def returns(self, asked: Asked) -> Sequence[Returns]:
        """What became of the loans that each stage of a period told of, with an SMS or without, stage by stage."""
        with self._transaction() as connection:
            found = connection.execute(_RETURNS, self._parameters(asked)).all()
        return tuple(sorted(map(_returns, found), key=lambda one: (one.stage.place, one.with_sms)))

    def overdue(self, asked: Asked) -> Sequence[Overdue]:
        """Overdue loans on the last day of each month on which all loans were asked about, by category of reader."""
        with self._transaction() as connection:
            found = connection.execute(_OVERDUE, self._parameters(asked)).all()
        return tuple(
            Overdue(
                day=row.day,
                category=PatronCategory(row.category),
                overdue=int(row.overdue),
                long_overdue=int(row.long_overdue),
            )
            for row in found
        )

    def freshness(self) -> Freshness:
        """How fresh the figures are."""
        with self._transaction() as connection:
            looks = connection.execute(_LOOKS, {"library": self._library}).one()
            runs = len(counting.not_counted(connection, self._library))
        return Freshness(first_look=looks.first_look, last_look=looks.last_look, runs_to_count=runs)

    def _parameters(self, asked: Asked) -> dict[str, Any]:
        return {
            "library": self._library,
            "first": asked.first,
            "last": asked.last,
            "zone": asked.zone,
            "stage": asked.stage and asked.stage.value,
            "channel": asked.channel and asked.channel.value,
            "branch": asked.branch,
            "category": asked.category and asked.category.value,
        }


def _messages(row: Row[Any]) -> Messages:
    counts = {name: int(getattr(row, name) or 0) for name in _FIGURES if name != "cost"}
    return Messages(**counts, cost=float(row.cost or 0))


def _returns(row: Row[Any]) -> Returns:
    return Returns(
        stage=Stage(row.stage),
        with_sms=row.with_sms,
        loans=int(row.loans),
        known={days: int(getattr(row, f"known_{days}")) for days in WITHIN_DAYS},
        returned={days: int(getattr(row, f"returned_{days}")) for days in WITHIN_DAYS},
        renewed=int(row.renewed_7),
    )
