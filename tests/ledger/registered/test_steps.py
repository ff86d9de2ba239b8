"""Registered letters in the ledger: their steps, their trace, and two librarians at once."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import event

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.ports.registered import NumberLine, StepTaken
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.french.refusals import sentence
from tests.scenes.ledger_registered import (
    MONDAY,
    ONE,
    THREE,
    TWO,
    acknowledge,
    in_a_batch,
    note_return,
    number,
    post,
    ref,
    take,
    trace,
)
from tests.scenes.ledger_runs import rows

S = RegisteredState


def refusal(ledger, step, **about):
    with pytest.raises(LetterStepRefused) as refused:
        ledger.registered().take(step, who="zoé", **about)
    return refused.value.code, sentence(refused.value)


def life(ledger, delivery):
    letter, _ = ledger.registered().letter(delivery.delivery_id)
    return letter.life


def last_event(ledger, delivery):
    return ledger.registered().letter(delivery.delivery_id)[1][-1].event_id


class TestSteps:
    def test_a_letter_goes_all_the_way_and_each_step_says_who_and_what_was_before(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), who="zoé")
        take(ledger, ref(0), post(), who="léo")
        ledger.registered().take(acknowledge(), number=ONE, who="ana")
        assert [(act, who, before["state"], after["state"]) for act, who, before, after in trace(ledger, letter)] == [
            ("numbered", "zoé", "printed", "numbered"),
            ("posted", "léo", "numbered", "posted"),
            ("acknowledged", "ana", "posted", "acknowledged"),
        ]
        assert life(ledger, letter).acknowledged_on == MONDAY
        _, events = ledger.registered().letter(letter.delivery_id)
        assert [(event.act, event.of_letter) for event in events][:2] == [("closed", False), ("printed", False)]

    @pytest.mark.parametrize(
        ("setup", "step", "code"),
        [((), post(), "no_number"), ((number(ONE),), acknowledge(), "not_posted"), ((), note_return(), "no_number")],
    )
    def test_a_step_out_of_order_changes_nothing(self, ledger, setup, step, code):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), *setup)
        before = trace(ledger, letter)
        assert refusal(ledger, step, reference=ref(0))[0] == code
        assert trace(ledger, letter) == before

    def test_a_letter_not_printed_yet_takes_no_number(self, ledger):
        in_a_batch(ledger, printed=False)
        assert refusal(ledger, number(ONE), reference=ref(0))[0] == "not_printed"

    def test_a_letter_left_out_leaves_the_life(self, ledger):
        batch_id, [letter, _] = in_a_batch(ledger, printed=False)
        ledger.letters().leave_out(batch_id, {letter.delivery_id: Reason.RETURNED}, who="zoé")
        ledger.letters().mark_printed(batch_id, who="zoé")
        assert refusal(ledger, number(ONE), reference=ref(0))[0] == "left_out"
        assert sum(ledger.registered().counts().values()) == 1

    def test_letters_nobody_knows_ordinary_ones_and_other_libraries(self, ledger, ledger_url):
        from loan_reminders.ledger.connect import connect

        in_a_batch(ledger)
        in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
        assert refusal(ledger, number(ONE), reference="R3-0")[0] == "unknown_reference"
        assert refusal(ledger, post(), number=ONE)[0] == "unknown_number"
        assert refusal(ledger, number(ONE), reference=ref(0, "S"))[0] == "not_registered"
        with connect(ledger_url, library="other") as other:
            assert refusal(other, number(ONE), reference=ref(0))[0] == "unknown_reference"
            assert sum(other.registered().counts().values()) == 0

    def test_one_reference_for_two_letters_is_not_guessed(self, ledger):
        in_a_batch(ledger)
        rows(ledger, "UPDATE letters SET reference = :it", it=ref(0))
        assert refusal(ledger, number(ONE), reference=ref(0))[0] == "ambiguous"

    def test_the_same_step_twice_is_one_step(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        assert ledger.registered().take(number(ONE), reference=ref(0), who="zoé").changed
        assert not ledger.registered().take(number(ONE), reference=ref(0), who="zoé").changed
        assert len(trace(ledger, letter)) == 1

    def test_a_batch_is_posted_at_once_but_for_those_without_a_number(self, ledger):
        batch_id, letters = in_a_batch(ledger, 3)
        take(ledger, ref(0), number(ONE))
        take(ledger, ref(2), number(TWO))
        [waiting] = ledger.registered().batches_to_post()
        assert (waiting.batch_id, waiting.numbered, waiting.without_number) == (batch_id, 2, 1)
        done = ledger.registered().post_batch(batch_id, post(), who="zoé")
        assert (done.posted, list(done.refused)) == (2, [ref(1)])
        assert [life(ledger, letter).state for letter in letters] == [S.POSTED, S.PRINTED, S.POSTED]
        assert ledger.registered().post_batch(batch_id, post(), who="zoé").posted == 0
        with pytest.raises(LetterStepRefused):
            ledger.registered().post_batch(batch_id + 1, post(), who="zoé")


class TestNumbers:
    def test_a_number_used_twice_is_refused_with_the_other_letters_reference(self, ledger):
        in_a_batch(ledger)
        take(ledger, ref(0), number(ONE))
        code, words = refusal(ledger, number(ONE), reference=ref(1))
        assert (code, ref(0) in words, "1A 000 000 0001 1" in words) == ("number_taken", True, True)

    def test_two_librarians_attach_the_same_number_at_once(self, ledger):
        in_a_batch(ledger)
        together = threading.Barrier(2)

        def attach(which):
            together.wait(timeout=20)
            try:
                return ledger.registered().take(number(ONE), reference=ref(which), who=f"p{which}").reference
            except LetterStepRefused as refused:
                return refused.code

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(attach, (0, 1)))
        assert sorted(outcomes, key=str.islower) in ([ref(0), "number_taken"], [ref(1), "number_taken"])
        assert rows(ledger, "SELECT count(*) FROM registered_letters WHERE tracking_number = :n", n=ONE)[0][0] == 1

    def test_two_librarians_number_the_same_letter_at_once(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        together = threading.Barrier(2)

        def attach(text):
            together.wait(timeout=20)
            try:
                return ledger.registered().take(number(text), reference=ref(0), who="zoé").changed
            except LetterStepRefused as refused:
                return refused.code

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(attach, (ONE, TWO)))
        assert set(outcomes) == {True, "already_numbered"}
        assert len(trace(ledger, letter)) == 1

    def test_two_files_with_the_same_numbers_crossed_wait_for_each_other(self, ledger):
        in_a_batch(ledger, 4)
        together = threading.Barrier(2)

        def load(pairs):
            together.wait(timeout=20)
            return ledger.registered().attach_all([a_line(*pair) for pair in pairs], who="zoé")

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(load, ([(0, ONE), (1, TWO)], [(2, TWO), (3, ONE)])))
        good = [[isinstance(one, StepTaken) for one in outcome] for outcome in outcomes]
        assert sorted(good) == [[False, False], [True, True]]

    def test_a_file_keeps_the_good_lines_and_tells_the_others(self, ledger):
        in_a_batch(ledger, 3)
        lines = [a_line(0, ONE), a_line(1, ONE), a_line(9, TWO), a_line(0, TWO), a_line(2, THREE), a_line(2, THREE)]
        outcomes = ledger.registered().attach_all(lines, who="zoé")
        told = [one.changed if isinstance(one, StepTaken) else one.code for one in outcomes]
        assert told == [True, "number_taken", "unknown_reference", "already_numbered", True, False]
        again = ledger.registered().attach_all([lines[0], lines[4]], who="zoé")
        assert [one.changed for one in again] == [False, False]
        assert rows(ledger, "SELECT count(*) FROM letter_events WHERE act = 'numbered'")[0][0] == 2


def a_line(which, text):
    return NumberLine(line=which + 2, reference=ref(which), number=TrackingNumber.parse(text))


class TestUndoing:
    def test_steps_are_undone_from_the_last_and_the_trace_stays(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post(), acknowledge())
        for state in (S.POSTED, S.NUMBERED, S.PRINTED):
            assert ledger.registered().undo(letter.delivery_id, who="ana").changed
            assert life(ledger, letter).state is state
        assert (life(ledger, letter).tracking_number, life(ledger, letter).posted_on) == (None, None)
        acts = [(act, who) for act, who, _, _ in trace(ledger, letter)]
        assert acts == [(act, "zoé") for act in ("numbered", "posted", "acknowledged")] + [("undone", "ana")] * 3
        with pytest.raises(LetterStepRefused) as refused:
            ledger.registered().undo(letter.delivery_id, who="ana")
        assert refused.value.code == "printing_stays"

    def test_a_number_given_back_may_go_to_another_letter(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE))
        ledger.registered().undo(letter.delivery_id, who="ana")
        take(ledger, ref(1), number(ONE))

    def test_an_old_page_undoes_nothing_that_came_since(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE))
        old = last_event(ledger, letter)
        take(ledger, ref(0), post())
        with pytest.raises(LetterStepRefused) as refused:
            ledger.registered().undo(letter.delivery_id, who="ana", event_id=old)
        assert (refused.value.code, life(ledger, letter).state) == ("not_the_last", S.POSTED)

    def test_a_letter_nobody_knows_has_nothing_to_undo(self, ledger):
        with pytest.raises(LetterStepRefused):
            ledger.registered().undo(uuid.uuid4(), who="ana")
        assert ledger.registered().letter(uuid.uuid4()) is None


class TestReading:
    def test_counts_states_and_search(self, ledger):
        in_a_batch(ledger, 3)
        in_a_batch(ledger, 2, prefix="N", printed=False)
        take(ledger, ref(0), number(ONE), post())
        take(ledger, ref(1), number(TWO))
        books = ledger.registered()
        counts = {state: count for state, count in books.counts().items() if count}
        assert counts == {S.TO_PRINT: 2, S.PRINTED: 1, S.NUMBERED: 1, S.POSTED: 1}
        assert [letter.reference for letter in books.in_state(S.TO_PRINT)] == [ref(0, "N"), ref(1, "N")]
        assert [letter.reference for letter in books.in_state(S.NUMBERED)] == [ref(1)]
        for wanted in (ref(0), ONE, "PL0", "21000L0"):
            [letter] = books.search([wanted])
            assert (letter.reference, letter.patron_name) == (ref(0), "Lecteur L0")
        assert books.search(["rien"]) == ()

    def test_overdue_acknowledgements_come_the_oldest_first(self, ledger):
        in_a_batch(ledger, 4)
        for which, (text, day) in enumerate([(ONE, 20), (TWO, 18), (THREE, 21), ("1A00000000033", 19)]):
            take(ledger, ref(which), number(text), post(date(2026, 12, day)))
        take(ledger, ref(3), acknowledge())
        found = ledger.registered().overdue(posted_before=MONDAY)
        assert [letter.reference for letter in found] == [ref(1), ref(0)]


class TestManyAtOnce:
    @pytest.fixture
    def counted(self, ledger):
        """How many statements the ledger is asked within a call."""

        def count(call):
            asked = []
            listener = lambda *said: asked.append(said[2])  # noqa: E731
            event.listen(ledger.engine, "before_cursor_execute", listener)
            try:
                return call(), len(asked)
            finally:
                event.remove(ledger.engine, "before_cursor_execute", listener)

        return count

    def lines(self, count):
        numbers = [TrackingNumber.parse(f"1A{place:011d}") for place in range(count)]
        good = [NumberLine(line=place, reference=ref(place), number=number) for place, number in enumerate(numbers)]
        return [*good, *(NumberLine(line=0, reference=f"NOBODY-{one.value}", number=one) for one in numbers)]

    def test_a_file_of_numbers_takes_as_many_statements_as_a_short_one(self, ledger, counted):
        batch_id, _ = in_a_batch(ledger, 300)
        ledger.registered().counts()
        few, statements = counted(lambda: ledger.registered().attach_all(self.lines(2), who="zoé"))
        assert [isinstance(one, StepTaken) for one in few] == [True, True, False, False]
        many, same = counted(lambda: ledger.registered().attach_all(self.lines(300), who="zoé"))
        assert same == statements < 20
        assert [one.changed for one in many[:300]] == [False] * 2 + [True] * 298
        assert {one.code for one in many[300:]} == {"unknown_reference"}
        posted, short = counted(lambda: ledger.registered().post_batch(batch_id, post(), who="zoé"))
        assert (posted.posted, short < 20) == (300, True)
        query = "SELECT act, count(*) FROM letter_events WHERE delivery_id IS NOT NULL GROUP BY act ORDER BY act"
        assert rows(ledger, query) == [("numbered", 300), ("posted", 300)]

    def test_lines_see_what_the_lines_before_them_did(self, ledger):
        in_a_batch(ledger, 3)
        said = [(0, ONE), (0, ONE), (0, TWO), (1, ONE), (1, TWO), (2, TWO)]
        lines = [
            NumberLine(line=place, reference=ref(letter), number=TrackingNumber.parse(text))
            for place, (letter, text) in enumerate(said)
        ]
        outcomes = ledger.registered().attach_all(lines, who="zoé")
        assert [one.changed if isinstance(one, StepTaken) else one.code for one in outcomes] == [
            True, False, "already_numbered", "number_taken", True, "number_taken",
        ]  # fmt: skip
