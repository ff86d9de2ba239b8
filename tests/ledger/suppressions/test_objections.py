"""Objections in the ledger: noted and lifted with a name, heard by what waits, still there when the reader is gone."""

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.domain.suppressions.objections import ObjectionRefusal, ObjectionRefused
from loan_reminders.ledger.removal.forgetting import forget_readers
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import S, answer, dead_sender, extracted, keys, offered, planned, rows, states

EMAIL, SMS = Channel.EMAIL, Channel.SMS


@pytest.fixture
def ours(ledger):
    a_reader(ledger)
    return ledger.part(PostgresObjections)


def note(ours, patron_id="P1", channel=SMS, reason="demandé au guichet"):
    return ours.note(patron_id=patron_id, channel=channel, reason=reason, who="zoé")


def refusal(act, *args, **changes):
    with pytest.raises(ObjectionRefused) as refused:
        act(*args, **changes)
    return refused.value.code


def test_what_makes_no_sense_is_refused_and_nothing_is_kept(ledger, ours):
    assert refusal(note, ours, reason="  ") is ObjectionRefusal.NO_REASON
    assert refusal(note, ours, "P9") is ObjectionRefusal.UNKNOWN_READER
    assert refusal(ours.lift, 7, reason="x", who="zoé") is ObjectionRefusal.NOT_IN_FORCE
    assert rows(ledger, "SELECT 1 FROM objections UNION ALL SELECT 1 FROM journal") == []


def test_one_of_another_reader_is_not_lifted_from_this_page(ledger, ours):
    noted = note(ours)
    assert (
        refusal(ours.lift, noted.objection_id, reason="x", who="zoé", patron_id="P2") is ObjectionRefusal.NOT_IN_FORCE
    )
    assert [one.in_force for one in ours.of_reader("P1")] == [True]


def test_it_is_noted_once_and_lifted_each_with_a_line_of_the_journal(ledger, ours):
    noted = note(ours)
    assert refusal(note, ours) is ObjectionRefusal.ALREADY
    assert ours.objected(["P1", "P2"]) == {"P1": frozenset({SMS})}
    assert refusal(ours.lift, noted.objection_id, reason=" ", who="zoé") is ObjectionRefusal.NO_REASON
    lifted = ours.lift(noted.objection_id, reason="les veut de nouveau", who="chloé")
    assert (lifted.in_force, ours.objected(["P1"])) == (False, {})
    assert refusal(ours.lift, noted.objection_id, reason="x", who="zoé") is ObjectionRefusal.NOT_IN_FORCE
    kept = rows(ledger, "SELECT who, act, patron_id, detail, facts ->> 'channel' FROM journal ORDER BY entry_id")
    assert kept == [
        ("zoé", "objected", "P1", "demandé au guichet", "sms"),
        ("chloé", "objection_lifted", "P1", "les veut de nouveau", "sms"),
    ]
    assert [one.in_force for one in ours.of_reader("P1")] == [False]
    assert note(ours).in_force


def test_what_waits_for_the_reader_by_that_channel_is_cancelled_and_nothing_else(ledger, ours):
    loan = a_loan()
    other = a_loan(loan_id="L2", patron=a_patron(patron_id="P2"))
    told = [a_delivery(channel=channel, loans=(loan,)) for channel in (EMAIL, SMS)]
    told.append(a_delivery(channel=SMS, loans=(other,)))
    run = planned(ledger, told)
    note(ours)
    assert [states(ledger)[one.delivery_id] for one in told] == [
        ("planned", None), ("cancelled", "opted_out"), ("planned", None),
    ]  # fmt: skip
    assert rows(ledger, "SELECT state, reason, applied FROM receipts") == [("cancelled", "opted_out", True)]
    with ledger.sender(run.run_id, SMS) as sender:
        assert sender.claim([one.delivery_id for one in told]) == frozenset({told[2].delivery_id})


def test_what_a_run_planned_meanwhile_is_cancelled_when_its_sender_begins(ledger, ours):
    """The objection was noted while the run was being planned: neither saw the other."""
    mail = a_delivery(channel=EMAIL)
    run = planned(ledger, [mail])
    rows(ledger, "INSERT INTO objections (library, patron_id, channel, who) VALUES ('demo', 'P1', 'email', 'zoé')")
    with ledger.sender(run.run_id, EMAIL) as sender:
        assert sender.claim([mail.delivery_id]) == frozenset()
    assert states(ledger)[mail.delivery_id] == ("cancelled", "opted_out")
    assert ledger.close_run(run.run_id).problems() == ()


