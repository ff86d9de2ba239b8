"""What SMS may cost, in segments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shortfall(StrEnum):
    """Which limit a run of SMS would pass: the account's credit, the cap of the day or that of the month."""

    CREDIT = "credit"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetProblem:
    """A limit that a run of `forecast` segments would pass, all in segments.

    `so_far` is what was spent already, or for `CREDIT` what the account holds; `limit` is the cap, or the floor.
    """

    what: Shortfall
    forecast: int
    so_far: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsBudget:
    """How many segments a day and a month may cost, and how many must be left on the account.

    Less than `reserve` left is a warning; less than `floor` left, nothing leaves.
    """

    daily: int
    monthly: int
    reserve: int
    floor: int

    def problems(self, *, forecast: int, credit: int, today: int, month: int) -> tuple[BudgetProblem, ...]:
        """Why a run of `forecast` segments may not leave; empty when it may.

        `credit` is what the account holds; `today` and `month` what was spent already.
        """
        found = []
        if credit - forecast < self.floor:
            found.append(BudgetProblem(what=Shortfall.CREDIT, forecast=forecast, so_far=credit, limit=self.floor))
        if today + forecast > self.daily:
            found.append(BudgetProblem(what=Shortfall.DAY, forecast=forecast, so_far=today, limit=self.daily))
        if month + forecast > self.monthly:
            found.append(BudgetProblem(what=Shortfall.MONTH, forecast=forecast, so_far=month, limit=self.monthly))
        return tuple(found)
