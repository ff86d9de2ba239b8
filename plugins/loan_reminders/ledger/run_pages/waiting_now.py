"""What waits to leave and what is in doubt, over all runs of the last weeks; for monitoring and for late runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.runs.waiting import ASKS, ASKS_OR_PRINTS

WITHIN_DAYS = 60
"""How far back runs are looked at: what waited longer is on the desk, and is nobody's alarm any more."""

_RECENT = """
    SELECT run_id, started_at FROM runs
    WHERE library = :library AND reference_date >= CAST(now() AS date) - CAST(:days AS integer) AND NOT dry_run
"""
_DRAFTS = f"""
    SELECT letter.delivery_id FROM letter_batches batch JOIN letters letter ON letter.batch_id = batch.batch_id
    WHERE batch.library = :library AND {ASKS_OR_PRINTS}
"""  # noqa: S608 - the piece is this project's own
# By the index of what has not arrived: the deliveries of two months that did are never read.
_WAITING = text(f"""
    SELECT delivery.channel, delivery.state, count(*) AS number,
           extract(epoch FROM now() - min(recent.started_at) FILTER (WHERE draft.delivery_id IS NULL)) AS oldest
    FROM ({_RECENT}) AS recent
    JOIN deliveries delivery ON delivery.run_id = recent.run_id AND delivery.state NOT IN ('accepted', 'delivered')
    LEFT JOIN ({_DRAFTS}) AS draft ON draft.delivery_id = delivery.delivery_id
    WHERE delivery.state IN ('planned', 'claimed') OR (delivery.state = 'in_doubt' AND NOT EXISTS (
        SELECT FROM desk_settlements settled WHERE settled.delivery_id = delivery.delivery_id
    ))
    GROUP BY delivery.channel, delivery.state
""")  # noqa: S608 - the query is this module's own
_TO_PRINT = text("""
    SELECT coalesce(sum(letters - left_out), 0) AS letters FROM letter_batches
    WHERE library = :library AND state = 'ready'
""")
_OF_RUN = text("""
    SELECT delivery.channel
    FROM runs run JOIN deliveries delivery ON delivery.run_id = run.run_id
     AND delivery.state NOT IN ('accepted', 'delivered')
    WHERE run.library = :library AND run.stage = :stage AND run.dag_run_id = :dag_run_id
      AND delivery.state IN ('planned', 'claimed')
    GROUP BY delivery.channel
""")
_ASKING = text(f"""
    SELECT EXISTS (
        SELECT FROM runs run JOIN letter_batches batch ON batch.run_id = run.run_id AND {ASKS}
        WHERE run.library = :library AND run.stage = :stage AND run.dag_run_id = :dag_run_id
    ) AS asking
""")  # noqa: S608 - the piece is this project's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Numbers of deliveries by channel; `oldest_seconds` is since the oldest run began in which some wait.

    Registered letters that wait for a librarian's approval are counted, and grow no older: they wait as they should.
    Once approved they do, if they are not printed soon.
    """

    waiting: dict[Channel, int] = field(default_factory=dict)
    oldest_seconds: dict[Channel, float] = field(default_factory=dict)
    in_doubt: dict[Channel, int] = field(default_factory=dict)
    letters_to_print: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWaiting:
    """What one run of Airflow waits for: by which channels something is to leave, and whether a draft asks a person."""

    channels: frozenset[Channel]
    asking: bool


class PostgresQueue:
    """The part of the ledger that says what waits."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def now(self) -> Queue:
        """What waits, over all runs."""
        with self._transaction() as connection:
            rows = connection.execute(_WAITING, {"library": self._library, "days": WITHIN_DAYS}).all()
            letters = connection.execute(_TO_PRINT, {"library": self._library}).scalar_one()
        waiting: dict[Channel, int] = {}
        oldest: dict[Channel, float] = {}
        in_doubt: dict[Channel, int] = {}
        for row in rows:
            channel = Channel(row.channel)
            if row.state == "in_doubt":
                in_doubt[channel] = row.number
                continue
            waiting[channel] = waiting.get(channel, 0) + row.number
            oldest[channel] = max(oldest.get(channel, 0.0), float(row.oldest or 0))
        return Queue(waiting=waiting, oldest_seconds=oldest, in_doubt=in_doubt, letters_to_print=int(letters))

    def of_run(self, stage: Stage, dag_run_id: str) -> RunWaiting:
        """What one run of Airflow waits for."""
        asked = {"library": self._library, "stage": stage.value, "dag_run_id": dag_run_id}
        with self._transaction() as connection:
            channels = frozenset(Channel(row.channel) for row in connection.execute(_OF_RUN, asked))
            return RunWaiting(channels=channels, asking=bool(connection.execute(_ASKING, asked).scalar_one()))
