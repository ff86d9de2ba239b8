"""The type of connection `mail_relay`."""

from __future__ import annotations

from contextlib import closing

from loan_reminders.hooks.connection_types.tested import TestedConnection
from loan_reminders.hooks.mail_relay import mail_relay

PATIENCE_S = 20.0
"""How long a person waits before the form, in seconds."""


class MailRelayConnection(TestedConnection):
    """*Test* connects, protects and logs in as a run does. No message is sent."""

    conn_type = "mail_relay"
    hook_name = "Serveur d'envoi des e-mails (SMTP)"
    default_conn_name = "mail_relay"

    def try_out(self) -> str:
        """That the server is ready for messages."""
        sender = self.settings_of(lambda ours: ours.email.connection).email.sender_address
        with closing(mail_relay(self.conn_id, envelope_sender=sender, patience_s=PATIENCE_S)()) as relay:
            relay.check()
        return "Le serveur de messagerie répond et accepte cette connexion. Aucun message n'a été envoyé."
