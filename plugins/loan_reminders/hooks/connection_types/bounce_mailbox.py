"""The type of connection `bounce_mailbox`."""

from __future__ import annotations

from contextlib import closing

from loan_reminders.french.plurals import many
from loan_reminders.hooks.bounce_mailbox import bounce_mailbox
from loan_reminders.hooks.connection_types.tested import TestedConnection


class BounceMailboxConnection(TestedConnection):
    """*Test* logs in and opens the folder as a reading does. Nothing is read, nothing is moved."""

    conn_type = "bounce_mailbox"
    hook_name = "Boîte des retours d'e-mails (IMAP)"
    default_conn_name = "bounce_mailbox"

    def try_out(self) -> str:
        """How many messages wait in the folder."""
        ours = self.settings_of(lambda ours: ours.bounces.connection).bounces
        opened = bounce_mailbox(self.conn_id, folder=ours.folder, done_folder=ours.done_folder)
        with closing(opened) as mailbox:
            found = mailbox.count()
        return (
            f"Le dossier « {ours.folder} » s'ouvre : {many(found, 'message', 'messages')}. Rien n'a été lu ni déplacé."
        )
