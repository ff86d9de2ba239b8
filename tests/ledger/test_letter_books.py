"""Batches of letters in the ledger: their rows, who may be taken out of them, and that what is closed stays."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from loan_reminders.domain.errors import LedgerUnavailable, PermanentError
from loan_reminders.domain.letters import BatchState, EarlierReminder
from loan_reminders.domain.messages import LetterBatch, PlacedLetter
from loan_reminders.domain.notices import Delivery, LoanKey
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.ledger.scenes import answer, ids, opened, planned, rows, some_deliveries, states

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


def a_batch(deliveries: Sequence[Delivery], name: str = "lot", *, draft: bool = False, **changes: Any) -> LetterBatch:
    placed = tuple(
        PlacedLetter(
            delivery_id=delivery.delivery_id,
            reference=f"REF-{delivery.notice.patron.patron_id}",
            volume=1,
            first_page=2 * number - 1,
            last_page=2 * number,
        )
        for number, delivery in enumerate(deliveries, start=1)
    )
    values: dict[str, Any] = {
        "name": name, "pdf": f"{name}/lettres.pdf", "csv": f"{name}/destinataires.csv", "letters": len(placed),
        "pages": 2 * len(placed), "sha256": "0" * 64, "draft": draft, "placed": placed,
    }  # fmt: skip
    return LetterBatch(**{**values, **changes})


def closed(
    ledger: PostgresLedger, count: int = 3, *, channel: Channel = R, prefix: str = "L", **changes: Any
) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in one closed batch: run, batch, deliveries."""
    deliveries = some_deliveries(count, channel=channel, prefix=prefix)
    run = planned(ledger, deliveries, stage=deliveries[0].notice.stage, dag_run_id=f"run {prefix}")
    with ledger.sender(run.run_id, channel) as sender:
        sender.exchange([], ids(deliveries))
        batch = a_batch(deliveries, f"lot-{prefix}", **changes)
        batch_id = sender.record_batch(batch, [answer(one, S.ACCEPTED) for one in deliveries])
    return run.run_id, batch_id, deliveries


