"""A planning that writes nothing: it reads the real history, to say what a run would do."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from loan_reminders.domain.notices import Delivery, History, LoanKey, Skip
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.runs.planning import PostgresPlanning


class PostgresForeseeing(PostgresPlanning):
    """Plans a run that is not in the ledger, in one transaction that is undone. Fulfils `Foreseeing`.

    The run must be a dry one: nothing is recovered, held or taken over for it. `left_behind` are the loans whose
    message an earlier run planned and never sent.
    """

    def __init__(self, engine: Engine, run: Run, *, library: str) -> None:
        super().__init__(engine, run, library=library)
        self.left_behind: set[LoanKey] = set()

    def __enter__(self) -> Self:
        with ledger_errors():
            self._connection = self._engine.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection = self._open()
        self._connection = None
        with ledger_errors():
            connection.rollback()
            connection.close()

    def history(self, keys: Sequence[LoanKey]) -> History:
        """The live claims on these loans."""
        found = super().history(keys)
        self.left_behind.update(taken for (taken, _), state in found.items() if state is DeliveryState.PLANNED)
        return found

    def adopt(self, keys: Sequence[LoanKey]) -> int:
        """Nothing is taken over."""
        return 0

    def record(self, deliveries: Sequence[Delivery], skips: Sequence[Skip]) -> None:
        """Nothing is written."""
