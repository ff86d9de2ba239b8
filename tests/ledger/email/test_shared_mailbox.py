"""One mailbox for several libraries: each bounce goes to the library whose e-mail it is about."""

from __future__ import annotations

import pytest

from loan_reminders.domain.email.feedback import Arrival, ReadMessage
from loan_reminders.ledger.email.shared_mailbox import PostgresSharedMailbox
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.email.read_bounces import read_bounces
from tests.scenes.ledger_emails import a_bounce, mailed
from tests.scenes.ledger_runs import rows


class Mailbox:
    """A mailbox in memory; what is put away is gone."""

    def __init__(self, *bounces):
        self.messages = [ReadMessage(uid=uid, arrival=Arrival.BOUNCE, bounce=one) for uid, one in enumerate(bounces)]

    def waiting(self):
        return len(self.messages)

    def pages(self):
        yield list(self.messages)

    def put_away(self, uids):
        self.messages = [one for one in self.messages if one.uid not in uids]

    def close(self):
        pass


@pytest.fixture
def neighbour(ledger):
    return PostgresLedger(ledger.engine, library="voisine")


def test_whoever_reads_first_leaves_each_library_its_own(ledger, neighbour):
    """The same address in both libraries: only the e-mail that came back is marked, and only there it is dead."""
    ours, theirs = mailed(ledger), mailed(neighbour)
    shared = ledger.part(lambda transaction, library: PostgresSharedMailbox(
        transaction, library=library, others=("demo", "voisine")
    ))  # fmt: skip
    mailbox = Mailbox(a_bounce(theirs), a_bounce(None))
    counts = read_bounces(ledger.mail_feedback(), mailbox, failures=3, shared=shared)
    assert (counts["moved"], counts["unknown"], mailbox.messages) == (0, 1, [])
    assert neighbour.mail_feedback().settle(failures=3).moved == 1
    states = {row.delivery_id: row.state for row in rows(ledger, "SELECT delivery_id, state FROM deliveries")}
    assert states == {ours: "accepted", theirs: "bounced"}
    assert rows(ledger, "SELECT library FROM suppressions") == [("voisine",)]


def test_what_belongs_to_a_library_that_does_not_share_the_mailbox_changes_nothing(ledger, neighbour):
    theirs = mailed(neighbour)
    shared = ledger.part(lambda transaction, library: PostgresSharedMailbox(transaction, library=library, others=()))
    counts = read_bounces(ledger.mail_feedback(), Mailbox(a_bounce(theirs)), failures=3, shared=shared)
    assert (counts["moved"], counts["unknown"]) == (0, 1)
    assert neighbour.mail_feedback().settle(failures=3).moved == 0
