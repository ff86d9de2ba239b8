"""« Ne pas écrire »: what is held is not planned, not sent and not printed, and the books still balance."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.runs.holds import HoldRefusal, HoldRefused, check_hold
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Refusal
from tests.scenes.builders import an_address
from tests.scenes.holds import hold, lift
from tests.scenes.ledger_runs import rows, states
from tests.scenes.world import DUE, loan, loans, reader
from tests.simulators.smtp_sink import Faults

S = DeliveryState
TODAY = DUE + timedelta(days=1)


def patron(number):
    return reader(number).patron_id


@pytest.fixture
def letters(world, tmp_path):
    """The first reminder, whose readers have no e-mail: they get letters."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    return tmp_path / "letters"


def by_letter(number, owner):
    address = an_address(f"LECTEUR {owner}", "1 RUE A", "06000 NICE", postcode="06000")
    return loan(number, patron=reader(owner, email=Refusal.MISSING, address=address))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "  "}, HoldRefusal.NO_REASON),
        ({"until": TODAY - timedelta(days=1)}, HoldRefusal.PAST),
        ({"until": TODAY + timedelta(days=367)}, HoldRefusal.TOO_FAR),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(changes, code):
    with pytest.raises(HoldRefused) as refused:
        check_hold(**{"until": TODAY, "reason": "conteste", "today": TODAY, **changes})
    assert refused.value.code is code


def test_a_hold_until_today_and_for_a_year_makes_sense():
    for days in (0, 366):
        check_hold(until=TODAY + timedelta(days=days), reason="conteste", today=TODAY)


def test_a_reader_held_is_skipped_with_that_reason_and_the_others_are_told(world):
    world.extract(*loans(2))
    hold(world.ledger, patron(1), until=TODAY)
    books = world.whole_run(*loans(2))
    assert books.skipped == {"held": 1}
    assert books.problems() == ()
    assert world.mailed_to() == ["lecteur2@etu.example.org"]


def test_a_hold_counts_to_its_last_day_and_not_after(world):
    world.extract(*loans(2))
    hold(world.ledger, patron(1), until=TODAY)
    hold(world.ledger, patron(2), until=TODAY - timedelta(days=1))
    assert world.whole_run(*loans(2)).skipped == {"held": 1}
    assert world.mailed_to() == ["lecteur2@etu.example.org"]


def test_only_the_loan_held_is_left_out_of_the_message(world):
    two = (loan(1, title="Contesté"), loan(2, patron=reader(1), title="Toujours dû"))
    world.extract(*two)
    hold(world.ledger, patron(1), loan_id="L1", until=TODAY)
    books = world.whole_run(*two)
    (mail,) = world.mail.messages()
    text = mail.get_body(("plain",)).get_content()
    assert "Toujours dû" in text
    assert "Contesté" not in text
    assert books.skipped == {"held": 1}


def test_a_hold_placed_after_planning_cancels_what_waits(world):
    run_id = world.begin(*loans(2))
    hold(world.ledger, patron(1), until=TODAY)
    world.send_emails(run_id)
    world.send_sms(run_id)
    books = world.close(run_id)
    assert world.mailed_to() == ["lecteur2@etu.example.org"]
    assert world.texted_to() == ["33639980002"]
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 1, S.CANCELLED: 1}
    assert books.slots_skipped == {"held": 2}
    assert books.problems() == ()


def test_a_hold_placed_after_planning_takes_one_loan_out_of_the_message(world):
    run_id = world.begin(loan(1, title="Contesté"), loan(2, patron=reader(1), title="Toujours dû"))
    hold(world.ledger, patron(1), loan_id="L1", until=TODAY)
    world.send_emails(run_id)
    world.send_sms(run_id)
    (mail,) = world.mail.messages()
    assert "Contesté" not in mail.get_body(("plain",)).get_content()
    (sms,) = world.sms.provider.accepted
    assert "1 document hier" in sms.text
    assert world.close(run_id).problems() == ()


