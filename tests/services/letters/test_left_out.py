"""A batch that waited for the printer: what is not to leave any more when it is printed at last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import BatchRefusal
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.services.letters.recheck import Recheck
from loan_reminders.services.registered import approval
from loan_reminders.services.runs.check_volume import refuse
from tests.scenes.holds import hold
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_readers import batches, by_post
from tests.scenes.world import DUE, SETTINGS, loan

pytestmark = pytest.mark.usefixtures("printer")

S = DeliveryState
FIRST, SECOND, REGISTERED = Stage.FIRST_REMINDER, Stage.SECOND_REMINDER, Stage.REGISTERED_LETTER


def begun(world, stage, *loans, days=None):
    """The stage's run about these loans, on the stage's own day or so many days after the due date."""
    offset = SETTINGS.policy().rule(stage).offset_days
    world.stage, world.today = stage, DUE + timedelta(days=offset if days is None else days)
    return world.begin(*loans)


def laid_out(world, stage, letters, *readers):
    """The stage's letters to these readers in a batch, on the stage's own day; the batch."""
    run_id = begun(world, stage, *(by_post(number) for number in readers))
    world.print_letters(run_id, letters)
    return batches(world)[-1]


def drafted(world, letters, *readers):
    """The registered letters to these readers as a draft that waits for approval, on their own day; the run."""
    run_id = begun(world, REGISTERED, *(by_post(number) for number in readers))
    world.prepare_letters(run_id, letters)
    return run_id


def printed(world, batch, *, days):
    """What is found, and who is still written to, when the batch is printed so many days after the due date."""
    now = datetime(DUE.year, DUE.month, DUE.day, 10, tzinfo=SETTINGS.zone) + timedelta(days=days)
    books = world.ledger.letters()
    desk = BatchDesk(
        batches=books, drafts=world.ledger.drafts(), archive=None, source=lambda: world.ils, now=now,
        library=SETTINGS.identity(), templates=SETTINGS.templates,
    )  # fmt: skip
    check = desk.check(batch.batch_id, who="zoé")
    staying = [letter.patron_id for letter in books.letters_of(batch.batch_id) if letter.left_out is None]
    if staying:
        books.mark_printed(batch.batch_id, who="zoé")
    else:
        with pytest.raises(LetterStepRefused) as refused:
            desk.letters_to_print(batch.batch_id)
        assert refused.value.code is BatchRefusal.NOTHING_TO_PRINT
    return check, staying


def left_out(world):
    return [tuple(row) for row in rows(world.ledger, "SELECT state, reason FROM deliveries ORDER BY state, reason")]


def came_back(world, batch, patron_id):
    """The postman brings a printed letter back as undeliverable."""
    letter = next(one for one in world.ledger.letters().letters_of(batch.batch_id) if one.patron_id == patron_id)
    world.ledger.desk().note_return(letter.reference, since=datetime.now(UTC), who="zoé")


@pytest.mark.parametrize("days", [8, 14])
def test_before_the_next_stage_a_batch_is_printed_whole(world, letters, days):
    batch = laid_out(world, FIRST, letters, 1, 2)
    assert printed(world, batch, days=days) == (Recheck(), ["P1", "P2"])


def test_two_stages_are_never_printed_together(world, letters):
    """A strike: the first reminder was not printed, and the second is there. Both at once would be a burst."""
    first, second = laid_out(world, FIRST, letters, 1, 2), laid_out(world, SECOND, letters, 1, 2)
    assert printed(world, first, days=15) == (Recheck(superseded=2), [])
    assert printed(world, second, days=15) == (Recheck(), ["P1", "P2"])
    assert left_out(world) == [("accepted", None)] * 2 + [("cancelled", "superseded")] * 2
    assert {one.left_out for one in world.ledger.letters().letters_of(first.batch_id)} == {Reason.SUPERSEDED}


def test_no_stage_comes_after_the_registered_letter(world, letters):
    batch = laid_out(world, REGISTERED, letters, 1)
    assert printed(world, batch, days=90) == (Recheck(), ["P1"])


@pytest.mark.parametrize("days", [15, 16, 21, 40])
def test_that_the_day_of_the_next_stage_has_come_retires_no_letter(world, letters, days):
    """A strike: the next stage is paused, and its run never takes place. Nobody else tells these readers."""
    batch = laid_out(world, FIRST, letters, 1, 2)
    assert printed(world, batch, days=days) == (Recheck(), ["P1", "P2"])


def test_what_waits_for_an_answer_about_its_volume_tells_nobody_yet(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    run_id = begun(world, SECOND, by_post(1), loan(2), days=16)
    world.ledger.record_volume_answer(run_id, VolumeAnswer.ASKED)
    assert printed(world, batch, days=16) == (Recheck(), ["P1", "P2"])


def test_a_next_stage_that_was_refused_tells_nobody(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    run_id = begun(world, SECOND, by_post(1), loan(2), days=16)
    assert refuse(world.ledger, run_id=run_id, who="zoé") == 2
    assert printed(world, batch, days=16) == (Recheck(), ["P1", "P2"])


def test_what_is_about_to_leave_by_itself_takes_over(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    run_id = begun(world, SECOND, by_post(1), loan(2))
    world.ledger.record_volume_answer(run_id, VolumeAnswer.USUAL)
    assert printed(world, batch, days=15) == (Recheck(superseded=2), [])


def test_a_reader_held_on_the_day_of_the_next_stage_gets_this_letter(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    hold(world.ledger, "P1", until=DUE + timedelta(days=17))
    laid_out(world, SECOND, letters, 1, 2)
    assert printed(world, batch, days=18) == (Recheck(superseded=1), ["P1"])


def test_a_later_letter_that_was_taken_out_tells_nobody(world, letters):
    first, second = laid_out(world, FIRST, letters, 1, 2), laid_out(world, SECOND, letters, 1, 2)
    books = world.ledger.letters()
    one = next(letter for letter in books.letters_of(second.batch_id) if letter.patron_id == "P1")
    books.leave_out(second.batch_id, {one.delivery_id: Reason.TAKEN_OUT}, who="zoé", detail="erreur")
    assert printed(world, first, days=16) == (Recheck(superseded=1), ["P1"])


def test_a_later_letter_of_a_trial_tells_nobody(world, letters):
    batch = laid_out(world, FIRST, letters, 1)
    laid_out(world, SECOND, letters, 1)
    rows(world.ledger, "UPDATE deliveries SET redirected = true WHERE stage = 'second_reminder'")
    assert printed(world, batch, days=16) == (Recheck(), ["P1"])


def test_an_email_of_the_next_stage_takes_over_unless_it_came_back(world, letters):
    """Two readers gave an address since the first reminder; that of the second is wrong."""
    batch = laid_out(world, FIRST, letters, 1, 2)
    run_id = begun(world, SECOND, loan(1), loan(2))
    assert world.send_emails(run_id) == {"accepted": 2}
    back = "SELECT delivery_id FROM deliveries JOIN notices USING (notice_id) WHERE channel = 'email'"
    rows(
        world.ledger,
        f"UPDATE deliveries SET state = 'bounced' WHERE delivery_id IN ({back} AND patron_id = 'P2')",
    )
    assert printed(world, batch, days=15) == (Recheck(superseded=1), ["P2"])


def test_a_letter_of_which_the_next_stage_tells_a_part_leaves(world, letters):
    two = by_post(1), loan(2, patron=by_post(1).patron)
    run_id = begun(world, FIRST, *two)
    world.print_letters(run_id, letters)
    (batch,) = batches(world)
    hold(world.ledger, "P1", loan_id="L2", until=DUE + timedelta(days=15))
    world.print_letters(begun(world, SECOND, *two), letters)
    assert printed(world, batch, days=16) == (Recheck(), ["P1"])


def test_a_letter_of_which_the_next_stage_tells_all_that_is_not_back_is_left_out(world, letters):
    two = by_post(1), loan(2, patron=by_post(1).patron)
    world.print_letters(begun(world, FIRST, *two), letters)
    (batch,) = batches(world)
    world.print_letters(begun(world, SECOND, two[0]), letters)
    assert printed(world, batch, days=16) == (Recheck(superseded=1), [])


def test_a_registered_letter_that_waits_for_approval_retires_no_letter(world, letters):
    """A library that prints each Monday: its second reminders were laid out six days before."""
    batch = laid_out(world, SECOND, letters, 1, 2)
    drafted(world, letters, 1, 2)
    assert printed(world, batch, days=21) == (Recheck(), ["P1", "P2"])


def test_a_registered_letter_that_was_refused_retires_no_letter(world, letters):
    batch = laid_out(world, SECOND, letters, 1, 2)
    run_id = drafted(world, letters, 1, 2)
    assert approval.refuse(world.ledger, run_id=run_id, who="zoé", detail="grève") == 2
    assert printed(world, batch, days=21) == (Recheck(), ["P1", "P2"])


@pytest.mark.parametrize("in_a_batch", [False, True], ids=["approved", "printed"])
def test_a_registered_letter_that_was_approved_takes_over_but_where_it_was_taken_out(world, letters, in_a_batch):
    batch = laid_out(world, SECOND, letters, 1, 2)
    run_id = drafted(world, letters, 1, 2)
    [(one,)] = rows(
        world.ledger,
        "SELECT reference FROM letters JOIN deliveries USING (delivery_id) JOIN notices USING (notice_id)"
        " WHERE deliveries.stage = 'registered_letter' AND patron_id = 'P1'",
    )
    assert approval.approve(world.ledger, run_id=run_id, who="zoé", references=one, detail="accord") == 1
    if in_a_batch:
        assert world.print_letters(run_id, letters, approved_only=True) == {"accepted": 1}
    assert printed(world, batch, days=21) == (Recheck(superseded=1), ["P1"])


def test_a_reader_to_whom_no_registered_letter_is_due_gets_the_second_reminder(world, letters):
    batch = laid_out(world, SECOND, letters, 1, 2)
    laid_out(world, REGISTERED, letters, 2)
    world.ils.rows = [by_post(1), by_post(2)]
    assert printed(world, batch, days=21) == (Recheck(superseded=1), ["P1"])


def test_a_batch_of_which_everything_was_renewed_is_left_out_whole(world, letters):
    """A closure: the library moves the due dates of all its loans."""
    readers = range(1, 26)
    batch = laid_out(world, FIRST, letters, *readers)
    world.ils.rows = [by_post(number, due_date=DUE + timedelta(days=30)) for number in readers]
    assert printed(world, batch, days=9) == (Recheck(renewed=25), [])


def test_a_book_brought_back_is_the_nearer_reason(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    laid_out(world, SECOND, letters, 1, 2)
    world.ils.rows = world.ils.rows[1:]
    assert printed(world, batch, days=15) == (Recheck(returned=1, superseded=1), [])


@pytest.mark.parametrize(("stage", "days"), [(SECOND, 16), (REGISTERED, 22)])
def test_an_address_from_which_a_letter_came_back_is_printed_no_more(world, letters, stage, days):
    first = laid_out(world, FIRST, letters, 1, 2)
    printed(world, first, days=8)
    batch = laid_out(world, stage, letters, 1, 2)
    came_back(world, first, "P1")
    assert printed(world, batch, days=days) == (Recheck(dead_address=1), ["P2"])
    assert left_out(world) == [("accepted", None)] * 3 + [("cancelled", "dead_address")]
    long_ago = datetime.now(UTC) - timedelta(days=1)
    desk = world.ledger.desk().work(since=long_ago, doubtful_before=long_ago)
    assert [line.patron_id for line in desk.not_arrived] == ["P1"]  # somebody is to find another way


def test_an_address_that_a_librarian_put_right_again_is_printed(world, letters):
    first = laid_out(world, FIRST, letters, 1)
    printed(world, first, days=8)
    batch = laid_out(world, SECOND, letters, 1)
    came_back(world, first, "P1")
    rows(world.ledger, "UPDATE suppressions SET lifted_at = now(), lifted_by = 'zoé'")
    assert printed(world, batch, days=16) == (Recheck(), ["P1"])


def test_the_books_of_the_run_balance_all_the_same(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
    laid_out(world, SECOND, letters, 1, 2)
    printed(world, batch, days=15)
    books = world.close(batch.run_id)
    assert books.deliveries == {Channel.LETTER: {S.CANCELLED: 2}}
    assert books.problems() == ()
