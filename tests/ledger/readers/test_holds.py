"""Holds in the ledger: one each, ended by a day or a person, and kept for whoever asks later."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.holds import Held, HoldRefusal, HoldRefused
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.services.letters.recheck import Recheck, leave_out_unwanted
from loan_reminders.web.letters.table_rows import changes_in_words
from tests.scenes.builders import DUE_DATE, a_loan, a_patron
from tests.scenes.holds import hold, lift
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import answer, extracted, ids, planned, rows, some_deliveries, states

TODAY = DUE_DATE


@pytest.fixture
def known(ledger):
    """Two readers whom a run saw, with a loan each."""
    extracted(ledger, [a_loan(loan_id=f"L{n}", patron=a_patron(patron_id=f"P{n}")) for n in (1, 2)])
    return ledger.part(PostgresHolds)


def refusal(act, *args, **changes):
    with pytest.raises(HoldRefused) as refused:
        act(*args, **changes)
    return refused.value.code


def test_an_unknown_reader_or_another_readers_loan_is_not_held(ledger, known):
    assert refusal(hold, ledger, "P9", until=TODAY) is HoldRefusal.UNKNOWN_READER
    assert refusal(hold, ledger, "P1", loan_id="L2", until=TODAY) is HoldRefusal.UNKNOWN_LOAN
    assert rows(ledger, "SELECT 1 FROM journal") == []


def test_what_is_not_in_force_is_not_lifted(ledger, known):
    placed = hold(ledger, "P1", until=TODAY)
    assert refusal(lift, ledger, placed, today=TODAY + timedelta(days=1)) is HoldRefusal.NOT_IN_FORCE
    lift(ledger, placed)
    assert refusal(lift, ledger, placed) is HoldRefusal.NOT_IN_FORCE


def test_another_library_neither_sees_nor_lifts_it(ledger, ledger_url, known):
    placed = hold(ledger, "P1", until=TODAY)
    with connect(ledger_url, library="autre") as other:
        assert other.part(PostgresHolds).in_force(today=TODAY) == ()
        assert refusal(lift, other, placed) is HoldRefusal.NOT_IN_FORCE


def test_a_new_one_takes_the_place_of_the_old_one(ledger, known):
    hold(ledger, "P1", until=TODAY)
    hold(ledger, "P1", until=TODAY + timedelta(days=5), reason="prolongé", today=TODAY)
    newest, old = known.of_reader("P1")
    assert (newest.reason, newest.in_force(TODAY), old.in_force(TODAY)) == ("prolongé", True, False)
    assert [one.hold.reason for one in known.in_force(today=TODAY)] == ["prolongé"]
    hold(ledger, "P1", until=TODAY + timedelta(days=30))
    assert known.of_reader("P1")[1].lifted_by == ""


def test_it_counts_to_its_last_day(ledger, known):
    hold(ledger, "P1", until=TODAY)
    hold(ledger, "P2", loan_id="L2", until=TODAY + timedelta(days=1))
    assert known.held(["P1", "P2"], today=TODAY) == Held(readers=frozenset({"P1"}), loans=frozenset({("P2", "L2")}))
    assert known.held(["P1", "P2"], today=TODAY + timedelta(days=1)) == Held(loans=frozenset({("P2", "L2")}))
    assert (known.count(today=TODAY), known.count(today=TODAY + timedelta(days=2))) == (2, 0)


def test_the_list_names_the_reader_and_the_document(ledger, known):
    hold(ledger, "P1", loan_id="L1", until=TODAY)
    [one] = known.in_force(today=TODAY)
    assert (one.name, one.hold.title, one.hold.who) == ("Camille Martin", "Introduction à l'économie", "zoé")
    assert one.reader_number


def test_who_said_so_is_in_the_journal(ledger, known):
    lift(ledger, hold(ledger, "P1", until=TODAY))
    kept = rows(ledger, "SELECT who, act, patron_id, detail FROM journal ORDER BY entry_id")
    assert kept == [("zoé", "held", "P1", "conteste le prêt"), ("zoé", "hold_lifted", "P1", "document retrouvé")]


def test_two_librarians_at_once_leave_one_in_force(ledger, known):
    failed = []

    def place():
        try:
            hold(ledger, "P1", until=TODAY)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=place) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(known.in_force(today=TODAY)) == 1
    assert len(failed) < 4


def test_from_the_moment_it_is_placed_nothing_can_be_claimed(ledger):
    deliveries = some_deliveries(2)
    run = planned(ledger, deliveries)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        list(sender.waiting())
        hold(ledger, deliveries[0].notice.patron.patron_id, until=run.today)
        assert sender.claim(ids(deliveries)) == {deliveries[1].delivery_id}
        assert sender.drop_held(run.today) == 1
        sender.record([answer(deliveries[1], DeliveryState.ACCEPTED)])
    assert states(ledger)[deliveries[0].delivery_id] == ("cancelled", "held")


def test_only_live_claims_decide_a_stage(ledger, known):
    told, waiting = some_deliveries(2)
    run = planned(ledger, [told, waiting])
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([told, waiting]))
        sender.record([answer(told, DeliveryState.ACCEPTED), answer(waiting, DeliveryState.REFUSED)])
    keys = [LoanKey(loan_id=one.loans[0].loan_id, due_date=DUE_DATE) for one in (told, waiting)]
    assert known.decided(keys) == {keys[0]: frozenset({Stage.OVERDUE_NOTICE})}


def unwanted(ledger, batch_id, today=TODAY):
    """What is left out of a batch on a day, whatever the ILS says."""
    books = ledger.letters()
    return leave_out_unwanted(books, batch_id, Recheck(), today=today, who="zoé")


def test_a_letter_of_a_closed_batch_that_nobody_printed_is_left_out(ledger):
    _, batch_id, letters = closed(ledger, channel=Channel.LETTER)
    hold(ledger, letters[0].notice.patron.patron_id, until=TODAY)
    check = unwanted(ledger, batch_id)
    assert (check.held, check.held_with_others, check.silent) == (1, (), False)
    assert "ne pas écrire" in " ".join(changes_in_words(check))
    assert states(ledger)[letters[0].delivery_id] == ("cancelled", "held")
    assert unwanted(ledger, batch_id).silent
    assert unwanted(ledger, batch_id, today=TODAY + timedelta(days=1)).silent


def test_a_letter_already_printed_stays(ledger):
    _, batch_id, letters = closed(ledger, channel=Channel.LETTER)
    ledger.letters().mark_printed(batch_id, who="zoé")
    hold(ledger, letters[0].notice.patron.patron_id, until=TODAY)
    assert unwanted(ledger, batch_id).silent
    assert states(ledger)[letters[0].delivery_id] == ("accepted", None)


def test_a_loan_is_gone_when_a_later_run_of_its_due_date_did_not_get_it(ledger):
    """Not by a trial, by a run still reading, by one of that same day, of another due date, or by a resend."""
    due = DUE_DATE
    heard = {LoanKey(loan_id="L1", due_date=due): due - timedelta(days=2)}

    def gone():
        return dict(ledger.part(PostgresHolds).not_listed(heard, first=-2, last=21))

    def ran(days, *, of=due, **more):
        day = of + timedelta(days=days)
        extracted(
            ledger, [], dag_run_id=f"{of} {days} {more}", due_date=of, **{"reference_date": day, "today": day, **more}
        )

    ran(-2)
    ran(1, dry_run=True)
    ran(1, of=due + timedelta(days=1))
    assert gone() == {}
    ran(8)
    rows(ledger, "UPDATE runs SET kind = 'resend' WHERE reference_date = due_date + 8")
    assert gone() == {}
    rows(ledger, "UPDATE runs SET kind = 'daily', state = 'extracting' WHERE reference_date = due_date + 8")
    assert gone() == {}
    rows(ledger, "UPDATE runs SET state = 'extracted' WHERE state = 'extracting'")
    ran(15)
    assert gone() == {LoanKey(loan_id="L1", due_date=due): due + timedelta(days=8)}
    assert ledger.part(PostgresHolds).not_listed({}, first=-2, last=21) == {}
