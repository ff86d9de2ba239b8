"""A reader who refuses a channel gets nothing by it, from planning to the send, and the books still balance."""

from __future__ import annotations

import pytest

from loan_reminders.domain.readers.resend import ResendRefusal
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from loan_reminders.services.readers.next_step import next_steps
from tests.scenes.ledger_runs import rows
from tests.scenes.outside import Outside
from tests.scenes.resending import POLICY, email_again, refusal, text_again
from tests.scenes.world import DUE, loan, loans, reader

S = DeliveryState


def refuse(world, channel, number=1):
    return world.ledger.part(PostgresObjections).note(
        patron_id=reader(number).patron_id, channel=channel, reason="demandé au guichet", who="zoé"
    )


def test_no_text_leaves_and_the_e_mail_does(world):
    world.extract(*loans(2))
    refuse(world, Channel.SMS)
    books = world.whole_run(*loans(2))
    assert world.texted_to() == ["33639980002"]
    assert len(world.mailed_to()) == 2
    assert (books.slots_skipped, books.problems()) == ({"opted_out": 1}, ())


def test_no_text_leaves_to_his_new_number_either(world):
    world.extract(*loans(1))
    refuse(world, Channel.SMS)
    world.whole_run(loan(1, patron=reader(1, mobile=reader(9).mobile)))
    assert world.texted_to() == []


def test_what_waits_does_not_leave(world):
    run_id = world.begin(*loans(2))
    refuse(world, Channel.EMAIL)
    world.send_emails(run_id)
    world.send_sms(run_id)
    books = world.close(run_id)
    assert world.mailed_to() == ["lecteur2@etu.example.org"]
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 1, S.CANCELLED: 1}
    assert books.problems() == ()


@pytest.mark.parametrize("planned_already", [False, True])
def test_a_letter_takes_the_place_of_the_e_mail_where_the_stage_has_one(world, tmp_path, planned_already):
    from datetime import timedelta

    from loan_reminders.domain.stages import Stage

    world.printer = Outside().printer()
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    if planned_already:
        run_id = world.begin(*loans(2))
        refuse(world, Channel.EMAIL)
    else:
        world.extract(*loans(2), dag_run_id="seen")
        refuse(world, Channel.EMAIL)
        run_id = world.begin(*loans(2))
    world.send_emails(run_id)
    world.print_letters(run_id, tmp_path / "letters")
    books = world.close(run_id)
    assert world.mailed_to() == ["lecteur2@etu.example.org"]
    assert rows(world.ledger, "SELECT notice.patron_id FROM letters JOIN deliveries USING (delivery_id)"
                " JOIN notices notice USING (notice_id)") == [(reader(1).patron_id,)]  # fmt: skip
    assert books.problems() == ()


def test_nothing_is_sent_once_more_by_that_channel(world):
    world.whole_run(*loans(1))
    refuse(world, Channel.EMAIL)
    refuse(world, Channel.SMS)
    patron = reader(1).patron_id
    assert refusal(email_again, world, patron) is ResendRefusal.OBJECTED
    assert refusal(text_again, world, patron) is ResendRefusal.OBJECTED
    assert (len(world.mailed_to()), len(world.texted_to())) == (1, 1)


def test_what_comes_next_is_foreseen_without_it(world):
    world.extract(*loans(1))
    refuse(world, Channel.SMS)
    outlook = world.ledger.part(PostgresHolds)
    objections = outlook.objected([reader(1).patron_id])
    [step] = next_steps(
        outlook, [loan(1)], holds=(), suppressed={}, objections=objections, policy=POLICY, today=DUE
    ).values()
    assert step.channels == (Channel.EMAIL,)