def test_a_hold_placed_between_composing_and_claiming_still_holds(world, monkeypatch):
    """The librarian clicks while the message is on its way to the claim: it goes without the loan, in the same run."""
    run_id = world.begin(loan(1, title="Contesté"), loan(2, patron=reader(1), title="Toujours dû"))
    write = type(world).write_email

    def write_and_then_hold(self):
        compose, placed = write(self), []

        def late(delivery):
            message = compose(delivery)
            if not placed:
                placed.append(hold(world.ledger, patron(1), loan_id="L1", until=TODAY))
            return message

        return late

    monkeypatch.setattr(type(world), "write_email", write_and_then_hold)
    world.send_emails(run_id)
    (mail,) = world.mail.messages()
    text = mail.get_body(("plain",)).get_content()
    assert "Toujours dû" in text
    assert "Contesté" not in text
    world.send_sms(run_id)
    assert world.close(run_id).problems() == ()


def test_a_hold_lifted_on_the_day_lets_its_run_go_again(world):
    run_id = world.begin(*loans(1))
    placed = hold(world.ledger, patron(1), until=TODAY)
    world.send_emails(run_id)
    world.send_sms(run_id)
    assert world.mailed_to() == []
    lift(world.ledger, placed)
    assert world.whole_run(*loans(1)).problems() == ()
    assert world.mailed_to() == ["lecteur1@etu.example.org"]
    assert world.whole_run(*loans(1)).skipped == {"already_sent": 1}


def test_what_a_dead_run_left_waiting_for_a_held_reader_is_taken_over_and_cancelled(world):
    dead = world.begin(*loans(1))
    hold(world.ledger, patron(1), until=TODAY)
    run_id = world.begin(*loans(1))
    world.send_emails(run_id)
    world.send_sms(run_id)
    assert world.close(run_id).problems() == ()
    assert {state for state, _ in states(world.ledger).values()} == {"cancelled"}
    assert world.close(dead).problems() == ()
    assert world.mailed_to() == []


def test_what_is_in_doubt_is_not_sent_again_and_stays_in_doubt(world):
    run_id = world.begin(*loans(1))
    world.mail.faults = Faults(silent=True)
    with pytest.raises(Exception, match="sans réponse certaine"):
        world.send_emails(run_id, first_try=True)
    world.mail.faults = Faults()
    before = len(world.mail.messages())
    hold(world.ledger, patron(1), until=TODAY)
    world.send_emails(run_id)
    assert len(world.mail.messages()) == before
    assert ("in_doubt", "no_answer") in states(world.ledger).values()


def test_no_letter_takes_the_place_of_an_email_while_the_reader_is_held(world, letters, printer):
    address = an_address("LECTEUR 1", "1 RUE A", "06000 NICE", postcode="06000")
    run_id = world.begin(loan(1, patron=reader(1, address=address)))
    world.mail.faults = Faults(refuse="lecteur1@", refusal="550 5.1.1 no such user here")
    world.send_emails(run_id, last_try=True)
    placed = hold(world.ledger, patron(1), until=world.today)
    for _ in range(2):
        world.print_letters(run_id, letters)
    books = world.close(run_id)
    assert Channel.LETTER not in books.deliveries
    assert books.slots_skipped == {"held": 1}
    lift(world.ledger, placed)
    world.print_letters(run_id, letters)
    assert world.close(run_id).deliveries[Channel.LETTER] == {S.ACCEPTED: 1}


def test_a_letter_that_waits_is_not_laid_out(world, letters, printer):
    run_id = world.begin(by_letter(1, 1), by_letter(2, 2))
    hold(world.ledger, patron(1), until=world.today)
    world.print_letters(run_id, letters)
    books = world.close(run_id)
    assert books.deliveries[Channel.LETTER] == {S.ACCEPTED: 1, S.CANCELLED: 1}
    assert books.problems() == ()


def test_a_registered_letter_in_a_draft_is_left_out_when_it_is_printed(world, letters, printer):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    run_id = world.begin(by_letter(1, 1), by_letter(2, 2))
    world.prepare_letters(run_id, letters)
    hold(world.ledger, patron(1), until=world.today)
    world.ledger.drafts().approve(run_id, taken_out=(), who="zoé")
    world.print_letters(run_id, letters, approved_only=True)
    books = world.close(run_id)
    assert books.deliveries[Channel.REGISTERED_LETTER] == {S.ACCEPTED: 1, S.CANCELLED: 1}
    assert books.problems() == ()
    assert rows(world.ledger, "SELECT left_out FROM letters WHERE left_out IS NOT NULL") == [("held",)]
