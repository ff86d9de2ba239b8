"""Envoyer les SMS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.temporal import DateTimeTrigger

from loan_reminders.domain.errors import SendingWindowClosed
from loan_reminders.domain.stages import Channel
from loan_reminders.operators.base import SendingOperator
from loan_reminders.services.compose import text_composer
from loan_reminders.services.runs.rehearse import rehearse, sweep_rehearsals
from loan_reminders.services.sms.send import SmsSendingPlan, send_sms

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.messages import RenderedText
    from loan_reminders.domain.notices import Delivery
    from loan_reminders.domain.ports.outside import Ledger, SmsProvider


class SendSms(SendingOperator):
    """Sends the SMS that wait, within the window of `library.toml`; returns deliveries by state.

    While the window is closed, what waits does so without holding a worker.
    """

    usual_id = "send_sms"
    kind = Channel.SMS

    def __init__(self, *, sms_conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sms_conn_id = sms_conn_id

    def execute(self, context: Context) -> Any:
        """Send; when the window is closed, or closes before the last SMS, go on at its next opening."""
        try:
            return super().execute(context)
        except SendingWindowClosed as closed:
            self.log.info("%s", closed)
            self.defer(trigger=DateTimeTrigger(moment=closed.opens_at), method_name="resume")

    def resume(self, context: Context, event: Any) -> Any:
        """The window is open: what is no longer true is taken out first, and the words are those of today."""
        return self.execute(context)

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        self.check_approved(ledger)
        provider, compose = self._provider(now.date()), self._composer()
        if ledger.run(self.run_id).dry_run:
            return self._rehearse(ledger, provider, compose, now)
        still_due = self.still_due(ledger, expires_after_days=self.config.sms.expires_after_days)
        return send_sms(ledger, provider, compose, self._plan(), still_due=still_due, clock=self.now)

    def _composer(self) -> Callable[[Delivery], RenderedText]:
        """What writes each SMS, as of the moment it is written."""
        return text_composer(
            self.config.templates,
            self.config.text_rules(),
            stage=self.stage,
            library=self.config.identity(),
            clock=self.now,
            redirect=self.config.redirection(),
        )

    def _provider(self, today: date) -> SmsProvider:
        """The SMS provider; the SMS of this task are one campaign there."""
        from loan_reminders.hooks.allmysms import sms_gateway

        conn_id = self.sms_conn_id or self.config.sms.connection
        campaign = f"{self.stage}-{today:%Y%m%d}-{self.run_id}"
        return sms_gateway(conn_id, sender=self.config.sms.sender, campaign=campaign, api=self.config.sms.api)

    def _plan(self) -> SmsSendingPlan:
        return SmsSendingPlan(
            run_id=self.run_id,
            recipients_per_request=self.config.sms.batch_size,
            budget=self.config.sms_budget(),
            window=self.config.sms_window(),
        )

    def _rehearse(
        self, ledger: Ledger, provider: SmsProvider, compose: Callable[[Delivery], RenderedText], now: datetime
    ) -> dict[str, int]:
        from loan_reminders.hooks.letter_store import letter_store

        sweep_rehearsals(letter_store(), now)
        ask_cost = provider.simulate if self.config.sms.simulate_dry_runs else None
        return rehearse(ledger, letter_store(), compose, run_id=self.run_id, channel=Channel.SMS, ask_cost=ask_cost)
