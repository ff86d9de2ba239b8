"""The mailbox over a real line: nothing lost, nothing read twice, nothing touched that is not ours."""

from __future__ import annotations

import ssl
import tracemalloc
from contextlib import closing
from typing import Any

import pytest

from loan_reminders.domain.email.feedback import PUT_AWAY, Arrival
from loan_reminders.domain.errors import BounceMailboxRejected, BounceMailboxUnavailable
from loan_reminders.domain.ports.email_feedback import MailSettled
from loan_reminders.gateways.email import bounce_mailbox
from loan_reminders.gateways.email.bounce_mailbox import ImapBounceMailbox, MailboxAccount
from loan_reminders.gateways.email.imap_folder import modified_utf7
from tests.sample_sizes import sample
from tests.scenes.bounce_mailbox import DONE, mailbox
from tests.scenes.bounce_samples import COSTLY, away, dsn, human, qmail
from tests.simulators.certificates import self_made_certificate
from tests.simulators.imap_server import ImapServer

REPORTS = sample(2_500, full=5_000)


def read_and_put_away(server: ImapServer, **changes: Any) -> list[Arrival]:
    with closing(mailbox(server, **changes)) as box:
        arrivals = []
        for page in box.pages():
            box.put_away([message.uid for message in page if message.arrival in PUT_AWAY])
            arrivals += [message.arrival for message in page]
        return arrivals


@pytest.mark.parametrize("extensions", [("UIDPLUS", "MOVE"), ("UIDPLUS",), ()])
def test_what_is_understood_moves_and_a_persons_mail_stays_unread(extensions):
    with ImapServer(extensions=extensions) as server:
        server.add(dsn(), human(), away(Auto_Submitted="auto-replied"), qmail())
        server.add(human("marked by a person"))
        person, marked = server.folders["INBOX"][1], server.folders["INBOX"][4]
        person.flags.add("\\Flagged")
        marked.flags.add("\\Deleted")
        assert read_and_put_away(server) == [Arrival.BOUNCE, Arrival.OTHER, Arrival.AUTO_REPLY, Arrival.BOUNCE]
        assert person in server.folders["INBOX"]
        assert marked in server.folders["INBOX"]
        assert (person.flags, marked.flags) == ({"\\Flagged"}, {"\\Deleted"})
        assert len(server.contents(DONE)) == 3
        assert len(server.contents()) == (2 if extensions else 5)
        assert read_and_put_away(server) == [Arrival.OTHER]
        assert len(server.contents(DONE)) == 3


def test_the_done_folder_is_made_only_when_something_goes_there():
    with ImapServer() as server:
        server.add(human())
        read_and_put_away(server)
        assert set(server.folders) == {"INBOX"}


@pytest.mark.parametrize(
    ("name", "written"),
    [("Relances traitées", DONE), ("R&D", "R&-D"), ("日本語", "&ZeVnLIqe-"), ("INBOX.Été", "INBOX.&AMk-t&AOk-")],
)
def test_folders_are_named_in_modified_utf7(name, written):
    assert modified_utf7(name) == written


