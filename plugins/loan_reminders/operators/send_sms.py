"""Envoyer les SMS."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.stages import Channel
from loan_reminders.operators.base import RunOperator, begun, only_temporary_errors_are_retried
from loan_reminders.services.compose import text_composer
from loan_reminders.services.runs.rehearse import rehearse, sweep_rehearsals
from loan_reminders.services.sms.send import send_sms
from loan_reminders.settings.library_toml import ROOT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


class SendSms(RunOperator):
    """Sends the SMS that wait; returns deliveries by state."""

    def __init__(self, *, sms_conn_id: str = "allmysms", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sms_conn_id = sms_conn_id

    def execute(self, context: Context) -> Any:
        """Send within the window of `library.toml`; before it opens, wait without holding a worker."""
        with only_temporary_errors_are_retried():
            opening = self._opening()
        if opening is not None:
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            self.log.info("Les SMS attendent l'ouverture de la plage d'envoi : %s", f"{opening:%d/%m/%Y à %H h %M}")
            self.defer(trigger=DateTimeTrigger(moment=opening), method_name="resume")
        return super().execute(context)

    def resume(self, context: Context, event: Any) -> Any:
        """The window is open: what is no longer true is taken out first, and the words are those of today."""
        return self.execute(context)

    def _opening(self) -> datetime | None:
        """When the window opens next, or None when the task may go on: it is open, or nothing is to leave."""
        now = self.now()
        opening = self.config.sms_window().next_opening(now)
        if opening <= now:
            return None
        with self.ledger() as ledger:
            waits = ledger.planned_count(begun(self.run_id), Channel.SMS) and not ledger.run(self.run_id).dry_run
        return opening if waits else None

    def work(self, context: Context, ledger: Ledger) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        from loan_reminders.hooks.allmysms import sms_gateway
        from loan_reminders.hooks.letter_store import letter_store

        self.check_approved(ledger)
        ours, now = self.config.sms, self.now()
        today = now.date()
        compose = text_composer(
            ROOT / "templates",
            stage=self.stage,
            library=self.config.identity(),
            max_segments=ours.max_segments,
            opt_out_mention=ours.opt_out_mention,
            today=today,
            redirect=self.config.redirection(),
        )
        campaign = f"{self.stage}-{today:%Y%m%d}-{self.run_id}"
        provider = sms_gateway(self.sms_conn_id, sender=ours.sender, campaign=campaign, api=ours.api)
        if ledger.run(self.run_id).dry_run:
            sweep_rehearsals(letter_store(), now)
            return rehearse(
                ledger,
                letter_store(),
                compose,
                run_id=self.run_id,
                channel=Channel.SMS,
                ask_cost=provider.simulate if ours.simulate_dry_runs else None,
            )
        return send_sms(
            ledger,
            provider,
            compose,
            run_id=self.run_id,
            batch_size=ours.batch_size,
            still_due=replace(self.still_due(ledger), expires_after_days=ours.expires_after_days),
            budget=self.config.sms_budget(),
            now=now,
        )
