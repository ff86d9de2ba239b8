"""What the counters hold of costs, by month and stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.statistics.costs import Counted, LettersOf, Spared

_MONTH = "CAST(date_trunc('month', moment AT TIME ZONE :zone) AS date)"
_IN_PERIOD = """
    WHERE library = :library
      AND moment >= timezone(:zone, CAST(CAST(:first AS date) AS timestamp))
      AND moment < timezone(:zone, CAST(CAST(:last AS date) + 1 AS timestamp))
"""
_MESSAGES = text(f"""
    SELECT {_MONTH} AS month, stage, sum(told) AS told, sum(segments) AS segments, sum(cost) AS cost,
           sum(unpriced) AS unpriced
    FROM message_counters {_IN_PERIOD} GROUP BY 1, 2
""")  # noqa: S608 - the pieces are this module's own
_LETTERS = text(f"""
    SELECT {_MONTH} AS month, stage, channel, pages, sum(printed) AS printed, sum(posted) AS posted
    FROM letter_counters {_IN_PERIOD} GROUP BY 1, 2, 3, 4 ORDER BY 3, 4
""")  # noqa: S608 - the pieces are this module's own
_SPARED = text(f"""
    SELECT {_MONTH} AS month, stage, reason, sum(sms) AS sms FROM spared_counters {_IN_PERIOD} GROUP BY 1, 2, 3
""")  # noqa: S608 - the pieces are this module's own

Key = tuple[date, str]


class PostgresCosts:
    """The part of one library's ledger that knows what was sent, printed and posted, by month and stage."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def counted(self, *, first: date, last: date, zone: str) -> Sequence[Counted]:
        """What was counted from one day to another, both included, in the library's zone; months and stages in order.

        A message counts on the day it was attempted, a letter on that of its batch, what did not leave on its run's.
        """
        asked = {"library": self._library, "first": first, "last": last, "zone": zone}
        with self._transaction() as connection:
            messages = {(row.month, row.stage): row for row in connection.execute(_MESSAGES, asked)}
            letters: dict[Key, list[LettersOf]] = {}
            for row in connection.execute(_LETTERS, asked):
                letters.setdefault((row.month, row.stage), []).append(
                    LettersOf(
                        channel=Channel(row.channel), pages=row.pages, printed=int(row.printed), posted=int(row.posted)
                    )
                )
            spared: dict[Key, dict[Spared, int]] = {}
            for row in connection.execute(_SPARED, asked):
                spared.setdefault((row.month, row.stage), {})[Spared(row.reason)] = int(row.sms)
        found = sorted({*messages, *letters, *spared}, key=lambda key: (key[0], Stage(key[1]).place))
        return tuple(
            Counted(
                month=month,
                stage=Stage(stage),
                told=int(messages[month, stage].told) if (month, stage) in messages else 0,
                segments=int(messages[month, stage].segments) if (month, stage) in messages else 0,
                unpriced=int(messages[month, stage].unpriced) if (month, stage) in messages else 0,
                told_by_provider=Decimal(str(messages[month, stage].cost))
                if (month, stage) in messages
                else Decimal(0),
                letters=tuple(letters.get((month, stage), ())),
                spared=spared.get((month, stage), {}),
            )
            for month, stage in found
        )
