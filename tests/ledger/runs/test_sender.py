"""Sending: claimed once, answered once, recorded as answered."""

from __future__ import annotations

import threading
import uuid

import pytest

from loan_reminders.domain.errors import PermanentError
from loan_reminders.domain.messages import LetterBatch
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.french.refusals import sentence
from loan_reminders.ledger import sender as sender_module
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.json_codecs import encode_receipt
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron, some_loans
from tests.scenes.ledger_runs import (
    S,
    a_run,
    answer,
    by_id,
    first_to_a_number,
    ids,
    offered,
    planned,
    rows,
    some_deliveries,
    states,
)
from tests.scenes.sentences import saying


@pytest.mark.parametrize("channel", list(Channel))
def test_deliveries_come_back_as_they_were_planned(ledger: PostgresLedger, channel: Channel) -> None:
    run_id, deliveries = a_run(ledger, channel, 5)
    with ledger.sender(run_id, channel) as sender:
        pages = list(sender.waiting(page_size=2))
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [delivery for page in pages for delivery in page] == first_to_a_number(by_id(deliveries))


def test_a_delivery_about_some_of_its_notice_keeps_both(ledger: PostgresLedger) -> None:
    loans = some_loans(3)
    notice = a_notice(loans=loans)
    sms = Delivery(notice=notice, channel=Channel.SMS, recipient=notice.patron.mobile, loans=(loans[2], loans[0]))
    run = planned(ledger, [a_delivery(notice=notice), sms])
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        [found] = offered(sender)
    assert found.notice == notice
    assert found.loans == (loans[0], loans[2])


def test_the_ids_of_loans_come_back_whatever_their_signs(ledger: PostgresLedger) -> None:
    notice = a_notice(loans=[a_loan(loan_id=one) for one in ('a"b', "c\\d", "{e,f}", "NULL", "é è", "'")])
    run = planned(ledger, [a_delivery(notice=notice)])
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        [found] = offered(sender)
    assert [loan.loan_id for loan in found.loans] == [loan.loan_id for loan in notice.loans]


def test_a_claim_is_given_once(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL)
    with ledger.sender(run_id, Channel.EMAIL) as first, ledger.sender(run_id, Channel.EMAIL) as second:
        assert first.claim(ids(deliveries[:2])) == set(ids(deliveries[:2]))
        assert second.claim(ids(deliveries)) == {deliveries[2].delivery_id}
        assert first.claim(ids(deliveries)) == frozenset()


def test_many_senders_at_once_never_share_a_delivery(ledger: PostgresLedger) -> None:
    run_id, _ = a_run(ledger, Channel.SMS, 200)
    taken: list[frozenset[uuid.UUID]] = []

    def send() -> None:
        with ledger.sender(run_id, Channel.SMS) as sender:
            for page in sender.waiting(page_size=20):
                mine = sender.claim(ids(page))
                sender.record([answer(delivery_id, S.ACCEPTED) for delivery_id in mine])
                taken.append(mine)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [delivery_id for mine in taken for delivery_id in mine]
    assert len(every) == len(set(every)) == 200
    assert {state for state, _ in states(ledger).values()} == {"accepted"}
    assert rows(ledger, "SELECT DISTINCT attempts FROM deliveries") == [(1,)]


@pytest.mark.parametrize("wrong", ["run", "channel", "library", "unknown"])
def test_only_deliveries_of_this_run_channel_and_library_can_be_claimed(
    ledger: PostgresLedger, ledger_url: str, wrong: str
) -> None:
    _, deliveries = a_run(ledger, Channel.EMAIL, 1)
    with connect(ledger_url, library="other") as other:
        owner = other if wrong == "library" else ledger
        run = planned(owner, some_deliveries(1, prefix="X"), dag_run_id="run-2")
        run_id = run.run_id if wrong != "channel" else run.run_id - 1
        channel = Channel.SMS if wrong == "channel" else Channel.EMAIL
        claim = [uuid.uuid4()] if wrong == "unknown" else ids(deliveries)
        with owner.sender(run_id, channel) as sender:
            assert sender.claim(claim) == frozenset()
            sender.record([answer(claim[0], S.CANCELLED)])
    if wrong != "channel":
        assert states(ledger)[deliveries[0].delivery_id] == ("planned", None)