def test_a_mailbox_of_thousands_is_read_in_pages_with_flat_memory():
    with ImapServer() as server:
        server.add(*(dsn(to=f"lecteur{number}@etu.example.org", message_id=f"m{number}") for number in range(REPORTS)))
        with closing(mailbox(server)) as box:
            assert box.waiting() == REPORTS
            read, pages = 0, 0
            first = last = 0
            for page in box.pages():
                read, pages = read + len(page), pages + 1
                if pages == 5:
                    tracemalloc.start()
                if pages == 7:
                    first = tracemalloc.get_traced_memory()[0]
                if pages == 20:
                    last = tracemalloc.get_traced_memory()[0]
                    tracemalloc.stop()
            assert (read, pages) == (REPORTS, REPORTS // 100)
            assert last - first < 300_000


def test_what_costs_too_much_to_read_is_moved_aside_and_counted_once(caplog):
    from loan_reminders.services.email.read_bounces import read_bounces

    class NothingKept:
        def keep(self, bounces):
            return len(bounces)

        def settle(self, *, failures):
            return MailSettled()

        def put_aside(self):
            return 0

    with ImapServer() as server:
        server.add(COSTLY["parts"].encode(), dsn())
        counts = read_bounces(NothingKept(), mailbox(server), failures=5)
        assert (counts["too_costly"], counts["hard"], server.contents()) == (1, 1, [])
        assert "trop longs" in caplog.text
        assert read_bounces(NothingKept(), mailbox(server), failures=5)["read"] == 0


def test_only_the_beginning_of_a_huge_report_is_read():
    with ImapServer() as server:
        huge = dsn(returned_type="message/rfc822", returned="Subject: x\n\n" + "bourrage " * 100_000)
        server.add(huge)
        assert read_and_put_away(server) == [Arrival.BOUNCE]
        assert server.largest_answer < bounce_mailbox.BODY_LIMIT + 1000


def test_a_message_that_the_server_cannot_give_stays_and_does_not_stop_the_others():
    with ImapServer() as server:
        server.add(dsn(), dsn(), dsn())
        server.faults.unreadable = {2}
        assert read_and_put_away(server) == [Arrival.BOUNCE, Arrival.UNREADABLE, Arrival.BOUNCE]
        assert len(server.contents()) == 1


def test_a_password_with_accents_opens():
    with ImapServer(password="été") as server:
        assert read_and_put_away(server) == []


@pytest.mark.parametrize("command", ["SELECT", "FETCH", "MOVE", "LIST"])
def test_a_line_that_is_cut_is_tried_again_later_and_loses_nothing(command):
    with ImapServer() as server:
        server.add(dsn())
        server.faults.drop_at = command
        with pytest.raises(BounceMailboxUnavailable, match=r"ferme la connexion|ne répond pas"):
            read_and_put_away(server)
        assert read_and_put_away(server) == [Arrival.BOUNCE]
        assert len(server.contents(DONE)) == 1


def test_a_server_that_is_down_is_temporary():
    with ImapServer() as server:
        port = server.port
    gone = ImapBounceMailbox(MailboxAccount(
        host="127.0.0.1", port=port, login="x", password="y", folder="INBOX", done_folder="z",
        tls=False, login_in_clear=True
    ))  # fmt: skip
    with pytest.raises(BounceMailboxUnavailable, match="ne répond pas"):
        gone.waiting()


@pytest.mark.parametrize("greeting", [b"* BYE too busy", b"HTTP/1.1 400 Bad Request"])
def test_a_server_that_does_not_open_is_temporary(greeting):
    with ImapServer() as server:
        server.faults.greeting = greeting
        with pytest.raises(BounceMailboxUnavailable):
            mailbox(server).waiting()


def test_a_wrong_password_is_told_without_it():
    with ImapServer() as server, pytest.raises(BounceMailboxRejected) as refused:
        mailbox(server, password="s3cret").waiting()
    assert "mot de passe" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "retours@" not in str(refused.value)


def test_a_server_that_cannot_check_the_password_now_is_temporary():
    with ImapServer() as server:
        server.faults.login = "NO [UNAVAILABLE] backend down"
        with pytest.raises(BounceMailboxUnavailable):
            mailbox(server).waiting()


def test_a_missing_folder_is_named():
    with ImapServer() as server, pytest.raises(BounceMailboxRejected, match="« Retours »"):
        mailbox(server, folder="Retours").waiting()


@pytest.mark.parametrize("command", ["MOVE", "CREATE"])
def test_a_done_folder_that_refuses_is_named_and_nothing_moves(command):
    with ImapServer() as server:
        server.add(dsn())
        server.faults.refuse[command] = "NO [OVERQUOTA] no room for retours@bu.example.fr"
        with pytest.raises(BounceMailboxRejected, match="« Relances traitées »") as refused:
            read_and_put_away(server)
        assert "retours@" not in str(refused.value)
        assert len(server.contents()) == 1


def test_tls_is_checked_unless_the_connection_says_otherwise(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_made_certificate(tmp_path))
    with ImapServer(certificate=context) as server:
        server.add(dsn())
        with pytest.raises(BounceMailboxRejected, match="certificat non reconnu"):
            mailbox(server, tls=True).waiting()
        assert read_and_put_away(server, tls=True, verify_certificate=False) == [Arrival.BOUNCE]


def test_a_server_without_tls_is_never_read_in_clear():
    with ImapServer() as server, pytest.raises((BounceMailboxRejected, BounceMailboxUnavailable)):
        mailbox(server, tls=True).waiting()
