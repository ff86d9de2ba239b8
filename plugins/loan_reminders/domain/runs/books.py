"""The books of a run: every loan and every delivery accounted for, or the run is red."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.words import CHANNELS

_UNDONE = {DeliveryState.PLANNED: "encore en attente", DeliveryState.CLAIMED: "commencés, sans réponse enregistrée"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Counts of one run.

    `loans_extracted` is counted while reading the ILS, the rest in the ledger afterwards: they must meet.
    `skipped` counts loans by reason; `slots_skipped` counts the slots left empty of loans that do have a notice.
    `deliveries` counts by channel and state; `segments` and `cost` are those of the SMS accepted.
    `taken_over_by_letter` counts the letters that went in the place of an e-mail that did not arrive.
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
    taken_over_by_letter: int = 0

    def problems(self) -> tuple[str, ...]:
        """What does not balance or is left undone, one French sentence each; empty when the books are right."""
        found = []
        skipped = sum(self.skipped.values())
        if self.loans_extracted != self.loans_in_notices + skipped:
            found.append(
                f"prêts extraits : {self.loans_extracted}, mais dans un avis : {self.loans_in_notices}"
                f" et écartés : {skipped}"
            )
        by_state = sum(sum(states.values()) for states in self.deliveries.values())
        if self.deliveries_planned != by_state:
            found.append(f"envois prévus : {self.deliveries_planned}, mais retrouvés : {by_state}")
        for channel, states in self.deliveries.items():
            for state, words in _UNDONE.items():
                if states.get(state):
                    number = states[state]
                    found.append(f"{CHANNELS[channel]}, envois {words} ({state}) : {number}, relancer leur tâche")
        return tuple(found)
