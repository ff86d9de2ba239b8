"""The mailbox of bounces, as the gateway opens it on a simulated IMAP server."""

from __future__ import annotations

from typing import Any

from loan_reminders.gateways.email.bounce_mailbox import ImapBounceMailbox, MailboxAccount
from tests.simulators.imap_server import ImapServer

DONE = "Relances trait&AOk-es"
"""The folder of what was read, as IMAP writes its name (RFC 3501, 5.1.3)."""


def mailbox(server: ImapServer, **changes: Any) -> ImapBounceMailbox:
    login, password = server.credentials
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "login": login,
        "password": password,
        "folder": "INBOX",
        "done_folder": "Relances traitées",
        "tls": False,
        "login_in_clear": True,
        "timeout_s": 5,
    }
    return ImapBounceMailbox(MailboxAccount(**{**values, **changes}))