def test_receipts_and_claims_are_one_transaction(ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, (first, second, third) = a_run(ledger, Channel.SMS)
    with ledger.sender(run_id, Channel.SMS) as sender:
        sender.claim(ids([first]))
        receipt = answer(
            first, S.ACCEPTED, provider_id="sms-1", raw='{"status": 100, "x": "\x00"}', segments=2, cost=0.09
        )
        assert sender.record_and_claim([receipt], ids([second])) == {second.delivery_id}
        with monkeypatch.context() as patched:
            patched.setattr(sender_module, "encode_receipt", lambda one: {**encode_receipt(one), "state": "gone"})
            with pytest.raises(PermanentError):
                sender.record_and_claim([answer(second, S.ACCEPTED)], ids([third]))
        assert states(ledger) == {
            first.delivery_id: ("accepted", None),
            second.delivery_id: ("claimed", None),
            third.delivery_id: ("planned", None),
        }
        sender.record([answer(second, S.IN_DOUBT, Reason.NO_ANSWER)])
    query = "SELECT provider_id, raw, segments, CAST(cost AS float), attempts FROM deliveries WHERE delivery_id = :id"
    assert rows(ledger, query, id=first.delivery_id) == [("sms-1", '{"status": 100, "x": ""}', 2, 0.09, 1)]
    kept = rows(ledger, "SELECT delivery_id, state, provider_id, applied FROM receipts ORDER BY receipt_id")
    assert kept == [(first.delivery_id, "accepted", "sms-1", True), (second.delivery_id, "in_doubt", "", True)]


@pytest.mark.parametrize("state", [S.PLANNED, S.IN_DOUBT])
def test_what_came_back_is_not_offered_again_in_the_same_pass(ledger: PostgresLedger, state: S) -> None:
    run_id, _ = a_run(ledger, Channel.EMAIL, 4)
    reason = Reason.RECIPIENT_DEFERRED if state is S.PLANNED else Reason.NO_ANSWER
    seen: list[Delivery] = []
    with ledger.sender(run_id, Channel.EMAIL) as sender, ledger.sender(run_id, Channel.EMAIL) as rival:
        [listed] = rival.waiting()
        for page in sender.waiting(page_size=1):
            assert sender.claim(ids(page)) == set(ids(page))
            sender.record([answer(page[0], state, reason)])
            seen += page
            assert sender.claim(ids(seen)) == frozenset()
        assert seen == list(listed)
        assert rival.claim(ids(listed)) == frozenset()
        assert offered(rival) == seen
        assert rival.claim(ids(seen)) == set(ids(seen))


def test_a_deferred_delivery_is_offered_in_the_next_pass_then_given_up(ledger: PostgresLedger) -> None:
    run_id, (deferred, unsent, accepted) = a_run(ledger, Channel.EMAIL)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        [page] = sender.waiting()
        sender.claim(ids(page))
        receipts = [
            answer(deferred, S.PLANNED, Reason.RECIPIENT_DEFERRED),
            answer(unsent, S.PLANNED, Reason.NOT_SENT),
            answer(accepted, S.ACCEPTED),
        ]
        sender.record(receipts)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        assert offered(sender) == by_id([deferred, unsent])
        assert sender.fail_deferred() == 1
        assert sender.fail_deferred() == 0
        assert offered(sender) == [unsent]
    assert states(ledger)[deferred.delivery_id] == ("failed", "retries_exhausted")
    assert rows(ledger, "SELECT live FROM delivery_loans WHERE delivery_id = :id", id=deferred.delivery_id) == [
        (False,)
    ]
    last = "SELECT state, reason FROM receipts WHERE delivery_id = :id ORDER BY receipt_id DESC LIMIT 1"
    assert rows(ledger, last, id=deferred.delivery_id) == [("failed", "retries_exhausted")]


@pytest.mark.parametrize("place", range(4))
def test_put_off_since_the_last_acceptance_goes_by_the_order_of_answers_in_one_page_too(
    ledger: PostgresLedger, place: int
) -> None:
    """Answers that are recorded together have one time."""
    run_id, deliveries = a_run(ledger, Channel.EMAIL, 4)
    receipts = [answer(one, S.PLANNED, Reason.RECIPIENT_DEFERRED) for one in deliveries]
    receipts[place] = answer(deliveries[place], S.ACCEPTED)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries))
        sender.record(receipts)
        assert len(sender.put_off_since_last_accepted()) == 3 - place


