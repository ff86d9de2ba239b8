"""Envoyer les SMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.domain.stages import Channel
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.compose import text_composer
from loan_reminders.services.dispatch_sms import send_sms
from loan_reminders.services.rehearse import rehearse
from loan_reminders.settings import ROOT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports import Ledger


class SendSms(RunOperator):
    """Sends the SMS that wait; returns deliveries by state."""

    def __init__(self, *, sms_conn_id: str = "allmysms", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sms_conn_id = sms_conn_id

    def work(self, context: Context, ledger: Ledger) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        from loan_reminders.hooks.allmysms import sms_gateway
        from loan_reminders.hooks.letter_store import letter_store

        ours, today = self.config.sms, self.now().date()
        compose = text_composer(
            ROOT / "templates",
            stage=self.stage,
            library=self.config.identity(),
            max_segments=ours.max_segments,
            opt_out_mention=ours.opt_out_mention,
            today=today,
            redirect=self.config.redirection(),
        )
        if ledger.run(self.run_id).dry_run:
            return rehearse(ledger, letter_store(), compose, run_id=self.run_id, channel=Channel.SMS)
        campaign = f"{self.stage}-{today:%Y%m%d}-{self.run_id}"
        gateway = sms_gateway(self.sms_conn_id, sender=ours.sender, campaign=campaign)
        return send_sms(
            ledger,
            gateway,
            compose,
            run_id=self.run_id,
            batch_size=ours.batch_size,
            still_due=self.still_due(ledger),
        )
