"""The books of a run: every loan and every delivery accounted for, or the run is red."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState

BOOKS = "books"
"""The name under which the task that closes a run leaves its figures to Airflow, for the run's note."""


class Imbalance(StrEnum):
    """What may be wrong with the books of a run.

    `LOANS`: the loans read are not those in notices and those skipped. `DELIVERIES`: those planned are not those found.
    `UNDONE`: deliveries were neither sent nor given up. `READING`: a person said that what the ILS gave is wrong.
    """

    LOANS = "loans"
    DELIVERIES = "deliveries"
    UNDONE = "undone"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksProblem:
    """One thing that is wrong with the books.

    `expected` and `found` are numbers of loans or of deliveries: `found` has two for loans, in notices and skipped.
    `channel` and `state` are those of deliveries left undone, whose number `found` holds.
    """

    what: Imbalance
    expected: int = 0
    found: tuple[int, ...] = ()
    channel: Channel | None = None
    state: DeliveryState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Counts of one run.

    `loans_extracted` is counted while reading the ILS, the rest in the ledger afterwards: they must meet.
    `skipped` counts loans by reason; `slots_skipped` counts the slots left empty of loans that do have a notice.
    `deliveries` counts by channel and state; `segments` and `cost` are those of the SMS accepted, the cost being the
    euros that the provider told; it told no price for `unpriced` of these segments.
    `taken_over_by_letter` counts the letters that went in the place of an e-mail that did not arrive.
    `redirected` counts those that left for a test address and told nobody.
    `reading_refused`: the run was stopped because what it read of the ILS is wrong.
    """

    loans_extracted: int
    loans_in_notices: int
    skipped: Mapping[str, int]
    slots_skipped: Mapping[str, int]
    notices: int
    deliveries_planned: int
    deliveries: Mapping[Channel, Mapping[DeliveryState, int]]
    segments: int
    cost: float
    unpriced: int
    taken_over_by_letter: int = 0
    redirected: int = 0
    reading_refused: bool = False

    def figures(self) -> dict[str, int]:
        """The books in a few numbers, none about anybody: by what they count, each channel by its own name.

        A channel counts what left and did not come back; `not_sent` is what was to leave and did not, or came back.
        `redirected`, where there is any, is what of the former went to a test address.
        """
        left = {
            channel.value: sum(states.get(state, 0) for state in (DeliveryState.ACCEPTED, DeliveryState.DELIVERED))
            for channel, states in self.deliveries.items()
        }
        cancelled = sum(states.get(DeliveryState.CANCELLED, 0) for states in self.deliveries.values())
        return {
            "loans": self.loans_extracted,
            "notices": self.notices,
            "skipped": sum(self.skipped.values()),
            "cancelled": cancelled,
            "not_sent": sum(sum(states.values()) for states in self.deliveries.values())
            - sum(left.values())
            - cancelled,
            "balanced": int(not self.problems()),
            **left,
            **({"redirected": self.redirected} if self.redirected else {}),
        }

    def problems(self) -> tuple[BooksProblem, ...]:
        """What does not balance or is left undone; empty when the books are right."""
        found = [BooksProblem(what=Imbalance.READING)] if self.reading_refused else []
        skipped = sum(self.skipped.values())
        if self.loans_extracted != self.loans_in_notices + skipped:
            loans = (self.loans_in_notices, skipped)
            found.append(BooksProblem(what=Imbalance.LOANS, expected=self.loans_extracted, found=loans))
        by_state = sum(sum(states.values()) for states in self.deliveries.values())
        if self.deliveries_planned != by_state:
            planned = self.deliveries_planned
            found.append(BooksProblem(what=Imbalance.DELIVERIES, expected=planned, found=(by_state,)))
        for channel, states in self.deliveries.items():
            for state in (DeliveryState.PLANNED, DeliveryState.CLAIMED):
                if number := states.get(state):
                    found.append(BooksProblem(what=Imbalance.UNDONE, found=(number,), channel=channel, state=state))
        return tuple(found)
