"""The type of connection `allmysms`."""

from __future__ import annotations

from contextlib import closing

from loan_reminders.french.plurals import many
from loan_reminders.hooks.allmysms import sms_account
from loan_reminders.hooks.connection_types.tested import TestedConnection


class AllMySmsConnection(TestedConnection):
    """*Test* asks what is left on the account. Nothing is sent, nothing is paid."""

    conn_type = "allmysms"
    hook_name = "allmysms (SMS)"
    default_conn_name = "allmysms"

    def try_out(self) -> str:
        """The credit, in SMS of one segment."""
        api = self.settings_of(lambda ours: ours.sms.connection).sms.api
        with closing(sms_account(self.conn_id, api=api)) as account:
            credit = account.credit()
        return f"allmysms répond : il reste {many(credit.segments, 'SMS', 'SMS')} d'un segment. Rien n'a été envoyé."