def drafted(ledger: PostgresLedger, count: int = 3) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in a draft and wait."""
    deliveries = some_deliveries(count, channel=R)
    run = planned(ledger, deliveries, stage=Stage.REGISTERED_LETTER)
    with ledger.sender(run.run_id, R) as sender:
        batch_id = sender.record_batch(a_batch(deliveries, "a-valider/lot", draft=True), [])
    return run.run_id, batch_id, deliveries


def events(ledger: PostgresLedger) -> list[tuple[str, str, uuid.UUID | None, str]]:
    found = rows(ledger, "SELECT act, who, delivery_id, detail FROM letter_events ORDER BY event_id")
    return [tuple(row) for row in found]


def followed(ledger: PostgresLedger) -> dict[uuid.UUID, str]:
    return dict(map(tuple, rows(ledger, "SELECT delivery_id, state FROM registered_letters")))


class TestClosing:
    def test_a_batch_says_what_is_in_it(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, deliveries = closed(
            ledger, more_pdfs=("lot-L/lettres-2.pdf",), slip="lot-L/bordereau.pdf", branch="SJA"
        )
        books = ledger.letters()
        view = books.batch(batch_id)
        assert view is not None
        assert (view.run_id, view.stage, view.kind, view.state) == (run_id, Stage.REGISTERED_LETTER, R, "ready")
        assert view.reference_date == DUE_DATE + timedelta(days=1)
        assert view.pdfs == ("lot-L/lettres.pdf", "lot-L/lettres-2.pdf")
        assert (view.csv, view.slip, view.branch) == ("lot-L/destinataires.csv", "lot-L/bordereau.pdf", "SJA")
        assert (view.letters, view.pages, view.left_out) == (3, 6, 0)
        assert (view.printed_at, view.printed_by) == (None, "")
        letters = books.letters_of(batch_id)
        assert [letter.delivery_id for letter in letters] == ids(deliveries)
        first = letters[0]
        assert (first.patron_id, first.patron_name) == ("PL0", deliveries[0].notice.patron.name)
        assert first.recipient == deliveries[0].recipient
        assert isinstance(first.recipient, PostalAddress)
        assert first.loans == (LoanKey(loan_id="L0", due_date=DUE_DATE),)
        assert (first.position, first.volume, first.first_page, first.last_page) == (1, 1, 1, 2)
        assert first.left_out is None

    @pytest.mark.parametrize(("channel", "number"), [(R, 3), (L, 0)])
    def test_only_registered_letters_are_followed(self, ledger: PostgresLedger, channel: Channel, number: int) -> None:
        closed(ledger, channel=channel)
        assert list(followed(ledger).values()) == ["to_print"] * number
        assert [(act, who) for act, who, _, _ in events(ledger)] == [("closed", "relances")]

    def test_a_batch_whose_receipts_cannot_be_kept_leaves_no_row(self, ledger: PostgresLedger) -> None:
        deliveries = some_deliveries(2, channel=R)
        run = planned(ledger, deliveries, stage=Stage.REGISTERED_LETTER)
        with ledger.sender(run.run_id, R) as sender:
            sender.exchange([], ids(deliveries))
            impossible = answer(deliveries[0], S.ACCEPTED, segments=1 << 40)
            with pytest.raises((PermanentError, LedgerUnavailable)):
                sender.record_batch(a_batch(deliveries), [impossible])
        for table in ("letter_batches", "letters", "registered_letters", "letter_events"):
            assert rows(ledger, f"SELECT * FROM {table}") == []

    def test_a_letter_is_never_in_two_closed_batches(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, deliveries = closed(ledger)
        with (
            ledger.sender(run_id, R) as sender,
            pytest.raises(PermanentError, match="déjà dans un lot clos"),
        ):
            sender.record_batch(a_batch(deliveries[:1], "another"), [])
        assert [letter.batch_id for letter in ledger.letters().letters_of(batch_id)] == [batch_id] * 3
        assert len(ledger.letters().batches()) == 1

    def test_a_name_is_used_once(self, ledger: PostgresLedger) -> None:
        run_id, _, _ = closed(ledger)
        with ledger.sender(run_id, R) as sender, pytest.raises(PermanentError, match="de ce nom"):
            sender.record_batch(a_batch([], "lot-L"), [])

    def test_drafts_and_closed_batches_are_counted_apart(self, ledger: PostgresLedger) -> None:
        run_id, _, deliveries = drafted(ledger)
        with ledger.sender(run_id, R) as sender:
            assert (sender.batches_recorded(), sender.batches_recorded(drafts=True)) == (0, 1)
            sender.exchange([], ids(deliveries))
            sender.record_batch(a_batch(deliveries), [answer(one, S.ACCEPTED) for one in deliveries])
            assert (sender.batches_recorded(), sender.batches_recorded(drafts=True)) == (1, 1)


class TestReading:
    def test_the_newest_batches_come_first_of_the_states_asked(self, ledger: PostgresLedger) -> None:
        one, two, three = (closed(ledger, prefix=prefix)[1] for prefix in "ABC")
        books = ledger.letters()
        books.mark_printed(two, who="biblio")
        assert [view.batch_id for view in books.batches()] == [three, two, one]
        assert [view.batch_id for view in books.batches(limit=1)] == [three]
        assert [view.batch_id for view in books.batches(states=[BatchState.READY])] == [three, one]
        assert [view.batch_id for view in books.batches(states=[BatchState.DRAFT])] == []

    def test_a_letter_is_found_by_its_reference(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        letter = ledger.letters().letter("REF-PL1")
        assert letter is not None
        assert (letter.delivery_id, letter.batch_id) == (deliveries[1].delivery_id, batch_id)

    def test_what_is_not_there_is_none(self, ledger: PostgresLedger) -> None:
        books = ledger.letters()
        assert (books.batch(99), books.letter("REF\x00"), books.letters_of(99)) == (None, None, ())

    def test_another_library_sees_nothing(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        books = PostgresLedger(ledger.engine, library="other").letters()
        assert (books.batch(batch_id), books.batches(), books.letters_of(batch_id)) == (None, (), ())
        assert books.letter("REF-PL1") is None
        assert not books.mark_printed(batch_id, who="x")
        assert books.leave_out(batch_id, {deliveries[0].delivery_id: Reason.TAKEN_OUT}, who="x") == 0
        books.note_copy(batch_id, None, who="x")
        assert len(events(ledger)) == 1


class TestLeavingOut:
    def test_a_letter_left_out_is_cancelled_and_its_loans_are_free(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        one, two, three = ids(deliveries)
        reasons = {one: Reason.RETURNED, two: Reason.TAKEN_OUT}
        assert ledger.letters().leave_out(batch_id, reasons, who="biblio", detail="décès") == 2
        assert states(ledger) == {
            one: ("cancelled", "returned"), two: ("cancelled", "taken_out"), three: ("accepted", None),
        }  # fmt: skip
        view = ledger.letters().batch(batch_id)
        assert view is not None
        assert (view.left_out, view.letters, view.state) == (2, 3, "ready")
        letters = ledger.letters().letters_of(batch_id)
        assert [letter.left_out for letter in letters] == [Reason.RETURNED, Reason.TAKEN_OUT, None]
        assert [len(letter.loans) for letter in letters] == [1, 1, 1]
        assert set(followed(ledger)) == {three}
        assert sorted(events(ledger)[1:]) == sorted(
            [("left_out", "biblio", one, "décès"), ("taken_out", "biblio", two, "décès")]
        )
        live = rows(ledger, "SELECT delivery_id FROM delivery_loans WHERE live")
        assert [delivery_id for (delivery_id,) in live] == [three]

    def test_leaving_out_twice_counts_once(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        books, asked = ledger.letters(), {deliveries[0].delivery_id: Reason.RENEWED}
        assert [books.leave_out(batch_id, asked, who="a") for _ in range(2)] == [1, 0]
        view = books.batch(batch_id)
        assert view is not None
        assert view.left_out == 1

    def test_a_printed_batch_never_changes(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        books = ledger.letters()
        assert books.mark_printed(batch_id, who="biblio")
        assert books.leave_out(batch_id, {deliveries[0].delivery_id: Reason.RETURNED}, who="x") == 0
        assert set(states(ledger).values()) == {("accepted", None)}

    def test_a_draft_is_not_a_closed_batch(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = drafted(ledger)
        books = ledger.letters()
        assert books.leave_out(batch_id, {deliveries[0].delivery_id: Reason.RETURNED}, who="x") == 0
        assert not books.mark_printed(batch_id, who="x")
        assert set(states(ledger).values()) == {("planned", None)}

    def test_letters_of_another_batch_stay(self, ledger: PostgresLedger) -> None:
        _, one, _ = closed(ledger, prefix="A")
        _, _, others = closed(ledger, prefix="B")
        assert ledger.letters().leave_out(one, {others[0].delivery_id: Reason.RETURNED}, who="x") == 0
        assert ledger.letters().leave_out(one, {}, who="x") == 0


class TestPrinting:
    def test_a_batch_goes_to_the_printer_once(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        books = ledger.letters()
        books.leave_out(batch_id, {deliveries[0].delivery_id: Reason.TAKEN_OUT}, who="x", detail="erreur")
        assert [books.mark_printed(batch_id, who=who) for who in ("biblio", "other")] == [True, False]
        view = books.batch(batch_id)
        assert view is not None
        assert (view.state, view.printed_by, view.printed_at is not None) == ("printed", "biblio", True)
        assert followed(ledger) == dict.fromkeys(ids(deliveries[1:]), "printed")
        assert [(act, who) for act, who, _, _ in events(ledger)][-1] == ("printed", "biblio")

    def test_copies_are_kept_in_the_trace(self, ledger: PostgresLedger) -> None:
        _, batch_id, deliveries = closed(ledger)
        ledger.letters().note_copy(batch_id, None, who="a")
        ledger.letters().note_copy(batch_id, deliveries[1].delivery_id, who="b")
        assert events(ledger)[1:] == [("copied", "a", None, ""), ("copied", "b", deliveries[1].delivery_id, "")]


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

    def test_a_letter_leaves_its_draft_for_the_batch_it_is_printed_in(self, ledger: PostgresLedger) -> None:
        run_id, draft_id, deliveries = drafted(ledger)
        ledger.drafts().approve(run_id, taken_out=[], who="biblio")
        with ledger.sender(run_id, R) as sender:
            sender.drop({LoanKey(loan_id="L2", due_date=DUE_DATE): Reason.RETURNED})
            sender.exchange([], ids(deliveries[:2]))
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
            new = sender.record_batch(a_batch(deliveries, "a-valider/lot-2", draft=True), [])
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
            sender.exchange([], ids([delivery]))
            before = [S.ACCEPTED] if state is S.DELIVERED else []
            for one in (*before, state):
                sender.exchange([answer(delivery, one)], [])
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
            return sender.earlier(page, zone="Europe/Paris").get(delivery.delivery_id, ())

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

    def test_a_letter_left_the_day_its_batch_was_closed(self, ledger: PostgresLedger) -> None:
        loan = a_loan(loan_id="L1", patron=a_patron(patron_id="P1"))
        delivery = a_delivery(channel=L, notice=a_notice(stage=Stage.FIRST_REMINDER, loans=(loan,)))
        run = planned(ledger, [delivery], stage=Stage.FIRST_REMINDER, dag_run_id="first")
        with ledger.sender(run.run_id, L) as sender:
            sender.exchange([], ids([delivery]))
            batch_id = sender.record_batch(a_batch([delivery]), [answer(delivery, S.ACCEPTED)])
        rows(ledger, "UPDATE letter_batches SET at = '2026-12-05 08:00+01' WHERE batch_id = :id", id=batch_id)
        (reminder,) = self.earlier(ledger)
        assert (reminder.channel, reminder.left_on.isoformat()) == (L, "2026-12-05")
        ledger.letters().leave_out(batch_id, {delivery.delivery_id: Reason.TAKEN_OUT}, who="x")

    def test_another_cycle_of_the_same_loan_is_not_told(self, ledger: PostgresLedger) -> None:
        old = a_loan(loan_id="L1", due_date=DUE_DATE - timedelta(days=30), patron=a_patron(patron_id="P1"))
        delivery = a_delivery(notice=a_notice(stage=Stage.FIRST_REMINDER, loans=(old,)))
        run = planned(ledger, [delivery], stage=Stage.FIRST_REMINDER, dag_run_id="old")
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.exchange([], ids([delivery]))
            sender.exchange([answer(delivery, S.ACCEPTED)], [])
        assert self.earlier(ledger) == ()
