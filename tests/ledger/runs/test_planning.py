"""Planning: all or nothing, once, and never against a claim that another run holds."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from loan_reminders.domain.errors import LedgerUnavailable, PermanentError
from loan_reminders.domain.notices import Delivery, LoanKey, Skip
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import Reason, SkipReason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs import planning as planning_room
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron, some_loans
from tests.scenes.ledger_runs import (
    S,
    answer,
    extracted,
    ids,
    keys,
    offered,
    opened,
    planned,
    rows,
    some_deliveries,
    states,
)
from tests.scenes.sentences import saying

COUNTS = "SELECT (SELECT count(*) FROM notices), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM skips)"


def a_skip(loan_id: str = "L9", **changes: object) -> Skip:
    values: dict[str, object] = {
        "loan_id": loan_id,
        "due_date": DUE_DATE,
        "patron_id": "P1",
        "reason": SkipReason.EXPIRED,
    }
    return Skip(**{**values, **changes})  # type: ignore[arg-type]


def loans_of(deliveries: tuple[Delivery, ...]) -> list[object]:
    return [loan for delivery in deliveries for loan in delivery.notice.loans]


def test_readers_come_with_all_their_loans(ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning_room, "READERS_IN_A_PAGE", 2)
    monkeypatch.setattr(planning_room, "ROWS_AT_A_TIME", 2)
    readers = {name: a_patron(patron_id=name) for name in ("é", "Z", "a", "P10", "P9")}
    loans = [
        a_loan(loan_id=f"{name}{number}", patron=patron) for number in range(3) for name, patron in readers.items()
    ]
    run = extracted(ledger, loans)
    with ledger.planning(run.run_id) as planning:
        pages = list(planning.patrons())
    assert [len(page) for page in pages] == [2, 2, 1]
    found = [[loan.loan_id for loan in reader] for page in pages for reader in page]
    assert sorted(found) == sorted([f"{name}{number}" for number in range(3)] for name in readers)


def test_a_plan_is_recorded_whole(ledger: PostgresLedger) -> None:
    loans = some_loans(2)
    notice = a_notice(loans=loans)
    mail, sms = a_delivery(notice=notice), a_delivery(notice=notice, channel=Channel.SMS)
    run = planned(ledger, [mail, sms], [a_skip("L2", slot=Slot.SMS, reason=SkipReason.NOT_ELIGIBLE, detail="short")])
    assert rows(ledger, COUNTS) == [(1, 2, 1)]
    assert ledger.run(run.run_id).planned
    assert ledger.planned_count(run.run_id, Channel.EMAIL) == ledger.planned_count(run.run_id, Channel.SMS) == 1
    assert ledger.planned_count(run.run_id, Channel.LETTER) == 0
    [skipped] = rows(ledger, "SELECT loan_id, slot, reason, detail FROM skips")
    assert skipped == ("L2", "sms", "not_eligible", "short")


def test_an_error_leaves_nothing(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(3)
    run = extracted(ledger, loans_of(deliveries))
    planning = ledger.planning(run.run_id)

    def fail() -> None:
        with planning:
            next(planning.patrons())
            planning.record(deliveries, [a_skip()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(ledger, COUNTS) == [(0, 0, 0)]
    assert not ledger.run(run.run_id).planned


def test_a_process_killed_while_planning_leaves_nothing(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(3)
    run = extracted(ledger, loans_of(deliveries))

    def be_killed() -> None:
        with ledger.planning(run.run_id) as planning:
            planning.record(deliveries, [])
            terminated = """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE state = 'idle in transaction' AND datname = current_database()
            """
            assert rows(ledger, terminated) == [(True,)]

    with pytest.raises(LedgerUnavailable):
        be_killed()
    assert rows(ledger, COUNTS) == [(0, 0, 0)]
    assert not ledger.run(run.run_id).planned


def test_a_planned_run_has_nothing_left_to_plan(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(2)
    run = planned(ledger, deliveries)
    with ledger.planning(run.run_id) as planning:
        assert list(planning.patrons()) == []
        assert planning.adopt(keys(deliveries)) == 0
        planning.record([], [])
        with pytest.raises(PermanentError, check=saying("est déjà préparée")):
            planning.record([], [a_skip()])
    assert rows(ledger, "SELECT deliveries_planned FROM runs") == [(2,)]


def test_a_run_is_planned_by_one_process_at_a_time(ledger: PostgresLedger, ledger_url: str) -> None:
    run = extracted(ledger, some_loans(1))
    with (
        connect(ledger_url, library="demo", lock_seconds=0.2) as impatient,
        ledger.planning(run.run_id),
        pytest.raises(LedgerUnavailable, check=saying("verrou")),
        impatient.planning(run.run_id),
    ):
        pytest.fail("two processes plan one run")


def test_a_run_still_reading_is_not_planned(ledger: PostgresLedger) -> None:
    run = opened(ledger)
    with pytest.raises(PermanentError, check=saying("pas fini de lire le SIGB")), ledger.planning(run.run_id):
        pytest.fail("a half-read run is planned")


def test_planning_outside_its_block_is_refused(ledger: PostgresLedger) -> None:
    planning = ledger.planning(extracted(ledger, some_loans(1)).run_id)
    with pytest.raises(PermanentError, match="outside its block"):
        planning.patrons()


def test_another_run_that_holds_a_claim_stops_the_plan_without_a_word_about_the_reader(
    ledger: PostgresLedger,
) -> None:
    deliveries = some_deliveries(3)
    planned(ledger, deliveries[:1])
    rival = extracted(ledger, loans_of(deliveries), dag_run_id="run-2")
    again = some_deliveries(3)
    taken = pytest.raises(LedgerUnavailable, check=saying("tient les mêmes avis"))
    with taken as caught, ledger.planning(rival.run_id) as planning:
        planning.record(again, [])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "L0" not in str(caught.value)
    assert rows(ledger, COUNTS) == [(1, 1, 0)]
    with ledger.planning(rival.run_id) as planning:
        assert planning.history(keys(again)) == {
            (LoanKey(loan_id="L0", due_date=DUE_DATE), Slot.WRITTEN): S.PLANNED,
        }


def test_history_says_who_holds_what_at_this_stage_and_library(ledger: PostgresLedger, ledger_url: str) -> None:
    [taken, freed, elsewhere] = some_deliveries(3)
    run = planned(ledger, [taken, freed])
    planned(ledger, [a_delivery(notice=a_notice(stage=Stage.FIRST_REMINDER, loans=elsewhere.loans))],
            stage=Stage.FIRST_REMINDER)  # fmt: skip
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([taken, freed]))
        sender.record([answer(taken, S.ACCEPTED), answer(freed, S.REFUSED)])
    asked = keys([taken, freed, elsewhere])
    with connect(ledger_url, library="other") as other:
        foreign = extracted(other, some_loans(1))
        with other.planning(foreign.run_id) as planning:
            assert planning.history(asked) == {}
    with ledger.planning(extracted(ledger, some_loans(1), dag_run_id="run-2").run_id) as planning:
        assert planning.history(asked) == {(asked[0], Slot.WRITTEN): S.ACCEPTED}
        assert planning.history([]) == {}


@pytest.mark.parametrize(
    ("state", "reason", "remembered"),
    [
        (S.REFUSED, Reason.RECIPIENT_REFUSED, True),
        (S.REFUSED, Reason.INVALID_RECIPIENT, True),
        (S.REFUSED, None, True),
        (S.BOUNCED, None, True),
        (S.REFUSED, Reason.NOT_RENDERED, False),
        (S.REFUSED, Reason.TEXT_TOO_LONG, False),
        (S.FAILED, Reason.RETRIES_EXHAUSTED, False),
        (S.ACCEPTED, None, False),
    ],
)
def test_recipients_that_refused_are_remembered(
    ledger: PostgresLedger, state: S, reason: Reason | None, remembered: bool
) -> None:
    [delivery] = some_deliveries(1)
    run = planned(ledger, [delivery])
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([delivery]))
        if state is S.BOUNCED:
            sender.record([answer(delivery, S.ACCEPTED)])
        sender.record([answer(delivery, state, reason)])
    [key] = keys([delivery])
    with ledger.planning(extracted(ledger, delivery.loans, dag_run_id="run-2").run_id) as planning:
        assert planning.refused([key]) == ({key: {delivery.recipient}} if remembered else {})
        assert planning.refused([]) == {}


def test_what_an_earlier_run_never_attempted_is_adopted(ledger: PostgresLedger) -> None:
    waiting, sent, elsewhere = deliveries = some_deliveries(3)
    dead = planned(ledger, deliveries)
    with ledger.sender(dead.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([sent]))
        sender.record([answer(sent, S.ACCEPTED)])
    run = extracted(ledger, [*waiting.loans, *sent.loans], dag_run_id="run-2")
    with ledger.planning(run.run_id) as planning:
        assert planning.adopt(keys([waiting, sent])) == 1
        assert planning.adopt([]) == 0
        planning.record([], [a_skip(sent.loans[0].loan_id, reason=SkipReason.ALREADY_SENT)])
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        assert offered(sender) == [waiting]
        assert sender.claim(ids([waiting])) == {waiting.delivery_id}
        sender.record([answer(waiting, S.ACCEPTED)])
    assert ledger.close_run(run.run_id).problems() == ()
    with ledger.sender(dead.run_id, Channel.EMAIL) as sender:
        assert offered(sender) == [elsewhere]
        sender.record([answer(elsewhere, S.CANCELLED, Reason.RETURNED)])
    books = ledger.close_run(dead.run_id)
    assert (books.problems(), books.deliveries_planned) == ((), 2)


def test_an_adopted_delivery_still_knows_a_loan_that_came_back_meanwhile(ledger: PostgresLedger) -> None:
    loans = some_loans(2)
    delivery = a_delivery(notice=a_notice(loans=loans))
    planned(ledger, [delivery])
    run = extracted(ledger, loans[:1], dag_run_id="run-2")
    with ledger.planning(run.run_id) as planning:
        assert planning.adopt(keys([delivery])[:1]) == 1
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        assert offered(sender) == [delivery]
        sender.record([answer(delivery, S.CANCELLED, Reason.RETURNED)])
    books = ledger.close_run(run.run_id)
    assert (books.loans_extracted, books.loans_in_notices, books.problems()) == (1, 1, ())


@pytest.mark.parametrize("case", ["dry run adopts", "dry run's", "other stage", "other library"])
def test_what_is_not_adopted(ledger: PostgresLedger, ledger_url: str, case: str) -> None:
    [delivery] = some_deliveries(1)
    planned(ledger, [delivery], dry_run=case == "dry run's")
    with connect(ledger_url, library="other") as other:
        owner = other if case == "other library" else ledger
        stage = Stage.FIRST_REMINDER if case == "other stage" else Stage.OVERDUE_NOTICE
        run = extracted(owner, delivery.loans, dag_run_id="run-2", dry_run=case == "dry run adopts", stage=stage)
        with owner.planning(run.run_id) as planning:
            assert planning.adopt(keys([delivery])) == 0


def test_what_history_calls_planned_no_sender_can_take_before_it_is_adopted(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    slow = planned(ledger, [delivery])
    run = extracted(ledger, delivery.loans, dag_run_id="run-2")
    with ledger.sender(slow.run_id, Channel.EMAIL) as sender:
        with ledger.planning(run.run_id) as planning:
            assert set(planning.history(keys([delivery])).values()) == {S.PLANNED}
            assert sender.claim(ids([delivery])) == frozenset()
            assert planning.adopt(keys([delivery])) == 1
        assert sender.claim(ids([delivery])) == frozenset()
        sender.record([answer(delivery, S.CANCELLED)])
    assert states(ledger)[delivery.delivery_id] == ("planned", None)


def test_a_dry_run_holds_nothing(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    planned(ledger, [delivery], dry_run=True)
    real = planned(ledger, some_deliveries(1), dag_run_id="run-2")
    assert ledger.planned_count(real.run_id, Channel.EMAIL) == 1


def test_the_number_of_statements_does_not_grow_with_the_page(ledger: PostgresLedger) -> None:
    executed: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *call: executed.append(call[2]))
    counts = []
    for size in (2, 200):
        deliveries = some_deliveries(size, prefix=f"{size}-")
        run = extracted(ledger, loans_of(deliveries), dag_run_id=f"run-{size}")
        executed.clear()
        with ledger.planning(run.run_id) as planning:
            for page in planning.patrons():
                asked = [LoanKey(loan_id=loan.loan_id, due_date=DUE_DATE) for reader in page for loan in reader]
                planning.history(asked)
                planning.refused(asked)
                planning.adopt(asked)
            planning.record(deliveries, [])
        counts.append(len(executed))
    assert counts[0] == counts[1]