@pytest.mark.parametrize("killed", [False, True])
def test_an_email_in_doubt_is_not_sent_again_once_it_is_refused(ledger, ours, killed):
    """It stays in doubt: nobody knows whether it left. One in the hands of a dead sender is found so later."""
    mail = a_delivery(channel=EMAIL)
    run = planned(ledger, [mail])
    if killed:
        with dead_sender(ledger, run, EMAIL) as sender:
            sender.claim([mail.delivery_id])
    else:
        with ledger.sender(run.run_id, EMAIL) as sender:
            sender.claim([mail.delivery_id])
            sender.record([answer(mail, S.IN_DOUBT, Reason.NO_ANSWER)])
    note(ours, channel=EMAIL)
    for _ in range(2):
        with ledger.sender(run.run_id, EMAIL) as sender:
            assert offered(sender) == []
            assert sender.claim([mail.delivery_id]) == frozenset()
    assert states(ledger)[mail.delivery_id] == ("in_doubt", "opted_out")
    assert rows(ledger, "SELECT count(*) FROM receipts WHERE reason = 'opted_out'") == [(1,)]
    assert ledger.planned_count(run.run_id, EMAIL) == 0


def test_what_a_later_run_takes_over_is_refused_as_well(ledger, ours):
    """It was in a dead sender's hands when the objection was noted, and the run that takes it over began later."""
    mail = a_delivery(channel=EMAIL)
    run = planned(ledger, [mail])
    with dead_sender(ledger, run, EMAIL) as sender:
        sender.claim([mail.delivery_id])
    note(ours, channel=EMAIL)
    later = extracted(ledger, mail.loans, dag_run_id="later")
    with ledger.planning(later.run_id) as planning:
        planning.history(keys([mail]))
        assert planning.adopt(keys([mail])) == 1
    with ledger.sender(later.run_id, EMAIL) as sender:
        assert offered(sender) == []
    assert states(ledger)[mail.delivery_id] == ("in_doubt", "opted_out")


def test_the_planning_of_a_run_hears_it(ledger, ours):
    note(ours, channel=EMAIL)
    run = planned(ledger, [a_delivery(notice=a_notice(stage=Stage.OVERDUE_NOTICE))])
    with ledger.planning(run.run_id) as planning:
        assert planning.objected(["P1"]) == {"P1": frozenset({EMAIL})}


def test_a_reader_who_is_gone_is_known_by_a_hash_and_heard_when_he_comes_back(ledger, ours):
    noted = note(ours, reason="dit Camille Martin")
    ours.lift(note(ours, channel=EMAIL).objection_id, reason="x", who="zoé")
    with ledger.engine.begin() as connection:
        assert forget_readers(connection, "demo", ["P1"]) == 1
    [(patron, reason)] = rows(ledger, "SELECT patron_id, reason FROM objections")
    assert patron.startswith("empreinte:")
    assert (reason, "P1" in patron) == ("", False)
    assert ours.objected(["P1"]) == {"P1": frozenset({SMS})}
    assert refusal(note, ours) is ObjectionRefusal.ALREADY
    [again] = ours.of_reader("P1")
    assert (again.objection_id, again.patron_id) == (noted.objection_id, "P1")
    # He goes once more: there is one objection still, and it is counted among what stays of him.
    with ledger.engine.begin() as connection:
        assert forget_readers(connection, "demo", ["P1"]) == 1
    assert ours.objected(["P1"]) == {"P1": frozenset({SMS})}
    ours.lift(noted.objection_id, reason="x", who="zoé", patron_id="P1")
    assert rows(ledger, "SELECT patron_id FROM journal WHERE act = 'objection_lifted' ORDER BY entry_id")[-1] == ("P1",)


def test_libraries_do_not_hear_each_other(ledger, ours):
    rows(ledger, "INSERT INTO objections (library, patron_id, channel, who) VALUES ('autre', 'P1', 'sms', 'zoé')")
    assert ours.objected(["P1"]) == {}
