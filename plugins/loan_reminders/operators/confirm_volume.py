"""Vérifier le volume: a run of an unusual size, or of an unusual reading, waits until a librarian approves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator

from loan_reminders.domain.runs.volume import NOBODY
from loan_reminders.operators.base import Installed, known_run_id, only_temporary_errors_are_retried
from loan_reminders.services.runs.check_volume import REFUSE, SEND, approve, refuse, volume_question

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger

NO_ANSWER = timedelta(days=1)
"""How long a librarian has to answer; after that nothing is sent."""


ABOUT_VOLUME = "Volume inhabituel : faut-il envoyer ?"
ABOUT_READING = "Lecture du SIGB inhabituelle : faut-il continuer ?"


class ConfirmVolume(Installed, HITLOperator):
    """Goes on when the volume is usual; otherwise asks in the UI, and cancels the run's deliveries on a refusal.

    It does the same for what was read of the ILS; there a refusal stops the run. No answer in a day is a refusal. The
    answer is kept in the ledger, where the senders look for it.
    """

    usual_id = "confirm_volume"

    template_fields: Sequence[str] = (*HITLOperator.template_fields, "run_id")

    def __init__(self, *, run_id: Any, **kwargs: Any) -> None:
        super().__init__(
            subject=ABOUT_VOLUME,
            options=[SEND, REFUSE],
            defaults=[REFUSE],
            response_timeout=NO_ANSWER,
            **kwargs,
        )
        self.run_id = run_id

    def execute(self, context: Context) -> int:
        """Ask, or return 0 at once: nothing to approve."""
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            self.body = self._question(ledger, known_run_id(self.run_id))
            if self.body and ledger.readings().doubted(self.run_id):
                self.subject = ABOUT_READING
        return super().execute(context) if self.body else 0

    def _question(self, ledger: Ledger, run_id: int) -> str | None:
        return volume_question(
            ledger,
            run_id=run_id,
            guard=self.config.guard(),
            past_runs=self.config.volume_guard.runs,
            library=self.config.identity(),
            policy=self.config.policy(),
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> int:
        """Act on the answer; returns the number of deliveries cancelled."""
        answer = super().execute_complete(context, event)
        who = (answer["responded_by_user"] or {}).get("name") or NOBODY
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            if SEND in answer["chosen_options"]:
                approve(ledger, run_id=self.run_id, who=who)
                return 0
            return refuse(ledger, run_id=self.run_id, who=who)
