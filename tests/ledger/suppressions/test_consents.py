"""The list of readers who said yes or no: kept, heard by planning, in the journal, and what stays of it."""

from __future__ import annotations

import pytest

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import ChoiceSource, LineFault, read_file
from loan_reminders.domain.stages import Channel, PatronCategory
from loan_reminders.ledger.suppressions.consents import PostgresSmsChoices
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import extracted, planned, rows, states
from tests.scenes.planted import TERMS, remove

YES, NO = SmsChoice.YES, SmsChoice.NO


@pytest.fixture
def ours(ledger):
    return ledger.part(PostgresSmsChoices)


def said(ledger, *patrons):
    run = extracted(ledger, [a_loan(loan_id="ASK")], dag_run_id="ask")
    with ledger.planning(run.run_id) as planning:
        return dict(planning.sms_choices(patrons))


def acts(ledger):
    query = "SELECT act, patron_id, facts ->> 'choice' FROM journal ORDER BY entry_id"
    return [tuple(row) for row in rows(ledger, query)]


def an_sms_waits(ledger, patron_id="P1"):
    delivery = a_delivery(
        channel=Channel.SMS,
        notice=a_notice(loans=(a_loan(loan_id=f"L{patron_id}", patron=a_patron(patron_id=patron_id)),)),
    )
    planned(ledger, [delivery], dag_run_id=f"run {patron_id}")
    return delivery.delivery_id


def test_nobody_is_on_the_list_at_first(ledger, ours):
    assert ours.counts() == {YES: 0, NO: 0}
    assert ours.lines(limit=10) == ()
    assert said(ledger, "P1") == {}
    assert not ours.remove(1, who="zoé")
    assert ours.reader("2100") is LineFault.UNKNOWN_CARD


def test_what_a_reader_says_last_is_what_holds_and_each_word_is_in_the_journal(ledger, ours):
    assert ours.note("P1", YES, who="zoé")
    assert not ours.note("P1", YES, who="léa")
    assert ours.note("P1", NO, who="léa")
    [line] = ours.lines(limit=10)
    assert said(ledger, "P1", "P2") == {"P1": NO}
    assert (line.choice, line.source, line.who, line.reader_number) == (NO, ChoiceSource.LIBRARIAN, "léa", None)
    assert acts(ledger) == [
        (JournalAct.SMS_CHOICE_NOTED, "P1", "yes"), (JournalAct.SMS_CHOICE_NOTED, "P1", "no"),
    ]  # fmt: skip


def test_a_no_cancels_the_sms_that_wait_for_that_reader_and_no_other(ledger, ours):
    mine, other = an_sms_waits(ledger), an_sms_waits(ledger, "P2")
    ours.note("P1", NO, who="zoé")
    assert states(ledger) == {mine: ("cancelled", "opted_out"), other: ("planned", None)}
    [[applied]] = rows(ledger, "SELECT applied FROM receipts WHERE delivery_id = :id", id=mine)
    assert applied


def test_a_no_that_came_while_the_run_was_planned_is_heard_when_it_begins_to_send(ledger):
    waiting = an_sms_waits(ledger)
    rows(ledger, "INSERT INTO sms_choices (library, patron_id, choice, source, who)"
                 " VALUES (:library, 'P1', 'no', 'librarian', 'zoé')", library=ledger.library)  # fmt: skip
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    with ledger.sender(run_id, Channel.SMS) as sender:
        assert list(sender.waiting()) == []
    assert states(ledger) == {waiting: ("cancelled", "opted_out")}


@pytest.mark.parametrize(
    ("opt_in", "choice", "state"),
    [((PatronCategory.STAFF,), YES, "cancelled"), ((), YES, "planned"), ((PatronCategory.STAFF,), NO, "planned")],
)
def test_taking_a_yes_back_cancels_what_rested_on_it(ledger, ours, opt_in, choice, state):
    ours.note("P1", choice, who="zoé")
    a_reader(ledger)
    rows(ledger, "UPDATE readers SET category = 'staff'")
    waiting = an_sms_waits(ledger)
    rows(ledger, "UPDATE readers SET category = 'staff'")
    [line] = ours.lines(limit=1)
    assert ours.remove(line.choice_id, who="léa", opt_in=opt_in)
    assert states(ledger)[waiting][0] == state
    assert acts(ledger)[-1] == (JournalAct.SMS_CHOICE_REMOVED, "P1", choice.value)
    assert said(ledger, "P1") == {}


