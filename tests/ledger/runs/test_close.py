"""The books: they balance, and say so when they do not."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import BooksDoNotBalance
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.stages import Channel, Slot
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.french.runs import imbalance_words
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_runs import S, answer, extracted, ids, opened, planned, rows, some_deliveries
from tests.scenes.sentences import saying


def a_skip(loan_id: str, reason: SkipReason, slot: Slot | None = None) -> Skip:
    return Skip(loan_id=loan_id, due_date=DUE_DATE, patron_id="P1", reason=reason, slot=slot)


def in_words(books: Books) -> list[str]:
    return [imbalance_words(problem) for problem in books.problems()]


def a_full_run(ledger: PostgresLedger) -> Run:
    """Four readers: mail and SMS, mail only, nothing to write to, told already; a bad row and a double one."""
    told = [a_loan(loan_id=f"T{number}", patron=a_patron(patron_id="told")) for number in range(2)]
    mailed = a_loan(loan_id="M", patron=a_patron(patron_id="mailed"))
    silent = a_loan(loan_id="S", patron=a_patron(patron_id="silent"))
    before = a_loan(loan_id="B", patron=a_patron(patron_id="before"))
    bad = RejectedRow(loan_id="X", patron_id="", code="missing", column="patron_id", raw={})
    run = extracted(ledger, [*told, mailed, silent, before, bad, told[0]])
    notice = a_notice(loans=tuple(told))
    mail, sms = a_delivery(notice=notice), a_delivery(notice=notice, channel=Channel.SMS)
    second = a_delivery(notice=a_notice(loans=(mailed,)))
    with ledger.planning(run.run_id) as planning:
        planning.record(
            [mail, sms, second],
            [
                a_skip("M", SkipReason.NOT_ELIGIBLE, Slot.SMS),
                a_skip("S", SkipReason.NO_RECIPIENT),
                a_skip("S", SkipReason.NOT_ELIGIBLE, Slot.SMS),
                a_skip("B", SkipReason.ALREADY_SENT),
            ],
        )
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([mail, second]))
        sender.record([answer(mail, S.ACCEPTED), answer(second, S.REFUSED, Reason.RECIPIENT_REFUSED)])
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        sender.claim(ids([sms]))
        sender.record([answer(sms, S.ACCEPTED, segments=2, cost=0.09)])
    return run


def test_every_loan_and_delivery_is_accounted_for(ledger: PostgresLedger) -> None:
    run = a_full_run(ledger)
    books = ledger.close_run(run.run_id)
    assert books.problems() == ()
    assert (books.loans_extracted, books.loans_in_notices) == (7, 3)
    assert books.skipped == {"no_recipient": 1, "already_sent": 1, "invalid_row": 1, "duplicate_row": 1}
    assert books.slots_skipped == {"not_eligible": 1}
    assert (books.notices, books.deliveries_planned, books.segments, books.cost, books.unpriced) == (2, 3, 2, 0.09, 0)
    assert books.deliveries == {
        Channel.EMAIL: {DeliveryState.ACCEPTED: 1, DeliveryState.REFUSED: 1},
        Channel.SMS: {DeliveryState.ACCEPTED: 1},
    }


def test_the_books_are_kept_with_the_run(ledger: PostgresLedger) -> None:
    run = a_full_run(ledger)
    ledger.close_run(run.run_id)
    [[state, books, closed_at]] = rows(ledger, "SELECT state, books, closed_at FROM runs")
    assert (state, closed_at is None) == ("closed", False)
    assert books["loans_extracted"] == 7
    assert books["deliveries"] == {"email": {"accepted": 1, "refused": 1}, "sms": {"accepted": 1}}
    assert books["problems"] == []
    assert ledger.run(run.run_id).planned


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        ("DELETE FROM deliveries WHERE channel = 'sms'", "envois prévus : 3, mais retrouvés : 2"),
        ("DELETE FROM delivery_loans WHERE loan_id = 'M'", "prêts extraits : 7, mais dans un avis : 2 et écartés : 4"),
        ("DELETE FROM loans_seen WHERE loan_id = 'M'", "prêts extraits : 7, mais dans un avis : 2 et écartés : 4"),
        ("DELETE FROM skips WHERE reason = 'invalid_row'", "prêts extraits : 7, mais dans un avis : 3 et écartés : 3"),
        ("UPDATE runs SET loans_extracted = 8", "prêts extraits : 8, mais dans un avis : 3 et écartés : 4"),
        ("UPDATE runs SET deliveries_planned = 4", "envois prévus : 4, mais retrouvés : 3"),
    ],
)
def test_what_is_changed_behind_the_ledger_s_back_is_found(ledger: PostgresLedger, harm: str, problem: str) -> None:
    run = a_full_run(ledger)
    rows(ledger, harm)
    assert in_words(ledger.close_run(run.run_id)) == [problem]
    assert rows(ledger, "SELECT books -> 'problems' ->> 0 FROM runs") == [(problem,)]


def test_a_loan_both_told_and_skipped_is_found(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    run = planned(ledger, [delivery], [a_skip("L0", SkipReason.OPTED_OUT)])
    [first, _] = in_words(ledger.close_run(run.run_id))
    assert first == "prêts extraits : 1, mais dans un avis : 1 et écartés : 1"


@pytest.mark.parametrize("claimed", [False, True])
def test_what_is_left_undone_is_found_and_mended_by_another_try(ledger: PostgresLedger, claimed: bool) -> None:
    deliveries = some_deliveries(1)
    run = planned(ledger, deliveries)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        if claimed:
            sender.claim(ids(deliveries))
        words = "commencés, sans réponse enregistrée (claimed)" if claimed else "encore en attente (planned)"
        assert in_words(ledger.close_run(run.run_id)) == [f"e-mails, envois {words} : 1, relancer leur tâche"]
        sender.claim(ids(deliveries))
        sender.record([answer(deliveries[0], S.ACCEPTED)])
    assert ledger.close_run(run.run_id).problems() == ()


def test_in_doubt_is_an_explanation(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(1, channel=Channel.SMS)
    run = planned(ledger, deliveries)
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        sender.claim(ids(deliveries))
        sender.record([answer(deliveries[0], S.IN_DOUBT, Reason.NO_ANSWER, segments=1, cost=0.045)])
    books = ledger.close_run(run.run_id)
    assert (books.problems(), books.segments, books.cost) == ((), 0, 0.0)


def test_a_run_that_was_not_planned_is_red_and_can_still_be_planned(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    run = extracted(ledger, delivery.loans)
    assert in_words(ledger.close_run(run.run_id)) == ["prêts extraits : 1, mais dans un avis : 0 et écartés : 0"]
    assert not ledger.run(run.run_id).planned
    with ledger.planning(run.run_id) as planning:
        planning.record([delivery], [])
    assert ledger.run(run.run_id).planned


def test_a_run_that_never_finished_reading_has_no_books(ledger: PostgresLedger) -> None:
    run = opened(ledger)
    with pytest.raises(BooksDoNotBalance, check=saying("pas fini de lire le SIGB")):
        ledger.close_run(run.run_id)
    assert rows(ledger, "SELECT state, books FROM runs") == [("extracting", None)]


def test_a_day_without_loans_balances(ledger: PostgresLedger) -> None:
    run = planned(ledger, [])
    books = ledger.close_run(run.run_id)
    assert (books.problems(), books.loans_extracted, dict(books.deliveries)) == ((), 0, {})
