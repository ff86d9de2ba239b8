"""What SMS may cost, in segments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsBudget:
    """How many segments a day and a month may cost, and how many must be left on the account.

    Less than `reserve` left is a warning; less than `floor` left, nothing leaves.
    """

    daily: int
    monthly: int
    reserve: int
    floor: int

    def problems(self, *, forecast: int, credit: int, today: int, month: int) -> tuple[str, ...]:
        """Why a run of `forecast` segments may not leave, in French; empty when it may.

        `credit` is what the account holds; `today` and `month` what was spent already.
        """
        found = []
        if credit - forecast < self.floor:
            found.append(
                f"il faut {forecast} segments et en garder {self.floor}, le compte en a {credit} : acheter des SMS"
            )
        if today + forecast > self.daily:
            found.append(f"plafond du jour : {today} envoyés + {forecast} prévus > {self.daily}")
        if month + forecast > self.monthly:
            found.append(f"plafond du mois : {month} envoyés + {forecast} prévus > {self.monthly}")
        return tuple(found)
