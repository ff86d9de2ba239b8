"""Lire les retours d'e-mails: read the mailbox where e-mails that could not be delivered come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from loan_reminders.domain.email.return_path import ANY_BOUNCE_ADDRESS
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.operators.base import LibraryOperator, only_temporary_errors_are_retried
from loan_reminders.services.email.read_bounces import read_bounces
from loan_reminders.services.marks.guard import check_complete
from loan_reminders.settings.library_toml import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context

    from loan_reminders.domain.ports.email_feedback import BounceMailbox


class ReadBounces(LibraryOperator):
    """Reads the mailbox of bounces; skipped when the installation has none. Returns counts."""

    usual_id = "read_bounces"

    def __init__(self, *, mailbox_conn_id: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mailbox_conn_id = mailbox_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Read the mailbox, record what came back, and stop writing to dead addresses."""
        from loan_reminders.hooks.ledger import shared_mailbox

        mailbox = self.mailbox()
        failures = self.config.bounces.soft_failures
        with only_temporary_errors_are_retried(), self.ledger() as ledger:
            # What is read is moved away: a ledger that lacks the messages would lose what came back of them.
            check_complete(marks_of(ledger), mark_file(self.config.library.code))
            others = (*(one.library.code for one in self._sharing()), *self.others_unread())
            shared = shared_mailbox(ledger, others)
            return read_bounces(ledger.mail_feedback(), mailbox, failures=failures, shared=shared)

    def mailbox(self) -> BounceMailbox:
        """The mailbox of the connection, where the e-mails of every library that shares it come back."""
        from loan_reminders.hooks.bounce_mailbox import bounce_mailbox

        ours, every = self.config.bounces, (self.config, *self._sharing())
        conn_id = self.mailbox_conn_id or ours.connection
        addresses = [one.email.bounce_address for one in every if one.email.bounce_address]
        try:
            return bounce_mailbox(
                conn_id,
                folder=ours.folder,
                done_folder=ours.done_folder,
                bounce_addresses=[*addresses, ANY_BOUNCE_ADDRESS] if self.others_unread() else addresses,
            )
        except AirflowNotFoundException:
            raise AirflowSkipException(
                f"Pas de boîte à relever : la connexion « {conn_id} » n'existe pas dans Airflow"
                " (Administration, Connexions)."
            ) from None

    def _sharing(self) -> Sequence[Settings]:
        """The other libraries whose e-mails come back to the same mailbox."""
        return self.others_with(lambda one: (one.bounces.connection, one.bounces.folder))
