"""One account at the SMS provider for several libraries: a STOP is said to all of them, another answer to one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.sms import feedback as sms_feedback
from loan_reminders.services.sms.feedback import read_replies
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, in_force, left, reply

NOW = datetime.now(UTC)


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
    counts = read_replies(ours.feedback(), account, now=NOW, failures=2, others=[neighbour.feedback()])
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
    read_replies(ours.feedback(), Account(reply("STOP")), now=NOW, failures=2, others=[neighbour.feedback()])
    neighbour.feedback().settle(failures=2)
    [line] = ours.feedback().suppressions()
    ours.feedback().lift(line.suppression_id, who="zoé")
    assert (in_force(ours), in_force(neighbour)) == ({}, {NUMBER: "stop"})
    [theirs] = neighbour.feedback().suppressions()
    assert not ours.feedback().lift(theirs.suppression_id, who="zoé")


def theirs(*libraries):
    """What each library has to read."""
    found = rows(libraries[0], "SELECT library, text FROM sms_replies WHERE to_read ORDER BY reply_number")
    return [(row.library, row.text) for row in found]


def test_another_answer_goes_to_the_library_whose_sms_it_answers(libraries):
    ours, neighbour, elsewhere = libraries
    left(ours, campaign="ours")
    left(neighbour, campaign="theirs")
    left(elsewhere)
    account = Account(
        reply("rendu lundi"),
        replace(reply("ce n'est pas mon numéro", reply_id="mo-2"), campaign_id="ours"),
        replace(reply("arrêtez", reply_id="mo-3"), campaign_id="theirs"),
        reply("qui ?", "33639980009", reply_id="mo-4"),
    )
    counts = read_replies(ours.feedback(), account, now=NOW, failures=2, others=[neighbour.feedback()])
    assert counts["replies"] == 2
    assert set(theirs(ours)) == {
        ("voisine", "rendu lundi"), ("demo", "ce n'est pas mon numéro"), ("voisine", "arrêtez"), ("demo", "qui ?"),
    }, "the last SMS to the number, unless the answer names one; a number that nobody knows is the asker's"  # fmt: skip


def test_a_library_whose_settings_are_wrong_keeps_what_answers_its_own_sms(libraries):
    """What account it has nobody knows: a STOP is its own when it sent to the number."""
    ours, neighbour, elsewhere = libraries
    left(ours)
    left(neighbour)
    replies = [reply("rendu lundi"), reply("STOP", reply_id="mo-2"), reply("STOP", "33639980009", reply_id="mo-3")]
    unread = [neighbour.feedback(), elsewhere.feedback()]
    read_replies(ours.feedback(), Account(*replies), now=NOW, failures=2, unread=unread)
    assert theirs(ours) == [("voisine", "rendu lundi")]
    kept = rows(ours, "SELECT library, phone_number FROM sms_replies WHERE NOT to_read ORDER BY library, reply_id")
    assert kept == [("demo", NUMBER), ("demo", "33639980009"), ("voisine", NUMBER)]


def test_an_sms_that_a_neighbour_only_tried_is_answered_by_nobody(libraries):
    ours, neighbour, _ = libraries
    left(ours)
    tried = left(neighbour)
    rows(ours, "UPDATE deliveries SET redirected = true WHERE delivery_id = :id", id=tried)
    read_replies(neighbour.feedback(), Account(reply("rendu lundi")), now=NOW, failures=2, others=[ours.feedback()])
    assert theirs(ours) == [("demo", "rendu lundi")]


def test_an_answer_is_nobody_elses_business(libraries):
    ours, neighbour, elsewhere = libraries
    for one in (elsewhere, neighbour, ours):
        left(one)
    others = [neighbour.feedback(), elsewhere.feedback()]
    read_replies(ours.feedback(), Account(reply("rendu")), now=NOW, failures=2, others=others)
    assert theirs(ours) == [("demo", "rendu")]


def test_while_the_ledger_restarts_each_answer_still_goes_where_it_belongs(libraries, monkeypatch):
    ours, neighbour, _ = libraries
    left(neighbour)
    monkeypatch.setattr(sms_feedback.time, "sleep", lambda _: None)
    feedback, failures = neighbour.feedback(), [1, 1]
    known = feedback.last_sms

    def restarting(replies):
        if failures:
            failures.pop()
            raise LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="restarting")
        return known(replies)

    monkeypatch.setattr(feedback, "last_sms", restarting)
    read_replies(ours.feedback(), Account(reply("rendu")), now=NOW, failures=2, others=[feedback])
    assert theirs(ours) == [("voisine", "rendu")]
