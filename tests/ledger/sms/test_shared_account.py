"""One account and one address for the receipts of several libraries: each goes to the library whose SMS it is about."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sms.shared_account import PostgresSharedAccount
from loan_reminders.services.sms.feedback import keep_receipts
from tests.scenes.ledger_runs import ids, planned, rows
from tests.scenes.ledger_sms import NUMBER, ack, an_sms, left, receipts_of, state

IN_DOUBT = DeliveryState.IN_DOUBT


@pytest.fixture
def neighbour(ledger):
    return PostgresLedger(ledger.engine, library="voisine")


def come(ledger, *acks, others=("ailleurs", "voisine")):
    """The provider says these at the address of a library that shares its account, and all settle them."""
    feedback = ledger.feedback()
    keep_receipts(feedback, PostgresSharedAccount(ledger._transaction, library=ledger.library, others=others), acks)
    for library in (ledger.library, *others):
        PostgresLedger(ledger.engine, library=library).feedback().settle(failures=2)


def kept(ledger):
    """Whose the receipts are."""
    return [row.library for row in rows(ledger, "SELECT library FROM sms_acks ORDER BY ack_id")]


@pytest.mark.parametrize(("sms_id", "campaign"), [("b-1", "b"), ("b-1", ""), ("", "b")])
def test_the_receipt_of_a_neighbour_settles_no_doubt_of_ours(ledger, neighbour, sms_id, campaign):
    doubtful = left(ledger, state=IN_DOUBT, campaign="")
    theirs = left(neighbour, campaign="b", sms_id="b-1")
    come(ledger, ack(AckStatus.DELIVERED, sms_id=sms_id, campaign=campaign))
    assert state(ledger, doubtful) == ("in_doubt", None)
    assert state(neighbour, theirs) == ("delivered", None)
    assert kept(ledger) == ["voisine"]


def test_our_own_stay_ours_whatever_the_neighbours_have(ledger, neighbour):
    ours = left(ledger, campaign="a", sms_id="a-1")
    theirs = left(neighbour, campaign="b", sms_id="b-1")
    come(ledger, ack(AckStatus.DELIVERED, sms_id="a-1", campaign="a"))
    assert (state(ledger, ours), state(neighbour, theirs)) == (("delivered", None), ("accepted", None))
    assert kept(ledger) == ["demo"]


def test_a_receipt_that_names_nothing_known_is_about_the_last_sms_whose_answer_never_came(ledger, neighbour):
    ours = left(ledger, state=IN_DOUBT, campaign="")
    come(ledger, ack(AckStatus.DELIVERED, sms_id="x-1", campaign="x"))
    assert state(ledger, ours) == ("delivered", None)
    older = left(ledger, state=IN_DOUBT, campaign="")
    newer = left(neighbour, state=IN_DOUBT, campaign="")
    come(ledger, ack(AckStatus.DELIVERED, sms_id="x-2", campaign="y"))
    assert (state(ledger, older), state(neighbour, newer)) == (("in_doubt", None), ("delivered", None))


def test_a_receipt_that_overtakes_the_neighbours_own_record_waits_there(ledger, neighbour):
    doubtful = left(ledger, state=IN_DOUBT, campaign="")
    delivery = an_sms(NUMBER)
    run = planned(neighbour, [delivery])
    with neighbour.sender(run.run_id, delivery.channel) as sender:
        assert sender.claim(ids([delivery]))
        come(ledger, ack(AckStatus.DELIVERED, sms_id="b-1", campaign="b"))
        assert state(ledger, doubtful) == ("in_doubt", None)
        assert kept(ledger) == ["voisine"]


def test_what_no_library_of_the_account_knows_is_kept_where_it_came(ledger, neighbour):
    left(neighbour, campaign="b", sms_id="b-1")
    come(ledger, ack(AckStatus.DELIVERED, "33612345699"), others=("ailleurs",))
    come(ledger, ack(AckStatus.DELIVERED, sms_id="b-1", campaign="b"), others=("ailleurs",))
    assert kept(ledger) == ["demo", "demo"], "the neighbour has another account"


def test_the_same_receipt_at_two_addresses_is_kept_once(ledger, neighbour):
    theirs = left(neighbour, campaign="b", sms_id="b-1")
    said = ack(AckStatus.DELIVERED, sms_id="b-1", campaign="b")
    come(ledger, said)
    come(neighbour, said, others=(ledger.library,))
    assert kept(ledger) == ["voisine"]
    assert len(receipts_of(neighbour, theirs)) == 2, "of the attempt and of the delivery"


def test_a_hundred_libraries_are_asked_in_one_statement(ledger):
    asked = []
    shared = PostgresSharedAccount(ledger._transaction, library="demo", others=[f"bu{one}" for one in range(100)])
    left(PostgresLedger(ledger.engine, library="bu99"), campaign="b", sms_id="b-1")
    shared.keep_theirs([ack(AckStatus.DELIVERED)])

    def heard(_connection, _cursor, statement, *_):
        asked.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", heard)
    try:
        acks = [ack(AckStatus.DELIVERED, sms_id=f"b-{one}", campaign=f"c{one}", minutes=one) for one in range(20)]
        rest = shared.keep_theirs(acks)
    finally:
        event.remove(ledger.engine, "before_cursor_execute", heard)
    assert len(rest) == 19
    assert len(asked) == 2, "whose they are, and the one kept"
