"""A batch that waited for the printer: what is not to leave any more when it is printed at last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import BatchRefusal
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.services.letters.recheck import Recheck
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_readers import batches, by_post
from tests.scenes.world import DUE, SETTINGS

pytestmark = pytest.mark.usefixtures("printer")

S = DeliveryState
FIRST, SECOND, REGISTERED = Stage.FIRST_REMINDER, Stage.SECOND_REMINDER, Stage.REGISTERED_LETTER


def laid_out(world, stage, letters, *readers):
    """The stage's letters to these readers in a batch, on the stage's own day; the batch."""
    world.stage, world.today = stage, DUE + timedelta(days=SETTINGS.policy().rule(stage).offset_days)
    run_id = world.begin(*(by_post(number) for number in readers))
    world.print_letters(run_id, letters)
    return batches(world)[-1]


def printed(world, batch, *, days):
    """What is found, and who is still written to, when the batch is printed so many days after the due date."""
    now = datetime(DUE.year, DUE.month, DUE.day, 10, tzinfo=SETTINGS.zone) + timedelta(days=days)
    books = world.ledger.letters()
    desk = BatchDesk(
        batches=books, drafts=world.ledger.drafts(), archive=None, source=lambda: world.ils, now=now,
        policy=SETTINGS.policy(), library=SETTINGS.identity(), templates=SETTINGS.templates,
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
def test_until_the_next_stage_is_due_a_batch_is_printed_whole(world, letters, days):
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


def test_a_book_brought_back_is_the_nearer_reason(world, letters):
    batch = laid_out(world, FIRST, letters, 1, 2)
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
    printed(world, batch, days=15)
    books = world.close(batch.run_id)
    assert books.deliveries == {Channel.LETTER: {S.CANCELLED: 2}}
    assert books.problems() == ()
