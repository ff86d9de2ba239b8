"""E-mails that do not arrive, in a library that runs each stage once a day: the letter, the list, the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loan_reminders.domain.errors import BooksDoNotBalance, DeliveriesDeferred, LetterStoreUnavailable
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Refusal
from loan_reminders.french.desk import stuck_words
from loan_reminders.french.runs import books_words
from tests.scenes.builders import an_address, an_email
from tests.scenes.letter_readers import FullDisk, batches, held
from tests.scenes.world import DUE, SETTINGS, loan, reader
from tests.simulators.smtp_sink import Faults

S = DeliveryState
E, L = Channel.EMAIL, Channel.LETTER
FIRST, SECOND = Stage.FIRST_REMINDER, Stage.SECOND_REMINDER


@pytest.fixture
def letters(tmp_path):
    return tmp_path / "letters"


def with_address(number, **changes):
    address = an_address(f"LECTEUR {number}", "1 RUE A", "06000 NICE", postcode="06000")
    return loan(number, patron=reader(number, address=address, **changes))


def homeless(number):
    return loan(number, patron=reader(number, address=Refusal.HOMELESS))


def begin(world, stage, *, days_late=0):
    """The stage's DAG run of its day, as its operators begin it; `days_late` days after the loans' own."""
    world.stage = stage
    world.today = DUE + timedelta(days=SETTINGS.policy().rule(stage).offset_days + days_late)
    return world.begin_daily()


def whole_day(world, stage, folder, *, last_try=True):
    """The whole DAG run of a stage that has letters at its end or none."""
    run_id, _ = begin(world, stage)
    world.send_emails(run_id, last_try=last_try)
    if stage is Stage.OVERDUE_NOTICE:
        world.send_sms(run_id)
    if stage in (FIRST, SECOND):
        world.print_letters(run_id, folder)
    return world.close(run_id)


def asked(world, query):
    with world.ledger.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def on_the_list(world):
    return {line.recipient: line.detail for line in world.ledger.feedback().suppressions() if line.in_force}


def at_the_desk(world):
    ever = datetime(2000, 1, 1, tzinfo=UTC)
    return world.ledger.desk().work(since=ever, doubtful_before=ever.replace(year=2999))


@pytest.mark.parametrize("stage", [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE])
def test_refused_for_good_before_the_reminders_the_first_of_these_is_a_letter_from_the_start(world, letters, stage):
    world.ils.rows = [with_address(1), with_address(2)]
    world.mail.faults = Faults(refuse="lecteur1@", refusal="550 5.1.1 no such user here")
    whole_day(world, stage, letters)
    assert on_the_list(world) == {"lecteur1@etu.example.org": "refusée à l'envoi : 550 5.1.1 no such user here"}
    world.mail.faults = Faults()
    run_id, planned = begin(world, FIRST)
    assert planned == {"email": 1, "letter": 1}
    world.send_emails(run_id)
    world.print_letters(run_id, letters)
    assert world.close(run_id).taken_over_by_letter == 0
    assert held(world, batches(world)[-1]) == ["P1"]


@pytest.mark.parametrize("stage", [FIRST, SECOND])
@pytest.mark.parametrize(
    ("faults", "state", "remembered"),
    [
        (Faults(refuse="lecteur1@", refusal="550 5.1.1 no such user"), S.REFUSED, True),
        (Faults(refuse="lecteur1@", refusal="552 5.2.2 mailbox full"), S.REFUSED, False),
        (Faults(refuse="lecteur1@", refusal="451 4.7.1 greylisted, later"), S.FAILED, False),
    ],
    ids=["no such user", "mailbox full", "451 for ever"],
)
def test_an_email_that_does_not_arrive_is_taken_over_by_a_letter_of_the_same_run(
    world, letters, stage, faults, state, remembered
):
    world.ils.rows = [with_address(1), with_address(2)]
    world.mail.faults = faults
    books = whole_day(world, stage, letters)
    assert (books.deliveries[E], books.deliveries[L]) == ({S.ACCEPTED: 1, state: 1}, {S.ACCEPTED: 1})
    assert (books.problems(), books.taken_over_by_letter, books.notices) == ((), 1, 2)
    assert "E-mails relayés par une lettre (taken_over_by_letter) : 1" in books_words(books)
    [batch] = batches(world)
    assert held(world, batch) == ["P1"]
    assert bool(on_the_list(world)) is remembered
    assert at_the_desk(world).not_arrived == ()


def test_the_last_try_of_451_does_not_stop_the_letters_and_the_tries_before_it_do(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@", refusal="451 4.3.0 later")
    run_id, _ = begin(world, FIRST)
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    world.print_letters(run_id, letters)
    assert asked(world, "SELECT channel, state FROM deliveries") == [("email", "planned")]
    assert world.send_emails(run_id, last_try=True) == {"planned": 1}
    assert world.print_letters(run_id, letters) == {"accepted": 1}
    assert world.close(run_id).deliveries == {E: {S.FAILED: 1}, L: {S.ACCEPTED: 1}}


def test_run_again_the_tasks_plan_nothing_twice(world, letters):
    world.ils.rows = [with_address(1), homeless(2)]
    world.mail.faults = Faults(refuse="@")
    run_id, _ = begin(world, FIRST)
    for _ in range(3):
        world.send_emails(run_id)
        world.print_letters(run_id, letters)
    books = world.close(run_id)
    assert (books.deliveries[E], books.deliveries[L]) == ({S.REFUSED: 2}, {S.ACCEPTED: 1})
    assert books.slots_skipped == {"invalid_recipient": 1}
    assert (books.loans_extracted, books.loans_in_notices, books.problems()) == (2, 2, ())
    assert len(batches(world)) == 1


def test_the_day_triggered_anew_adds_nothing_to_the_letter(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@")
    whole_day(world, FIRST, letters)
    run_id, planned = begin(world, FIRST)
    assert planned == {}
    assert world.close(run_id).skipped == {"already_sent": 1}


def test_without_a_letter_either_the_reader_is_at_the_desk_until_somebody_settles_it(world, letters):
    world.ils.rows = [homeless(1)]
    world.mail.faults = Faults(refuse="@")
    whole_day(world, FIRST, letters)
    work = at_the_desk(world)
    assert [(line.patron_id, line.detail) for line in work.not_reached] == [("P1", "letter:homeless")]
    [line] = work.not_arrived
    assert (line.patron_id, line.channel, stuck_words(line)) == ("P1", E, "destinataire refusé")
    assert world.ledger.desk().settle(line.delivery_id, who="zoé")
    assert not world.ledger.desk().settle(line.delivery_id, who="ana")
    assert at_the_desk(world).not_arrived == ()
    assert asked(world, "SELECT who FROM desk_settlements") == [("zoé",)]


def test_a_later_success_settles_what_did_not_arrive(world, letters):
    world.ils.rows = [with_address(1, mobile=Refusal.MISSING)]
    world.mail.faults = Faults(refuse="@")
    whole_day(world, Stage.COURTESY_NOTICE, letters)
    assert [line.patron_id for line in at_the_desk(world).not_arrived] == ["P1"]
    whole_day(world, FIRST, letters)
    work = at_the_desk(world)
    assert (work.not_arrived, work.not_reached) == ((), ())


def test_a_success_about_another_loan_settles_nothing(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@", refusal="552 5.2.2 full")
    whole_day(world, Stage.COURTESY_NOTICE, letters)
    world.mail.faults = Faults()
    due = DUE + timedelta(days=1)
    world.today += timedelta(days=1)
    run_id = world.extract_day(due, loan(9, due_date=due, patron=with_address(1).patron))
    world.plan(run_id)
    assert world.send_emails(run_id) == {"accepted": 1}
    assert [line.patron_id for line in at_the_desk(world).not_arrived] == ["P1"]


def test_what_is_returned_meanwhile_gets_no_letter(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@")
    run_id, _ = begin(world, FIRST)
    world.send_emails(run_id)
    world.ils.rows = []
    assert world.print_letters(run_id, letters) == {}
    books = world.close(run_id)
    assert (books.deliveries[L], books.problems()) == ({S.CANCELLED: 1}, ())
    assert batches(world) == []


def test_an_email_in_doubt_brings_no_letter_and_is_at_the_desk(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(drop_at="CONTENT", drops=9)
    run_id, _ = begin(world, FIRST)
    for _ in range(2):
        world.send_emails(run_id)
    world.print_letters(run_id, letters)
    assert world.close(run_id).deliveries == {E: {S.IN_DOUBT: 1}}
    assert [line.patron_id for line in at_the_desk(world).in_doubt] == ["P1"]


def test_an_address_on_the_list_that_two_readers_share_cancels_the_other_and_both_get_a_letter(world, letters):
    shared = an_email("lecteur1@etu.example.org")
    world.ils.rows = [with_address(1, email=shared), with_address(2, email=shared)]
    world.mail.faults = Faults(refuse="@")
    books = whole_day(world, FIRST, letters)
    assert books.deliveries[L] == {S.ACCEPTED: 2}
    assert books.problems() == ()


def test_the_next_day_takes_up_what_a_run_without_its_letters_left(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@")
    run_id, _ = begin(world, FIRST)
    world.send_emails(run_id)
    run_id, planned = begin(world, FIRST, days_late=1)
    assert planned == {"letter": 1}
    assert world.print_letters(run_id, letters) == {"accepted": 1}
    assert world.close(run_id).taken_over_by_letter == 1
    assert begin(world, FIRST, days_late=2)[1] == {}


def test_the_next_day_leaves_alone_what_was_taken_over_in_its_run(world, letters):
    world.ils.rows = [with_address(1), homeless(2)]
    world.mail.faults = Faults(refuse="@")
    whole_day(world, FIRST, letters)
    run_id, planned = begin(world, FIRST, days_late=1)
    assert (planned, world.close(run_id).loans_extracted) == ({}, 0)


def test_letters_that_could_not_be_stored_wait_and_go_with_the_next_try(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@")
    run_id, _ = begin(world, FIRST)
    world.send_emails(run_id)
    with pytest.raises(LetterStoreUnavailable):
        world.print_letters(run_id, letters, store=FullDisk(letters))
    with pytest.raises(BooksDoNotBalance, match="lettres, envois encore en attente"):
        world.close(run_id)
    assert world.print_letters(run_id, letters) == {"accepted": 1}


def test_a_dry_run_takes_nothing_over(world, letters):
    world.stage, world.today = FIRST, DUE + timedelta(days=8)
    run_id = world.begin(with_address(1), dry_run=True)
    assert world.print_letters(run_id, letters) == {}


def test_a_lifted_address_is_not_put_back_by_the_refusal_it_was_lifted_for(world, letters):
    world.ils.rows = [with_address(1)]
    world.mail.faults = Faults(refuse="@")
    whole_day(world, Stage.COURTESY_NOTICE, letters)
    [line] = world.ledger.feedback().suppressions()
    world.ledger.feedback().lift(line.suppression_id, who="zoé")
    assert world.ledger.remember_refused_addresses() == 0
    assert on_the_list(world) == {}


@pytest.mark.parametrize(("number", "dead"), [(5, 5), (6, 0)])
def test_when_too_many_of_a_domain_would_be_dead_at_once_none_is(world, letters, caplog, number, dead):
    world.ils.rows = [with_address(one) for one in range(1, number + 1)] + [with_address(20)]
    world.mail.faults = Faults(refuse=r"lecteur[1-9]@")
    whole_day(world, Stage.COURTESY_NOTICE, letters)
    assert len(on_the_list(world)) == dead
    assert ("Trop d'adresses refusées à la fois chez etu.example.org" in caplog.text) is not dead
