"""The same mailbox on a real Dovecot, where one is installed."""

from __future__ import annotations

import imaplib
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from loan_reminders.domain.email.feedback import PUT_AWAY, Arrival
from loan_reminders.domain.errors import BounceMailboxRejected
from loan_reminders.gateways.email.bounce_mailbox import ImapBounceMailbox, MailboxAccount
from tests.scenes.bounce_samples import away, dsn, human, qmail
from tests.simulators.dovecot import dovecot, installed

pytestmark = pytest.mark.skipif(not installed(), reason="no Dovecot on this machine, or not allowed to start it")


@pytest.fixture(scope="module")
def port():
    folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))
    with dovecot(folder) as listening:
        yield listening
    shutil.rmtree(folder, ignore_errors=True)


def mailbox(port: int, **changes) -> ImapBounceMailbox:
    values = {"host": "127.0.0.1", "port": port, "login": "retours", "password": "secret", "folder": "INBOX"}
    values |= {"done_folder": "Relances traitées", "tls": False, "login_in_clear": True, "timeout_s": 10, **changes}
    return ImapBounceMailbox(MailboxAccount(**values))


def test_a_real_server_gives_its_messages_and_moves_those_understood(port):
    with imaplib.IMAP4("127.0.0.1", port) as imap:
        imap.login("retours", "secret")
        for content in (dsn(), human(), away(Auto_Submitted="auto-replied"), qmail()):
            imap.append("INBOX", None, None, content.replace(b"\n", b"\r\n"))
    with closing(mailbox(port)) as box:
        assert box.waiting() == 4
        [page] = box.pages()
        assert [message.arrival for message in page] == [
            Arrival.BOUNCE, Arrival.OTHER, Arrival.AUTO_REPLY, Arrival.BOUNCE
        ]  # fmt: skip
        box.put_away([message.uid for message in page if message.arrival in PUT_AWAY])
    with imaplib.IMAP4("127.0.0.1", port) as imap:
        imap.login("retours", "secret")
        assert imap.select('"Relances trait&AOk-es"')[1] == [b"3"]
        assert imap.select("INBOX")[1] == [b"1"]
        assert b"\\Seen" not in imap.fetch("1", "(FLAGS)")[1][0]
    with closing(mailbox(port)) as box:
        assert [message.arrival for page in box.pages() for message in page] == [Arrival.OTHER]


def test_a_real_server_refuses_what_does_not_exist(port):
    with pytest.raises(BounceMailboxRejected, match="« Retours »"):
        mailbox(port, folder="Retours").waiting()
    with pytest.raises(BounceMailboxRejected, match="mot de passe"):
        mailbox(port, password="wrong").waiting()
