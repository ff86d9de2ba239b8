"""How a loan that a run has seen comes to its end."""

from __future__ import annotations

from enum import StrEnum

LONG_OVERDUE_DAYS = 15
"""From how many days after its due date on a loan is long overdue."""

WITHIN_DAYS = (1, 3, 7)
"""Within how many days after a stage returns are counted."""


class LoanEnd(StrEnum):
    """How a loan ended at its due date. `RENEWED`: it goes on, with another one.

    `GIVEN_UP`: it is overdue for so long that the ILS is not asked about it any more; nobody knows of a return.
    """

    RETURNED = "returned"
    RENEWED = "renewed"
    GIVEN_UP = "given_up"
