"""Letters that came back because nobody lives there, and the lists of the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import ReturnReason
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_registered import (
    NOW,
    ONE,
    TWO,
    an_address_of,
    in_a_batch,
    note_return,
    number,
    post,
    ref,
    some_letters,
    take,
    trace,
)
from tests.scenes.ledger_runs import answer, ids, opened, planned, rows, some_deliveries, states

NPAI = ReturnReason.RETURNED_UNDELIVERABLE


def is_bad(ledger, address):
    with ledger.engine.begin() as connection:
        return suppressions.suppressed(connection, "demo", [address]) == {address: SkipReason.DEAD_ADDRESS}


class TestBadAddresses:
    def test_npai_marks_the_address_and_undoing_it_lifts_the_line(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post())
        assert ledger.registered().take(note_return(), number=ONE, who="zoé").address_marked
        assert is_bad(ledger, an_address_of(0))
        assert not is_bad(ledger, an_address_of(1))
        [line] = ledger.feedback().suppressions()
        assert (line.reason, line.source, line.since, ref(0) in line.detail) == (NPAI, "librarian", NOW, True)
        ledger.registered().undo(letter.delivery_id, who="ana")
        assert not is_bad(ledger, an_address_of(0))
        assert ledger.feedback().suppressions()[0].lifted_by == "ana"

    def test_npai_said_again_after_undoing_marks_it_again(self, ledger):
        _, [letter, _] = in_a_batch(ledger)
        again = replace(note_return(), since=datetime(2026, 1, 1, tzinfo=UTC))
        take(ledger, ref(0), number(ONE), post(), again)
        ledger.registered().undo(letter.delivery_id, who="ana")
        take(ledger, ref(0), again)
        assert is_bad(ledger, an_address_of(0))

    def test_an_address_that_a_librarian_cleared_after_the_return_stays_cleared(self, ledger):
        in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post(), note_return())
        ledger.feedback().lift(ledger.feedback().suppressions()[0].suppression_id, who="ana")
        [other] = some_letters(1, prefix="B")
        in_a_batch(ledger, letters=[other], prefix="B")
        old = replace(note_return(), since=datetime(2026, 1, 1, tzinfo=UTC))
        take(ledger, ref(0, "B"), number(TWO), post())
        assert not ledger.registered().take(old, number=TWO, who="zoé").address_marked
        assert not is_bad(ledger, an_address_of(0))

    @pytest.mark.parametrize("reason", [ReturnReason.UNCLAIMED, ReturnReason.REFUSED_BY_READER])
    def test_other_returns_mark_nothing(self, ledger, reason):
        in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post(), note_return(reason))
        assert ledger.feedback().suppressions() == ()

    def test_an_address_stays_bad_while_another_letter_says_so(self, ledger):
        [first] = some_letters(1, prefix="A")
        [second] = some_letters(1, prefix="B")
        rows_of = [in_a_batch(ledger, letters=[one], prefix=name)[1][0] for one, name in ((first, "A"), (second, "B"))]
        rows(ledger, "UPDATE notices SET patron_id = 'PA0'")
        for name, text in (("A", ONE), ("B", TWO)):
            take(ledger, ref(0, name), number(text), post(), note_return())
        ledger.registered().undo(rows_of[0].delivery_id, who="ana")
        assert is_bad(ledger, an_address_of(0))
        ledger.registered().undo(rows_of[1].delivery_id, who="ana")
        assert not is_bad(ledger, an_address_of(0))

    def test_what_waits_for_a_bad_address_is_cancelled_with_it(self, ledger):
        in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post())
        [waiting] = some_letters(1, prefix="W")
        planned(ledger, [waiting], stage=waiting.notice.stage, dag_run_id="later")
        take(ledger, ref(0), note_return())
        assert states(ledger)[waiting.delivery_id] == ("cancelled", "dead_address")

    def test_an_ordinary_letter_that_came_back_marks_its_address_once(self, ledger):
        _, [letter] = in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
        done = ledger.desk().note_return(ref(0, "S"), since=NOW, who="zoé")
        assert (done.changed, done.address_marked) == (True, True)
        assert is_bad(ledger, an_address_of(0))
        [(act, who, _, after)] = trace(ledger, letter)
        assert (act, who, after["return_reason"]) == ("returned", "zoé", "returned_undeliverable")
        assert not ledger.desk().note_return(ref(0, "S"), since=NOW, who="zoé").changed

    @pytest.mark.parametrize(
        ("reference", "code"),
        [("R1-0", "unknown_letter"), (ref(0), "registered"), (ref(0, "S"), "not_printed")],
    )
    def test_other_letters_do_not_come_back_at_the_desk(self, ledger, reference, code):
        in_a_batch(ledger, 1)
        in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S", printed=False)
        with pytest.raises(LetterStepRefused) as refused:
            ledger.desk().note_return(reference, since=NOW, who="zoé")
        assert (refused.value.code, ledger.feedback().suppressions()) == (code, ())


class TestDeskWork:
    def work(self, ledger, **changes):
        moments = {"since": NOW - timedelta(days=3650), "doubtful_before": NOW + timedelta(days=3650), **changes}
        return ledger.desk().work(**moments)

    def a_run_with_skips(self, ledger, *skips, name="run-1", slot=None):
        letters = some_letters(2, prefix="L")
        run = opened(ledger, dag_run_id=name)
        ledger.record_loans(run.run_id, [one.loans[0] for one in letters])
        ledger.finish_extraction(run.run_id, 2)
        for reason, detail in skips:
            rows(
                ledger,
                "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, slot, reason, detail)"
                " VALUES ('demo', :run, 'L0', :due, 'PL0', :slot, :reason, :detail)",
                run=run.run_id, due=letters[0].notice.due_date, slot=slot, reason=reason, detail=detail,
            )  # fmt: skip
        return run

    def test_a_reader_is_listed_once_by_the_newest_run(self, ledger):
        self.a_run_with_skips(ledger, ("no_recipient", "letter:missing"))
        self.a_run_with_skips(ledger, ("invalid_recipient", "letter:homeless"), name="run-2", slot="written")
        [line] = self.work(ledger).not_reached
        assert (line.patron_barcode, line.patron_name, line.detail) == ("21000L0", "Lecteur L0", "letter:homeless")

    @pytest.mark.parametrize(("reason", "slot"), [("not_eligible", None), ("opted_out", None), ("no_recipient", "sms")])
    def test_other_skips_are_no_work(self, ledger, reason, slot):
        self.a_run_with_skips(ledger, (reason, ""), slot=slot)
        assert self.work(ledger).not_reached == ()

    def test_old_runs_are_left_out(self, ledger):
        self.a_run_with_skips(ledger, ("no_recipient", ""))
        assert self.work(ledger, since=NOW + timedelta(days=3650)).not_reached == ()

    def test_whoever_was_written_to_since_is_off_the_list(self, ledger):
        self.a_run_with_skips(ledger, ("no_recipient", "letter:missing"))
        in_a_batch(ledger, 1, prefix="L")
        assert self.work(ledger).not_reached == ()

    def test_an_older_letter_keeps_nobody_off_the_list(self, ledger):
        in_a_batch(ledger, 1, prefix="L")
        self.a_run_with_skips(ledger, ("no_recipient", "letter:missing"))
        assert len(self.work(ledger).not_reached) == 1

    def test_doubt_and_letters_not_laid_out(self, ledger):
        planned(ledger, some_letters(1), stage=Stage.REGISTERED_LETTER)
        rows(ledger, "UPDATE deliveries SET state = 'refused', reason = 'not_rendered'")
        [mail] = some_deliveries(1, prefix="M")
        run = planned(ledger, [mail], dag_run_id="mails")
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(ids([mail]))
            sender.record([answer(mail, DeliveryState.IN_DOUBT, Reason.NO_ANSWER)])
        work = self.work(ledger)
        assert [line.patron_name for line in work.not_rendered] == ["Lecteur L0"]
        assert [(line.patron_id, line.channel) for line in work.in_doubt] == [("PM0", "email")]
        assert self.work(ledger, doubtful_before=NOW - timedelta(days=3650)).in_doubt == ()

    def test_a_cut_list_has_one_line_more(self, ledger):
        planned(ledger, some_letters(3), stage=Stage.REGISTERED_LETTER)
        rows(ledger, "UPDATE deliveries SET state = 'refused', reason = 'not_rendered'")
        assert len(self.work(ledger, limit=1).not_rendered) == 2

    def test_bad_addresses_stay_until_they_are_lifted(self, ledger):
        in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post(), note_return())
        [line] = self.work(ledger).bad_addresses
        assert (line.address, line.since) == (an_address_of(0), NOW)
        ledger.feedback().lift(line.suppression_id, who="zoé")
        assert self.work(ledger).bad_addresses == ()


def test_a_letter_of_a_trial_never_came_back_from_anywhere(ledger):
    _, batch_id, (one, *_) = closed(ledger, channel=Channel.LETTER, prefix="T", trial=True)
    ledger.letters().mark_printed(batch_id, who="zoé")
    taken = ledger.desk().note_return("REF-PT0", since=datetime.now(UTC), who="zoé")
    assert (taken.delivery_id, taken.changed, taken.address_marked) == (one.delivery_id, True, False)
    assert rows(ledger, "SELECT FROM suppressions") == []
