"""Envoyer les e-mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loan_reminders.domain.stages import Channel
from loan_reminders.operators.base import RunOperator
from loan_reminders.services.compose import email_composer
from loan_reminders.services.email.send import page_size, send_emails
from loan_reminders.services.runs.rehearse import rehearse, sweep_rehearsals
from loan_reminders.settings.library_toml import ROOT

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.outside import Ledger


class SendEmails(RunOperator):
    """Sends the e-mails that wait; returns deliveries by state."""

    def __init__(self, *, mail_conn_id: str = "mail_relay", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mail_conn_id = mail_conn_id

    def work(self, context: Context, ledger: Ledger) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        from loan_reminders.hooks.letter_store import letter_store
        from loan_reminders.hooks.mail_relay import mail_relay

        self.check_approved(ledger)
        ours = self.config.email
        compose = email_composer(
            ROOT / "templates",
            stage=self.stage,
            library=self.config.identity(),
            sender_name=ours.sender_name,
            sender_address=ours.sender_address,
            reply_to=ours.reply_to,
            now=self.now(),
            redirect=self.config.redirection(),
            list_unsubscribe=ours.list_unsubscribe,
        )
        if ledger.run(self.run_id).dry_run:
            sweep_rehearsals(letter_store(), self.now())
            return rehearse(ledger, letter_store(), compose, run_id=self.run_id, channel=Channel.EMAIL)
        return send_emails(
            ledger,
            mail_relay(
                self.mail_conn_id,
                envelope_sender=ours.bounce_address or ours.sender_address,
                messages_per_minute=ours.messages_per_minute,
            ),
            compose,
            run_id=self.run_id,
            connections=ours.connections,
            still_due=self.still_due(ledger),
            last_try=self.last_try(context),
            first_try=context["ti"].try_number == 1,
            bounce_address=ours.bounce_address,
            page_size=page_size(ours.messages_per_minute),
            remember_refused=self.config.redirect is None,
        )