def test_a_file_is_taken_once_and_says_what_it_left_out(ledger, ours):
    a_reader(ledger, "P1", card="21")
    a_reader(ledger, "P2", card="22")
    a_reader(ledger, "P3", card="22")
    file = read_file(b"carte;sms\n21;oui\n22;oui\n23;non\n24;?\n")
    done = ours.take(file, who="zoé")
    left_out = {3: LineFault.SHARED_CARD, 4: LineFault.UNKNOWN_CARD, 5: LineFault.NOT_YES_OR_NO}
    assert (done.changed, done.same, done.faults) == (1, 0, left_out)
    again = ours.take(file, who="léa")
    assert (again.changed, again.same, again.faults) == (0, 1, left_out)
    [line] = ours.lines(limit=10)
    assert (line.patron_id, line.source, line.who, line.card) == ("P1", ChoiceSource.IMPORT, "zoé", "21")
    kinds = [act for act, _, _ in acts(ledger)]
    assert kinds == [JournalAct.SMS_CHOICE_NOTED, JournalAct.SMS_CHOICES_IMPORTED, JournalAct.SMS_CHOICES_IMPORTED]
    [facts] = rows(ledger, "SELECT facts FROM journal ORDER BY entry_id DESC LIMIT 1")[0]
    assert facts == {"changed": 0, "same": 1, "left_out": 3}


def test_a_reader_named_by_his_number_need_not_be_known(ledger, ours):
    done = ours.take(read_file(b"lecteur;sms\nP7;non\nP8;oui\n"), who="zoé")
    assert (done.changed, done.faults) == (2, {})
    assert said(ledger, "P7", "P8") == {"P7": NO, "P8": YES}
    assert ours.counts() == {YES: 1, NO: 1}
    assert [line.patron_id for line in ours.lines(choice=NO, limit=10)] == ["P7"]
    assert [line.choice for line in ours.lines(patron_id="P8", limit=10)] == [YES]


def test_a_list_of_thousands_is_taken(ledger, ours):
    text = "lecteur;sms\n" + "".join(f"P{number};oui\n" for number in range(1200))
    assert ours.take(read_file(text.encode()), who="zoé").changed == 1200
    assert ours.counts()[YES] == 1200


def test_a_reader_is_found_by_card_or_number(ledger, ours):
    a_reader(ledger, "P1", card="21")
    assert (ours.reader("21"), ours.reader("P1")) == ("P1", "P1")
    a_reader(ledger, "P2", card="21")
    assert ours.reader("21") is LineFault.SHARED_CARD


def test_when_a_reader_is_removed_a_yes_goes_and_a_no_is_heard_all_the_same(ledger, ours, tmp_path):
    a_reader(ledger, "P1", card="21")
    a_reader(ledger, "P2", card="22")
    ours.note("P1", NO, who="zoé")
    ours.note("P2", YES, who="zoé")
    rows(ledger, "UPDATE readers SET last_seen_on = :day", day=TERMS.readers_until)
    assert remove(ledger, tmp_path).readers == 2
    [line] = ours.lines(limit=10)
    assert (line.forgotten, line.patron_id, line.choice) == (True, "", NO)
    assert "P1" not in str(rows(ledger, "SELECT * FROM sms_choices"))
    assert said(ledger, "P1", "P2") == {"P1": NO}
    assert ours.note("P1", YES, who="léa")
    [line] = ours.lines(limit=10)
    assert (line.forgotten, line.choice) == (False, YES)
    assert said(ledger, "P1") == {"P1": YES}


def test_whom_no_run_ever_saw_is_forgotten_after_a_year(ledger, ours, tmp_path):
    ours.note("P1", YES, who="zoé")
    ours.note("P2", NO, who="zoé")
    rows(ledger, "UPDATE sms_choices SET at = :day", day=TERMS.readers_until)
    remove(ledger, tmp_path)
    assert len(ours.lines(limit=10)) == 2
    rows(ledger, "UPDATE sms_choices SET at = CAST(:day AS date) - 1", day=TERMS.readers_until)
    remove(ledger, tmp_path)
    assert [(line.forgotten, line.choice) for line in ours.lines(limit=10)] == [(True, NO)]
