"""One account at the SMS provider for several libraries: a STOP is said to all of them, and nothing else is."""

from __future__ import annotations

import pytest

from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.sms.feedback import read_replies
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, in_force, reply


class Account:
    """A provider that gives each reply once."""

    def __init__(self, *replies):
        self.waiting = list(replies)

    def replies(self):
        given, self.waiting = self.waiting, []
        return given

    def close(self):
        pass


@pytest.fixture
def libraries(ledger):
    return [ledger, *(PostgresLedger(ledger.engine, library=code) for code in ("voisine", "ailleurs"))]


def test_a_stop_holds_at_every_library_of_the_account_and_at_no_other(libraries):
    ours, neighbour, elsewhere = libraries
    account = Account(reply("STOP", reply_id="1"), reply("Merci !", "33612345601", reply_id="2"))
    counts = read_replies(ours.feedback(), account, failures=2, others=[neighbour.feedback()])
    assert (counts["replies"], counts["stops"]) == (2, 1)
    assert in_force(ours) == {NUMBER: "stop"}
    neighbour.feedback().settle(failures=2)
    assert in_force(neighbour) == {NUMBER: "stop"}
    elsewhere.feedback().settle(failures=2)
    assert in_force(elsewhere) == {}
    kept = rows(ours, "SELECT library, text FROM sms_replies ORDER BY library, text")
    assert kept == [("demo", "Merci !"), ("demo", "STOP"), ("voisine", "STOP")]


def test_a_librarian_who_lifts_it_lifts_it_in_his_library_alone(libraries):
    ours, neighbour, _ = libraries
    read_replies(ours.feedback(), Account(reply("STOP")), failures=2, others=[neighbour.feedback()])
    neighbour.feedback().settle(failures=2)
    [line] = ours.feedback().suppressions()
    ours.feedback().lift(line.suppression_id, who="zoé")
    assert (in_force(ours), in_force(neighbour)) == ({}, {NUMBER: "stop"})
    [theirs] = neighbour.feedback().suppressions()
    assert not ours.feedback().lift(theirs.suppression_id, who="zoé")
