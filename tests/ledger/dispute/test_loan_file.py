"""What the ledger tells of one loan, found by any of its names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from loan_reminders.domain.dispute.loan_file import Dispute, LoanSearch
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.letters.batches import LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan, an_email
from tests.scenes.disputed_loan import TRACKING, S, a_whole_story, sent
from tests.scenes.ledger_runs import rows


def told(ledger: PostgresLedger, loan_id: str = "L1") -> Dispute:
    dispute = ledger.dispute().file(loan_id)
    assert dispute is not None
    return dispute


def test_everything_about_a_loan_is_told_in_its_order(ledger: PostgresLedger) -> None:
    deliveries = a_whole_story(ledger)
    dispute = told(ledger)
    assert [one.delivery_id for one in dispute.deliveries] == [one.delivery_id for one in deliveries]
    assert [one.channel for one in dispute.deliveries] == list(Channel)
    mail, sms, letter, registered = dispute.deliveries
    assert (mail.recipient, mail.attempts, mail.documents) == (an_email(), 1, 1)
    assert [(one.state, one.raw, one.applied) for one in mail.answers] == [
        (S.ACCEPTED, "250 2.0.0 OK queued as 4XyZ", True)
    ]
    assert mail.words is not None
    assert mail.words.body.startswith("Bonjour,\n\n  - L'Étranger")
    [bounce] = mail.bounces
    assert (bounce.kind, bounce.status) == (BounceKind.HARD, "5.1.1")
    assert (sms.state, sms.reason, sms.answers[0].raw) == (S.IN_DOUBT, Reason.NO_ANSWER, "ReadTimeout")
    assert letter.letter is not None
    assert (letter.letter.reference, letter.letter.location) == ("R1-7ZK3QD4M", "lettres.pdf")
    assert (letter.letter.first_page, letter.letter.last_page, letter.documents) == (2, 3, 3)
    assert letter.registered is None
    assert registered.registered is not None
    assert (registered.registered.state, registered.registered.return_reason) == (
        RegisteredState.RETURNED,
        ReturnReason.UNCLAIMED,
    )
    assert [(step.act, step.whole_batch) for step in registered.steps] == [
        (LetterAct.PRINTED, True),
        (LetterAct.NUMBERED, False),
        (LetterAct.POSTED, False),
        (LetterAct.UNDONE, False),
    ]
    [skip] = dispute.skips
    assert (skip.reason, skip.day) == (SkipReason.NO_RECIPIENT, DUE_DATE + timedelta(days=1))
    [suppression] = dispute.suppressions
    assert (suppression.reason, suppression.recipient) == (SuppressionReason.HARD_BOUNCE, an_email())


@pytest.mark.parametrize(
    "search",
    [
        LoanSearch(loan_id="L1"),
        LoanSearch(item_barcode="0935000123"),
        LoanSearch(tracking_number="1a 234 567 8901 2"),
        LoanSearch(tracking_number=f"*{TRACKING}*"),
        LoanSearch.anything(TRACKING),
        LoanSearch.anything(" L1 "),
        LoanSearch.anything("md-0000aaaa"),
    ],
)
def test_a_loan_is_found_by_any_of_its_names(ledger: PostgresLedger, search: LoanSearch) -> None:
    a_whole_story(ledger)
    [found] = ledger.dispute().find(search)
    assert found.loan_id == "L1"
    assert found.loan is not None
    assert found.loan.item_barcode == "0935000123"


@pytest.mark.parametrize("text", ["", "L2x", "%", "' OR true", "nul\x00", "0935"])
def test_what_names_nothing_finds_nothing(ledger: PostgresLedger, text: str) -> None:
    a_whole_story(ledger)
    assert ledger.dispute().find(LoanSearch.anything(text)) == ()
    assert ledger.dispute().file(text) is None


def test_a_letter_about_several_loans_names_them_all(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    found = ledger.dispute().find(LoanSearch(reference="R1-7ZK3QD4M"))
    assert {one.loan_id for one in found} == {"L1", "L2", "L3"}


def test_a_barcode_lent_twice_names_both_loans_the_newest_first(ledger: PostgresLedger) -> None:
    for loan_id, due in (("L-old", date(2026, 3, 2)), ("L-new", DUE_DATE)):
        sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(a_loan(loan_id=loan_id, due_date=due),))
    found = ledger.dispute().find(LoanSearch(item_barcode="0935000123"))
    assert [one.loan_id for one in found] == ["L-new", "L-old"]
    assert [one.loan_id for one in ledger.dispute().find(LoanSearch(item_barcode="0935000123"), limit=1)] == ["L-new"]


def test_every_cycle_of_a_renewed_loan_is_told(ledger: PostgresLedger) -> None:
    renewed = a_loan(due_date=DUE_DATE + timedelta(days=28), renewal_count=1)
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(renewed,))
    dispute = told(ledger)
    assert [(cycle.due_date, cycle.loan.renewal_count) for cycle in dispute.cycles] == [
        (DUE_DATE, 0),
        (renewed.due_date, 1),
    ]
    assert [one.due_date for one in dispute.deliveries] == [DUE_DATE, renewed.due_date]


def test_what_was_refused_and_followed_stays_told(ledger: PostgresLedger) -> None:
    sent(ledger, Channel.EMAIL, Stage.FIRST_REMINDER, S.REFUSED, Reason.RECIPIENT_REFUSED)
    sent(ledger, Channel.LETTER, Stage.FIRST_REMINDER)
    assert [one.state for one in told(ledger).deliveries] == [S.REFUSED, S.ACCEPTED]


def test_a_trial_run_is_not_told(ledger: PostgresLedger) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, dry_run=True)
    assert ledger.dispute().find(LoanSearch.anything("L1")) == ()
    assert ledger.dispute().find(LoanSearch(item_barcode="0935000123")) == ()
    assert ledger.dispute().file("L1") is None


def test_what_was_sent_outlives_the_description_of_the_loan(ledger: PostgresLedger) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    rows(ledger, "DELETE FROM loans_seen")
    [found] = ledger.dispute().find(LoanSearch(loan_id="L1"))
    assert found.loan is None
    assert (told(ledger).cycles, len(told(ledger).deliveries)) == ((), 1)


def test_another_library_is_told_nothing(ledger: PostgresLedger, ledger_url: str) -> None:
    a_whole_story(ledger)
    with connect(ledger_url, library="autre") as other:
        assert other.dispute().find(LoanSearch.anything("L1")) == ()
        assert other.dispute().find(LoanSearch(reference="R1-7ZK3QD4M", tracking_number=TRACKING)) == ()
        assert other.dispute().file("L1") is None
