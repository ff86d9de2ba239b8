"""What becomes of others counts as if nobody had been erased: messages, letters, returns, months; and red runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from loan_reminders.domain.notices import LoanKey, Skip
from loan_reminders.domain.retention.terms import Terms
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.ledger.removal.loans import remove_cycles
from loan_reminders.ledger.removal.removal import LOANS, PostgresRetention
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_mobile, a_notice, a_patron
from tests.scenes.counters import assert_counters_are_true, kept
from tests.scenes.ledger_emails import a_bounce, came_back
from tests.scenes.ledger_letters import a_batch
from tests.scenes.ledger_runs import answer, extracted, ids, rows
from tests.scenes.simulated_library import READ_ON, TRIAL, keep_trial, library_of_arms, write

A = DeliveryState.ACCEPTED
MONDAY = DUE_DATE + timedelta(days=8)
SAYS_NO = Slot.SMS, SkipReason.OPTED_OUT, "sms:opted_out"
NOBODY = Slot.WRITTEN, SkipReason.NO_RECIPIENT, "email:missing"


@pytest.fixture
def ledgers(postgres_server, ledger_template) -> Iterator[object]:
    opened = []

    def one() -> PostgresLedger:
        name = postgres_server.create_database(template=ledger_template)
        opened.append((connect(postgres_server.url(name), library="demo"), name))
        ledger = opened[-1][0]
        rows(ledger, "INSERT INTO retention_state (library, key) VALUES ('demo', 'one key for all of these')")
        return ledger

    yield one
    for ledger, name in opened:
        ledger.close()
        postgres_server.drop_database(name)


def of(reader: str, channel: Channel = Channel.EMAIL, *loans: str):
    patron = a_patron(patron_id=reader, mobile=a_mobile(f"3363998{ord(reader):04d}"))
    told = tuple(
        a_loan(loan_id=f"{reader}{one}", patron=patron, branch=f"B{one}", loan_date=DUE_DATE - timedelta(days=20))
        for one in loans or ("1",)
    )
    return a_delivery(channel=channel, notice=a_notice(stage=Stage.FIRST_REMINDER, loans=told))


def read(ledger: PostgresLedger, told, skips, others):
    """A run that read the loans of those who are told, and of others."""
    loans = [loan for one in (*told, *others) for loan in one.loans]
    run = extracted(ledger, loans, stage=Stage.FIRST_REMINDER, reference_date=MONDAY, today=MONDAY)
    with ledger.planning(run.run_id) as planning:
        planning.record(told, skips)
    return run


def monday(ledger: PostgresLedger):
    """A first reminder: A, B and D by e-mail, E and F by letter, G by nothing; A and B have loans of two branches."""
    mails = [of("A", Channel.EMAIL, "1", "2"), of("B", Channel.EMAIL, "1", "2"), of("D")]
    letters = [of("E", Channel.LETTER), of("F", Channel.LETTER)]
    unwritten = [of("G"), of("H")]
    skips = [
        Skip(loan_id=one.loans[0].loan_id, due_date=DUE_DATE, patron_id=one.notice.patron.patron_id, slot=slot,
             reason=reason, detail=detail)
        for one in (*unwritten, mails[2]) for slot, reason, detail in (NOBODY, SAYS_NO)
        if (one in unwritten) is (slot is Slot.WRITTEN) or slot is Slot.SMS
    ]  # fmt: skip
    run = read(ledger, [*mails, *letters], skips, unwritten)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(mails))
        sender.record([answer(one, A) for one in mails])
    with ledger.sender(run.run_id, Channel.LETTER) as sender:
        sender.claim(ids(letters))
        batch = sender.record_batch(a_batch(letters), [answer(one, A) for one in letters])
    ledger.close_run(run.run_id)
    return mails, batch


def look(ledger: PostgresLedger, days: int, *returned: str) -> None:
    day = MONDAY + timedelta(days=days)
    nights = ledger.loan_ends()
    open_ = [one for one in nights.followed(after=None, page=99) if one.loan_id not in returned]
    gone = {LoanKey(loan_id=one, due_date=DUE_DATE): LoanEnd.RETURNED for one in returned}
    nights.record(today=day, still_open=open_, ended=gone)
    nights.looked(today=day, since=day - timedelta(days=30), asked=9, ended=len(gone))


def erase(ledger: PostgresLedger, *readers: str, days: int) -> None:
    for reader in readers:
        erasing = ledger.part(PostgresErasure)
        erasing.erase(reader, today=MONDAY + timedelta(days=days), who="chloé", rehearse=False)


def months(ledger: PostgresLedger, today: date = MONDAY + timedelta(days=20)):
    ledger.part(PostgresEffect).count(today=today, current=TRIAL)
    return [sorted(map(str, rows(ledger, f"SELECT * FROM {one}"))) for one in ("effect_overdues", "effect_returns")]


def the_week(ledger: PostgresLedger, erased: bool):
    """A week of a library, of which some readers are erased on the way, or nobody; what is counted in the end."""
    mails, batch = monday(ledger)
    look(ledger, 1, "A1", "A2", "B1")
    if erased:
        erase(ledger, "A", "B", days=1)
    look(ledger, 2, "G1")
    if erased:
        erase(ledger, "G", days=2)
        assert rows(ledger, "SELECT DISTINCT patron_id FROM notices WHERE patron_id IN ('A', 'G')") == []
    ledger.letters().mark_printed(batch, who="zoé")
    came_back(ledger, a_bounce(mails[2].delivery_id))
    look(ledger, 3, "E1")
    look(ledger, 20, "D1")
    if erased:
        terms = Terms(today=date(2030, 1, 1), loans_until=date(2029, 9, 1), readers_until=date(2029, 1, 1))
        found, after = None, None
        while found is None or after is not None:
            found, after = ledger.part(PostgresRetention).remove(LOANS, terms, after=after, rehearse=False, who="zoé")
        assert rows(ledger, "SELECT count(*) FROM loan_ends") == [(3,)]  # of those that ended none is left
    assert_counters_are_true(ledger)
    return kept(ledger), months(ledger)


def test_whoever_is_erased_what_becomes_of_the_others_counts(ledgers):
    as_it_was = the_week(ledgers(), erased=False)
    without_some = ledgers()
    assert the_week(without_some, erased=True) == as_it_was
    list(without_some.part(PostgresCounters).rebuild(who="zoé"))
    assert (kept(without_some), months(without_some)) == as_it_was
    messages, returns, overdue, letters, spared = as_it_was[0]
    assert all((messages, returns, overdue, letters, spared, *as_it_was[1]))
    assert sum(one.get("printed", 0) for one in letters.values()) == 2


@pytest.mark.parametrize("earlier", [0, 40])
def test_the_arms_of_a_trial_lose_no_loan_while_its_months_are_still_counted_anew(ledger, earlier):
    loans = library_of_arms(1, 10, trial=True, readers=60)
    write(ledger, loans)
    keep_trial(ledger)
    rows(ledger, "UPDATE runs SET today = today - CAST(:days AS integer)", days=earlier)
    before = months(ledger, READ_ON)
    gone = [LoanKey(loan_id=one.loan_id, due_date=one.due) for one in loans[::3]]
    with ledger.engine.begin() as connection:
        assert remove_cycles(connection, "demo", gone, today=READ_ON).loans == len(gone)
    assert months(ledger, READ_ON) == before
    with ledger.engine.begin() as connection:
        remove_cycles(connection, "demo", [LoanKey(loan_id=one.loan_id, due_date=one.due) for one in loans],
                      today=READ_ON)  # fmt: skip
    assert rows(ledger, "SELECT count(*) FROM deliveries") == [(0,)]
    assert months(ledger, READ_ON) == before


def test_a_message_is_of_the_branch_of_its_first_loan_also_when_that_one_is_gone(ledgers):
    ledger = ledgers()
    mails, _ = monday(ledger)
    look(ledger, 1, "B1")
    erase(ledger, "B", days=1)
    assert rows(ledger, "SELECT loan_ids FROM notices WHERE patron_id = 'B'") == [(["B2"],)]
    came_back(ledger, a_bounce(mails[1].delivery_id))
    assert rows(ledger, "SELECT branch, told, failed FROM message_counters WHERE channel = 'email'") == [("B1", 2, 1)]


def test_a_count_at_the_same_moment_sees_all_of_a_removal(ledgers):
    ledger = ledgers()
    mails, _ = monday(ledger)
    look(ledger, 1, "A1", "A2")
    gone = [LoanKey(loan_id=one, due_date=DUE_DATE) for one in ("A1", "A2")]
    bounce = threading.Thread(target=came_back, args=(ledger, a_bounce(mails[2].delivery_id)))
    with ledger.engine.begin() as connection:
        assert remove_cycles(connection, "demo", gone, today=MONDAY + timedelta(days=1)).loans == 2
        bounce.start()
        bounce.join(0.5)
        assert bounce.is_alive()
    bounce.join(20)
    assert rows(ledger, "SELECT told, failed FROM message_counters WHERE channel = 'email'") == [(2, 1)]
    assert_counters_are_true(ledger)


def test_what_a_removed_loan_counted_for_says_no_more_than_the_counters(ledgers):
    ledger = ledgers()
    monday(ledger)
    look(ledger, 1, "A1", "A2")
    erase(ledger, "A", days=1)
    gone = rows(ledger, "SELECT * FROM removed_messages")
    assert [(one.channel, one.branch, one.told) for one in gone] == [("email", "B1", 1)]
    [counted] = rows(ledger, "SELECT * FROM message_counters WHERE channel = 'email' AND branch = 'B1'"
                             " AND moment = :at", at=gone[0].moment)  # fmt: skip
    assert counted.told >= gone[0].told


def closed_with(ledger: PostgresLedger, *, leave: str, skip: str = ""):
    """A run whose message to one reader was left undone: red."""
    mails = [of("A"), of("B"), of("C", Channel.EMAIL, "1", "2")]
    skips = [Skip(loan_id="S1", due_date=DUE_DATE, patron_id="S", reason=SkipReason.NO_RECIPIENT)] if skip else []
    run = read(ledger, mails, skips, [of(skip)] if skip else [])
    done = [one for one in mails if one.notice.patron.patron_id != leave]
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(done))
        sender.record([answer(one, A) for one in done])
    return run.run_id, ledger.close_run(run.run_id), mails


def test_a_red_run_is_repaired_after_a_reader_of_it_was_erased(ledgers):
    ledger = ledgers()
    run_id, books, mails = closed_with(ledger, leave="B", skip="S")
    assert books.problems()
    look(ledger, 1, "A1", "S1", "C1")
    erase(ledger, "A", "S", "C", days=1)
    [left] = [one for one in mails if one.notice.patron.patron_id == "B"]
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids([left]))
        sender.record([answer(left, A)])
    books = ledger.close_run(run_id)
    assert books.problems() == ()
    assert (books.loans_in_notices, dict(books.skipped), books.notices) == (4, {"no_recipient": 1}, 3)
    assert books.deliveries == {Channel.EMAIL: {A: 3}}
    assert_counters_are_true(ledger)


@pytest.mark.parametrize(("state", "counts_as"), [("planned", "cancelled"), ("claimed", "in_doubt")])
def test_what_can_never_be_done_any_more_holds_no_run_red(ledgers, state, counts_as):
    ledger = ledgers()
    run_id, books, _ = closed_with(ledger, leave="A")
    assert books.problems()
    rows(ledger, "UPDATE deliveries SET state = :state WHERE state = 'planned'", state=state)
    look(ledger, 1, "A1")
    erase(ledger, "A", days=1)
    books = ledger.close_run(run_id)
    assert books.problems() == ()
    assert books.deliveries == {Channel.EMAIL: {A: 2, DeliveryState(counts_as): 1}}


def test_a_loan_that_was_lost_is_explained_by_its_end(ledgers):
    ledger = ledgers()
    run_id, books, _ = closed_with(ledger, leave="", skip="S")
    rows(ledger, "DELETE FROM skips")
    assert ledger.close_run(run_id).problems()
    look(ledger, 1, "S1")
    erase(ledger, "S", days=1)
    books = ledger.close_run(run_id)
    assert (books.problems(), dict(books.skipped)) == ((), {"returned": 1})
