"""Drafts of registered letters in the ledger, and what left before about the same loans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.letters.batches import EarlierReminder
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.domain.suppressions.suppression import SuppressionSource
from loan_reminders.ledger.json_codecs import decode_postal_address
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.suppressions.dead_addresses import mark_dead
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_letters import a_batch, close_batch, drafted, events, followed
from tests.scenes.ledger_runs import answer, ids, opened, planned, rows, states

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


class TestDrafts:
    def test_a_draft_claims_nothing(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, deliveries = drafted(ledger)
        assert set(states(ledger).values()) == {("planned", None)}
        assert followed(ledger) == {}
        assert ledger.planned_count(run_id, R) == 3
        assert [view.batch_id for view in ledger.drafts().drafts(run_id)] == [batch_id]
        letters = ledger.drafts().letters(run_id)
        assert [(one.delivery_id, one.documents, one.pages, one.waiting) for one in letters] == [
            (delivery_id, 1, 2, True) for delivery_id in ids(deliveries)
        ]
        assert [(act, who) for act, who, _, _ in events(ledger)] == [("drafted", "relances")]

    def test_nothing_is_approved_before_somebody_says_so(self, ledger: PostgresLedger) -> None:
        run_id, _, _ = drafted(ledger)
        assert ledger.drafts().approved(run_id) == frozenset()

    def test_what_is_approved_leaves_out_what_was_taken_out(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, deliveries = drafted(ledger)
        one, two, three = ids(deliveries)
        assert ledger.drafts().approve(run_id, taken_out=[two], who="biblio", detail="sur place") == 1
        assert ledger.drafts().approved(run_id) == {one, three}
        assert states(ledger)[two] == ("cancelled", "taken_out")
        assert events(ledger)[1:] == [("approved", "biblio", None, ""), ("taken_out", "biblio", two, "sur place")]
        view = ledger.letters().batch(batch_id)
        assert view is not None
        assert (view.state, view.left_out) == ("draft", 1)

    def test_a_refusal_cancels_what_waits_and_says_who(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, _ = drafted(ledger)
        assert ledger.drafts().refuse(run_id, who="biblio", detail="vacances") == 3
        assert set(states(ledger).values()) == {("cancelled", "not_approved")}
        assert events(ledger)[1:] == [("not_approved", "biblio", None, "vacances")]
        view = ledger.letters().batch(batch_id)
        assert view is not None
        assert view.state == "abandoned"
        assert ledger.drafts().abandoned(run_id) == ("a-valider/lot",)
        assert ledger.drafts().drafts(run_id) == ()

    def test_a_refusal_cancels_what_a_printing_that_died_had_in_hand(self, ledger: PostgresLedger) -> None:
        run_id, _, deliveries = drafted(ledger)
        with ledger.sender(run_id, R) as killed:
            killed.claim(ids(deliveries[:2]))
        assert ledger.drafts().refuse(run_id, who="biblio", detail="vacances") == 3
        assert set(states(ledger).values()) == {("cancelled", "not_approved")}

    def test_a_refusal_leaves_what_is_being_printed(self, ledger: PostgresLedger) -> None:
        run_id, _, deliveries = drafted(ledger)
        with ledger.sender(run_id, R) as alive:
            alive.claim(ids(deliveries[:2]))
            assert ledger.drafts().refuse(run_id, who="biblio", detail="vacances") == 1

    def test_a_letter_to_an_address_that_died_meanwhile_is_marked_in_its_draft(self, ledger: PostgresLedger) -> None:
        run_id, draft_id, _ = drafted(ledger, 1)
        [row] = rows(ledger, "SELECT recipient FROM deliveries")
        with ledger.engine.begin() as connection:
            mark_dead(
                connection, "demo", [decode_postal_address(row.recipient)],
                since=datetime.now(UTC), source=SuppressionSource.LIBRARIAN,
            )  # fmt: skip
        ledger.drafts().abandon(run_id)
        assert [letter.left_out for letter in ledger.letters().letters_of(draft_id)] == [Reason.DEAD_ADDRESS]

    def test_a_letter_leaves_its_draft_for_the_batch_it_is_printed_in(self, ledger: PostgresLedger) -> None:
        run_id, draft_id, deliveries = drafted(ledger)
        ledger.drafts().approve(run_id, taken_out=[], who="biblio")
        with ledger.sender(run_id, R) as sender:
            sender.drop({LoanKey(loan_id="L2", due_date=DUE_DATE): Reason.RETURNED})
            sender.claim(ids(deliveries[:2]))
            batch_id = sender.record_batch(a_batch(deliveries[:2]), [answer(one, S.ACCEPTED) for one in deliveries[:2]])
        assert ledger.drafts().abandon(run_id) == 1
        assert [letter.delivery_id for letter in ledger.letters().letters_of(batch_id)] == ids(deliveries[:2])
        (left,) = ledger.letters().letters_of(draft_id)
        assert (left.delivery_id, left.left_out) == (deliveries[2].delivery_id, Reason.RETURNED)
        assert ("left_out", "relances", deliveries[2].delivery_id, "") in events(ledger)
        letter = ledger.letters().letter("REF-PL0")
        assert letter is not None
        assert letter.batch_id == batch_id

    def test_a_newer_draft_takes_the_letters_of_the_older(self, ledger: PostgresLedger) -> None:
        run_id, old, deliveries = drafted(ledger)
        ledger.drafts().approve(run_id, taken_out=[], who="biblio")
        with ledger.sender(run_id, R) as sender:
            new = sender.record_batch(a_batch(deliveries, "a-valider/lot-2", draft=True))
        assert ledger.drafts().abandon(run_id, keep=["a-valider/lot-2"]) == 1
        assert [view.batch_id for view in ledger.drafts().drafts(run_id)] == [new]
        assert ledger.letters().letters_of(old) == ()
        assert ledger.drafts().approved(run_id) == frozenset()

    def test_letters_another_run_took_over_are_not_this_drafts_to_print(self, ledger: PostgresLedger) -> None:
        run_id, _, deliveries = drafted(ledger, 2)
        later = opened(ledger, stage=Stage.REGISTERED_LETTER, dag_run_id="later")
        ledger.record_loans(later.run_id, [one.loans[0] for one in deliveries])
        ledger.finish_extraction(later.run_id, 2)
        with ledger.planning(later.run_id) as planning:
            assert planning.adopt([LoanKey(loan_id="L0", due_date=DUE_DATE)]) == 1
        assert [letter.waiting for letter in ledger.drafts().letters(run_id)] == [False, True]
        assert ledger.drafts().approve(run_id, taken_out=ids(deliveries), who="x", detail="x") == 1
        assert states(ledger)[deliveries[0].delivery_id] == ("planned", None)


class TestEarlierReminders:
    @staticmethod
    def told(
        ledger: PostgresLedger, stage: Stage, channel: Channel, state: DeliveryState, when: str, number: int = 0
    ) -> None:
        loan = a_loan(loan_id="L1", patron=a_patron(patron_id="P1"))
        delivery = a_delivery(channel=channel, notice=a_notice(stage=stage, loans=(loan,)))
        run = planned(ledger, [delivery], stage=stage, dag_run_id=f"{stage} {channel} {number}")
        with ledger.sender(run.run_id, channel) as sender:
            sender.claim(ids([delivery]))
            before = [S.ACCEPTED] if state is S.DELIVERED else []
            for one in (*before, state):
                sender.record([answer(delivery, one)])
        rows(
            ledger,
            "UPDATE deliveries SET claimed_at = CAST(:at AS timestamptz) WHERE delivery_id = :id",
            at=when, id=delivery.delivery_id,
        )  # fmt: skip

    @staticmethod
    def earlier(ledger: PostgresLedger) -> tuple[EarlierReminder, ...]:
        loan = a_loan(loan_id="L1", patron=a_patron(patron_id="P1"))
        delivery = a_delivery(channel=R, notice=a_notice(stage=Stage.REGISTERED_LETTER, loans=(loan,)))
        run = planned(ledger, [delivery], stage=Stage.REGISTERED_LETTER, dag_run_id="now")
        with ledger.sender(run.run_id, R) as sender:
            (page,) = sender.waiting()
            return sender.earlier_reminders(page, zone="Europe/Paris").get(delivery.delivery_id, ())

    def test_what_left_is_told_oldest_first_with_its_day_in_the_librarys_zone(self, ledger: PostgresLedger) -> None:
        self.told(ledger, Stage.FIRST_REMINDER, Channel.EMAIL, S.ACCEPTED, "2026-12-04 10:00+01")
        self.told(ledger, Stage.OVERDUE_NOTICE, Channel.EMAIL, S.ACCEPTED, "2026-11-26 23:30+00")
        self.told(ledger, Stage.OVERDUE_NOTICE, Channel.SMS, S.DELIVERED, "2026-11-27 10:00+01")
        found = [(one.stage, one.channel, one.left_on.isoformat()) for one in self.earlier(ledger)]
        assert found == [
            (Stage.OVERDUE_NOTICE, Channel.EMAIL, "2026-11-27"),
            (Stage.OVERDUE_NOTICE, Channel.SMS, "2026-11-27"),
            (Stage.FIRST_REMINDER, Channel.EMAIL, "2026-12-04"),
        ]

    @pytest.mark.parametrize("state", [S.REFUSED, S.IN_DOUBT, S.FAILED, S.PLANNED])
    def test_what_did_not_leave_for_sure_is_not_told(self, ledger: PostgresLedger, state: DeliveryState) -> None:
        self.told(ledger, Stage.FIRST_REMINDER, Channel.EMAIL, state, "2026-12-04 10:00+01")
        assert self.earlier(ledger) == ()

    def letter_of_the_first_reminder(self, ledger: PostgresLedger) -> int:
        """The reader's letter in a batch closed on the 4th, which waits for the printer; the batch."""
        loan = a_loan(loan_id="L1", patron=a_patron(patron_id="P1"))
        delivery = a_delivery(channel=L, notice=a_notice(stage=Stage.FIRST_REMINDER, loans=(loan,)))
        _, batch_id = close_batch(ledger, [delivery], a_batch([delivery]), dag_run_id="first")
        rows(ledger, "UPDATE letter_batches SET at = '2026-12-04 08:00+01' WHERE batch_id = :id", id=batch_id)
        return batch_id

    def test_a_letter_left_the_day_its_batch_was_printed(self, ledger: PostgresLedger) -> None:
        batch_id = self.letter_of_the_first_reminder(ledger)
        ledger.letters().mark_printed(batch_id, who="zoé")
        rows(ledger, "UPDATE letter_batches SET printed_at = '2026-12-07 23:30+00' WHERE batch_id = :id", id=batch_id)
        (reminder,) = self.earlier(ledger)
        assert (reminder.channel, reminder.left_on.isoformat()) == (L, "2026-12-08")

    def test_a_letter_that_nobody_printed_is_not_told(self, ledger: PostgresLedger) -> None:
        self.letter_of_the_first_reminder(ledger)
        assert self.earlier(ledger) == ()

    def test_a_letter_left_out_before_its_batch_was_printed_is_not_told(self, ledger: PostgresLedger) -> None:
        batch_id = self.letter_of_the_first_reminder(ledger)
        (letter,) = ledger.letters().letters_of(batch_id)
        ledger.letters().leave_out(batch_id, {letter.delivery_id: Reason.TAKEN_OUT}, who="zoé", detail="x")
        ledger.letters().mark_printed(batch_id, who="zoé")
        assert self.earlier(ledger) == ()

    def test_another_cycle_of_the_same_loan_is_not_told(self, ledger: PostgresLedger) -> None:
        old = a_loan(loan_id="L1", due_date=DUE_DATE - timedelta(days=30), patron=a_patron(patron_id="P1"))
        delivery = a_delivery(notice=a_notice(stage=Stage.FIRST_REMINDER, loans=(old,)))
        run = planned(ledger, [delivery], stage=Stage.FIRST_REMINDER, dag_run_id="old")
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(ids([delivery]))
            sender.record([answer(delivery, S.ACCEPTED)])
        assert self.earlier(ledger) == ()