def test_a_cancelled_delivery_is_not_offered(ledger: PostgresLedger) -> None:
    run_id, (returned, *others) = a_run(ledger, Channel.LETTER)
    with ledger.sender(run_id, Channel.LETTER) as sender:
        sender.record([answer(returned, S.CANCELLED, Reason.RETURNED)])
        assert offered(sender) == by_id(others)
        assert sender.claim(ids([returned])) == frozenset()


def test_a_dry_run_can_be_rehearsed_but_never_claimed(ledger: PostgresLedger) -> None:
    deliveries = some_deliveries(2)
    run = planned(ledger, deliveries, dry_run=True)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        assert offered(sender) == by_id(deliveries)
        assert sender.claim(ids(deliveries)) == frozenset()
        sender.record([answer(delivery, S.CANCELLED, Reason.DRY_RUN) for delivery in deliveries])
    assert ledger.close_run(run.run_id).problems() == ()


def a_batch(name: str = "lot-1", letters: int = 2) -> LetterBatch:
    return LetterBatch(name=name, pdf=f"{name}.pdf", csv=f"{name}.csv", letters=letters, pages=3, sha256="ab" * 32)


def test_a_batch_and_its_letters_are_recorded_together(ledger: PostgresLedger) -> None:
    run_id, (first, second, third) = a_run(ledger, Channel.LETTER)
    with ledger.sender(run_id, Channel.LETTER) as sender:
        sender.claim(ids([first, second, third]))
        printed = [answer(first, S.ACCEPTED), answer(second, S.ACCEPTED)]
        assert ledger.letters().batches_recorded(run_id) == 0
        sender.record_batch(a_batch(), printed)
        assert ledger.letters().batches_recorded(run_id) == 1
        with pytest.raises(PermanentError, check=saying("déjà dans le registre")):
            sender.record_batch(a_batch(letters=1), [answer(third, S.ACCEPTED)])
        sender.record([answer(third, S.REFUSED, Reason.NOT_RENDERED)])
    query = """
        SELECT delivery_id, name, letters, pages FROM deliveries JOIN letter_batches USING (batch_id)
        WHERE letter_batches.run_id = :run_id
    """
    assert sorted(rows(ledger, query, run_id=run_id)) == sorted(
        (delivery.delivery_id, "lot-1", 2, 3) for delivery in (first, second)
    )
    assert states(ledger)[third.delivery_id] == ("refused", "not_rendered")


def test_a_loan_whose_record_is_gone_is_said(ledger: PostgresLedger) -> None:
    delivery = a_delivery(notice=a_notice(loans=(a_loan(patron=a_patron(patron_id="SECRET")),)))
    run = planned(ledger, [delivery])
    rows(ledger, "DELETE FROM loans_seen")
    lost = pytest.raises(PermanentError, check=saying("perdu un prêt"))
    with ledger.sender(run.run_id, Channel.EMAIL) as sender, lost as caught:
        offered(sender)
    assert "SECRET" not in sentence(caught.value)
