"""Envoyer les e-mails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.stages import Channel
from loan_reminders.operators.sending import SendingOperator
from loan_reminders.services.compose import email_composer
from loan_reminders.services.email.send import SendingPlan, send_emails
from loan_reminders.services.runs.rehearse import rehearse, sweep_rehearsals
from loan_reminders.settings.library_toml import TEMPLATES

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.messages import RenderedEmail
    from loan_reminders.domain.notices import Delivery
    from loan_reminders.domain.ports.outside import Ledger, MailRelay


class SendEmails(SendingOperator):
    """Sends the e-mails that wait; returns deliveries by state."""

    usual_id = "send_emails"
    kind = Channel.EMAIL

    def __init__(self, *, mail_conn_id: str = "mail_relay", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mail_conn_id = mail_conn_id

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        self.check_approved(ledger)
        compose = self._composer()
        if ledger.run(self.run_id).dry_run:
            return self._rehearse(ledger, compose, now)
        return send_emails(ledger, self._relay(), compose, self._plan(context), still_due=self.still_due(ledger))

    def _composer(self) -> Callable[[Delivery], RenderedEmail]:
        """What writes each e-mail, as of the moment it is written."""
        ours = self.config
        return email_composer(
            TEMPLATES, ours.email_identity(), stage=self.stage, clock=self.now, redirect=ours.redirection()
        )

    def _rehearse(self, ledger: Ledger, compose: Callable[[Delivery], RenderedEmail], now: datetime) -> dict[str, int]:
        from loan_reminders.hooks.letter_store import letter_store

        sweep_rehearsals(letter_store(), now)
        return rehearse(ledger, letter_store(), compose, run_id=self.run_id, channel=Channel.EMAIL)

    def _relay(self) -> Callable[[], MailRelay]:
        """What opens the connections to the SMTP server."""
        from loan_reminders.hooks.mail_relay import mail_relay

        ours = self.config.email
        return mail_relay(
            self.mail_conn_id,
            envelope_sender=ours.bounce_address or ours.sender_address,
            messages_per_minute=ours.messages_per_minute,
        )

    def _plan(self, context: Context) -> SendingPlan:
        ours = self.config.email
        return SendingPlan(
            run_id=self.run_id,
            connections=ours.connections,
            first_try=context["ti"].try_number == 1,
            last_try=self.last_try(context),
            messages_per_minute=ours.messages_per_minute,
            bounce_address=ours.bounce_address,
            remember_refused=self.config.redirect is None,
        )
