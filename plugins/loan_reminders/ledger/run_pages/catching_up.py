"""A missed day that somebody has caught up, in the journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy import Connection

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.journal import keep


class PostgresCatchingUp:
    """The part of one library's ledger that keeps who caught up which day."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def started(self, stage: Stage, day: date, *, who: str) -> None:
        """Keep that somebody started the run of a missed day."""
        facts = {"stage": stage.value, "day": day.isoformat()}
        with self._transaction() as connection:
            keep(connection, self._library, who=who, act=JournalAct.DAY_CAUGHT_UP, facts=facts)
