"""Envoyer les e-mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.stages import Channel
from loan_reminders.french.task_names import SHARE_NAME, TASKS
from loan_reminders.operators.base import SendingOperator
from loan_reminders.services.compose import email_composer
from loan_reminders.services.email.send import SendingPlan, send_emails
from loan_reminders.services.runs.rehearse import rehearse, sweep_rehearsals

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg
    from airflow.sdk.definitions.mappedoperator import MappedOperator

    from loan_reminders.domain.messages import RenderedEmail
    from loan_reminders.domain.notices import Delivery
    from loan_reminders.domain.ports.outside import Ledger, MailRelay
    from loan_reminders.domain.ports.runs import MailPace


class SendEmails(SendingOperator):
    """Sends the e-mails that wait in a run, or in a share of it; returns deliveries by state.

    `share` says which (see `domain.email.share`); without it, all of them.
    """

    usual_id = "send_emails"
    kind = Channel.EMAIL

    def __init__(self, *, share: Mapping[str, int] | None = None, mail_conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share = share
        self.mail_conn_id = mail_conn_id

    @classmethod
    def of_shares(cls, shares: XComArg, **kwargs: Any) -> MappedOperator:
        """One task for each share that PlanNotices names: each may run on another machine."""
        task = {"task_id": cls.usual_id, **kwargs}
        name = {"task_display_name": TASKS[task["task_id"]], "map_index_template": SHARE_NAME}
        return cls.partial(**{**name, **task}).expand(share=shares)

    def work(self, context: Context, ledger: Ledger, now: datetime) -> dict[str, int]:
        """Send, or in a dry run write what would be sent."""
        self.check_approved(ledger)
        compose = self._composer()
        if ledger.run(self.run_id).dry_run:
            return self._rehearse(ledger, compose, now)
        from loan_reminders.hooks.ledger import mail_pace

        library, per_minute = self.config.library.code, self.config.email.messages_per_minute
        with mail_pace(self.ledger_conn_id, library=library, messages_per_minute=per_minute) as pace:
            plan, still_due = self._plan(context), self.still_due(ledger)
            return send_emails(ledger, self._relay(pace), compose, plan, still_due=still_due)

    def _composer(self) -> Callable[[Delivery], RenderedEmail]:
        """What writes each e-mail, as of the moment it is written."""
        ours = self.config
        return email_composer(
            ours.templates, ours.email_identity(), stage=self.stage, clock=self.now, redirect=ours.redirection()
        )

    def _rehearse(self, ledger: Ledger, compose: Callable[[Delivery], RenderedEmail], now: datetime) -> dict[str, int]:
        from loan_reminders.hooks.letter_store import letter_store

        sweep_rehearsals(letter_store(), now)
        share = Share.told(self.share)
        return rehearse(ledger, letter_store(), compose, run_id=self.run_id, channel=Channel.EMAIL, share=share)

    def _relay(self, pace: MailPace | None) -> Callable[[], MailRelay]:
        """What opens the connections to the SMTP server."""
        from loan_reminders.hooks.mail_relay import mail_relay

        ours = self.config.email
        return mail_relay(
            self.mail_conn_id or ours.connection,
            envelope_sender=ours.bounce_address or ours.sender_address,
            pace=pace,
        )

    def _plan(self, context: Context) -> SendingPlan:
        ours = self.config.email
        return SendingPlan(
            run_id=self.run_id,
            connections=ours.connections,
            share=Share.told(self.share),
            first_try=context["ti"].try_number == 1,
            last_try=self.last_try(context),
            messages_per_minute=ours.messages_per_minute,
            bounce_address=ours.bounce_address,
        )
