"""Batches of letters in the ledger: their rows, who may be taken out of them, and that what is closed stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import LedgerUnavailable, PermanentError
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE
from tests.scenes.ledger_letters import a_batch, closed, drafted, events, followed
from tests.scenes.ledger_runs import answer, ids, planned, rows, some_deliveries, states
from tests.scenes.sentences import saying

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


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
        rows(ledger, "ALTER TABLE receipts ADD CONSTRAINT planted CHECK (state <> 'accepted')")
        try:
            with ledger.sender(run.run_id, R) as sender:
                sender.claim(ids(deliveries))
                with pytest.raises((PermanentError, LedgerUnavailable)):
                    sender.record_batch(a_batch(deliveries), [answer(deliveries[0], S.ACCEPTED)])
        finally:
            rows(ledger, "ALTER TABLE receipts DROP CONSTRAINT planted")
        for table in ("letter_batches", "letters", "registered_letters", "letter_events"):
            assert rows(ledger, f"SELECT * FROM {table}") == []

    def test_a_letter_is_never_in_two_closed_batches(self, ledger: PostgresLedger) -> None:
        run_id, batch_id, deliveries = closed(ledger)
        with (
            ledger.sender(run_id, R) as sender,
            pytest.raises(PermanentError, check=saying("déjà dans un lot clos")),
        ):
            sender.record_batch(a_batch(deliveries[:1], "another"))
        assert [letter.batch_id for letter in ledger.letters().letters_of(batch_id)] == [batch_id] * 3
        assert len(ledger.letters().batches()) == 1

    def test_a_name_is_used_once(self, ledger: PostgresLedger) -> None:
        run_id, _, _ = closed(ledger)
        with ledger.sender(run_id, R) as sender, pytest.raises(PermanentError, check=saying("de ce nom")):
            sender.record_batch(a_batch([], "lot-L"))

    def test_drafts_and_closed_batches_are_counted_apart(self, ledger: PostgresLedger) -> None:
        run_id, _, deliveries = drafted(ledger)

        def counted() -> tuple[int, int]:
            return ledger.letters().batches_recorded(run_id), ledger.drafts().drafts_recorded(run_id)

        with ledger.sender(run_id, R) as sender:
            assert counted() == (0, 1)
            sender.claim(ids(deliveries))
            sender.record_batch(a_batch(deliveries), [answer(one, S.ACCEPTED) for one in deliveries])
            assert counted() == (1, 1)


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
