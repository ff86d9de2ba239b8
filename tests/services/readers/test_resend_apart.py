"""A message sent again is seen by nobody as a day of its stage: not by runs, watch, volumes, missed days or letters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from tests.scenes.ledger_runs import rows
from tests.scenes.resending import email_again, text_again
from tests.scenes.world import DUE, loans, reader

S = DeliveryState
E = Channel.EMAIL


def test_the_day_it_repeats_is_not_told_again_and_its_books_stay(told):
    [(run_id, before)] = rows(told.ledger, "SELECT run_id, books FROM runs")
    email_again(told)
    text_again(told)
    told.close(run_id)
    [(after,)] = rows(told.ledger, "SELECT books FROM runs WHERE run_id = :id", id=run_id)
    assert after == before
    told.today -= timedelta(days=2)
    assert told.whole_run(*told.ils.rows).skipped == {"already_sent": 3}


def test_its_bounce_and_its_receipt_find_it(told):
    from loan_reminders.domain.email.feedback import BounceKind
    from loan_reminders.domain.sms.feedback import AckStatus
    from tests.scenes.ledger_emails import a_bounce
    from tests.scenes.ledger_sms import ack

    email, sms = email_again(told).delivery_id, text_again(told).delivery_id
    feedback = told.ledger.mail_feedback()
    feedback.keep([a_bounce(email, BounceKind.HARD, recipient="lecteur1@etu.example.org")])
    assert feedback.settle(failures=3).moved == 1
    [(sms_id, campaign)] = rows(
        told.ledger, "SELECT provider_id, campaign_id FROM deliveries WHERE delivery_id = :id", id=sms
    )
    assert campaign in told.ledger.feedback().campaigns_to_ask(datetime.now(UTC) - timedelta(days=7))
    told.ledger.feedback().keep_acks(
        [ack(AckStatus.DELIVERED, reader(1).mobile.value, campaign=campaign, sms_id=sms_id)]
    )
    assert told.ledger.feedback().settle(failures=3).moved == 1
    states = dict(rows(told.ledger, "SELECT delivery_id, state FROM deliveries"))
    assert (states[email], states[sms]) == ("bounced", "delivered")


def test_no_stage_takes_it_for_a_day_of_its_own(told):
    email_again(told)
    run_id = told.extract(*told.ils.rows)
    day = told.ledger.run(run_id).reference_date
    assert told.ledger.past_volumes(run_id, runs=9) == ({Channel.EMAIL: 2, Channel.SMS: 2},)
    assert told.ledger.unfinished_runs(run_id) == ()
    watched = told.ledger.days_to_watch(since=day, until=told.today)
    assert {(one.day, one.dag_run_id) for one in watched} == {(day + timedelta(days=n), "") for n in (1, 2)}
    later = told._extract(told.today + timedelta(days=1))
    assert told.today in told.ledger.missed_days(later, within_days=30)


def test_what_bounced_of_the_day_is_still_taken_up_by_a_letter(world):
    """A run that saw a loan later has decided about it; a message sent once more has decided nothing."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    run_id = world.begin(*loans(1))
    world.send_emails(run_id)
    email_again(world)
    [(first,)] = rows(world.ledger, "SELECT delivery_id FROM deliveries WHERE run_id = :id", id=run_id)
    with world.ledger.sender(run_id, E) as sender:
        from tests.scenes.ledger_runs import answer

        sender.record([answer(first, S.BOUNCED)])
    world.today += timedelta(days=1)
    rows(world.ledger, "UPDATE runs SET planned_at = planned_at + interval '1 minute' WHERE kind = 'resend'")
    world.ledger.close_run(run_id)
    next_day = world._extract(world.today)
    since = datetime.now(UTC) - timedelta(days=14)
    assert [one.loan_id for one in world.ledger.loans_of_failed_emails(next_day, since=since)] == ["L1"]
    assert isinstance(world.today, date)


def test_it_costs_and_tells_nobody_new_in_the_figures(told):
    from loan_reminders.ledger.statistics.counting import count_again

    counters = "SELECT sum(told), sum(segments) FROM message_counters"

    def counted():
        with told.ledger.engine.begin() as connection:
            count_again(
                connection, told.ledger.library, [one for (one,) in rows(told.ledger, "SELECT run_id FROM runs")]
            )
        return rows(told.ledger, counters)[0]

    readers, segments = counted()
    email_again(told)
    text_again(told)
    assert counted() == (readers, segments + 1)
