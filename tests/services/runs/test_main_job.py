"""The main job on real components: what each kind of trouble leads to, and that nothing is lost or doubled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import (
    BooksDoNotBalance,
    DeliveriesDeferred,
    IlsUnavailable,
    MailRelayRejected,
    MailRelayUnavailable,
)
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.stages import Channel, PatronCategory
from loan_reminders.domain.states import DeliveryState, Refusal
from tests.scenes.world import DUE, ListedLoans, closed_port, loan, loans, reader

S = DeliveryState


# --- the ordinary day


def test_each_reader_gets_one_email_and_one_sms(world):
    books = world.whole_run(*loans(3), loan(4, patron=reader(1)))
    assert world.mailed_to() == [f"lecteur{number}@etu.example.org" for number in (1, 2, 3)]
    assert world.texted_to() == ["33639980001", "33639980002", "33639980003"]
    assert (books.loans_extracted, books.loans_in_notices, books.notices) == (4, 4, 3)
    assert books.deliveries == {Channel.EMAIL: {S.ACCEPTED: 3}, Channel.SMS: {S.ACCEPTED: 3}}
    assert (books.segments, books.cost, books.unpriced) == (3, 0, 3)
    assert books.problems() == ()


def test_running_the_day_again_sends_nothing_and_says_already_sent(world):
    world.whole_run(*loans(5))
    books = world.whole_run()
    assert len(world.mail.messages()) == 5
    assert len(world.sms.provider.accepted) == 5
    assert books.skipped == {"already_sent": 5}
    assert books.problems() == ()


def test_a_loan_added_since_is_told_alone(world):
    world.whole_run(*loans(2))
    books = world.whole_run(*loans(3))
    assert len(world.mail.messages()) == 3
    assert (books.loans_in_notices, books.skipped) == (1, {"already_sent": 2})


def test_a_renewal_is_told_again_at_its_new_date(world):
    world.whole_run(*loans(1))
    renewed = loan(1, due_date=DUE + timedelta(days=14))
    world.ils.rows = [renewed]
    world.today += timedelta(days=14)
    run = world.ledger.open_run(
        stage=world.stage,
        reference_date=world.today,
        due_date=renewed.due_date,
        today=world.today,
        dag_run_id="later",
        dry_run=False,
    )
    world.ledger.record_loans(run.run_id, [renewed])
    world.ledger.finish_extraction(run.run_id, 1)
    assert world.plan(run.run_id) == {"email": 1, "sms": 1}


def test_the_words_are_true_on_the_day_they_leave(world):
    world.today = DUE + timedelta(days=1)
    world.whole_run(*loans(1))
    world.today = DUE + timedelta(days=3)
    world.whole_run(loan(2))
    first, later = (message.get_body(("plain",)).get_content() for message in world.mail.messages())
    assert "hier" in first
    assert "hier" not in later
    assert "26 novembre" in later
    on_time, late = (sms.text for sms in world.sms.provider.accepted)
    assert "hier" in on_time
    assert "hier" not in late


# --- readers and rows


def test_what_cannot_be_told_is_counted_with_its_reason(world):
    books = world.whole_run(
        loan(1),
        loan(1, title="the same row again"),
        loan(2, patron=reader(2, email=Refusal.NOT_AN_ADDRESS, mobile=Refusal.MISSING)),
        loan(3, patron=reader(3, email=Refusal.MISSING, category=PatronCategory.STAFF)),
        loan(4, patron=reader(4, mobile=Refusal.NOT_MOBILE)),
        RejectedRow(loan_id="L9", patron_id="P9", code="not_a_date", column="due_date", raw={"due_date": 0}),
    )
    assert books.loans_extracted == 6
    assert books.skipped == {"duplicate_row": 1, "invalid_recipient": 1, "no_recipient": 1, "invalid_row": 1}
    assert books.slots_skipped == {"invalid_recipient": 1}
    assert books.loans_in_notices == 2
    assert world.mailed_to() == ["lecteur1@etu.example.org", "lecteur4@etu.example.org"]
    assert books.problems() == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "{{ loans }}",
        "{% raw %}",
        "<script>alert(1)</script>",
        '"O\'Neil"',
        "Zoé 🎓",
        "عمر",
        "王小明",
        "A\r\nBcc: x@y.z",
    ],
)
def test_a_strange_name_is_written_as_it_is_and_stops_nobody(world, name):
    books = world.whole_run(loan(1, patron=reader(1, name=name)), loan(2, title=name))
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 2}
    assert books.deliveries[Channel.SMS] == {S.ACCEPTED: 2}
    for message in world.mail.messages():
        assert message["Bcc"] is None
        assert "<script>alert" not in message.get_body(("html",)).get_content()


# --- the ILS


def test_an_ils_that_fails_half_way_leaves_nothing_and_is_read_again(world):
    world.ils = ListedLoans(rows=loans(3), fails_after=2)
    with pytest.raises(IlsUnavailable):
        world.extract(dag_run_id="today")
    world.ils.fails_after = None
    run_id = world.extract(dag_run_id="today")
    world.plan(run_id)
    world.send_emails(run_id)
    world.send_sms(run_id)
    assert world.close(run_id).loans_extracted == 3
    assert len(world.mail.messages()) == 3


# --- the mail server


def test_a_mail_server_that_is_down_is_tried_again(world):
    run_id = world.begin(*loans(3))
    port, world.mail.port = world.mail.port, closed_port()
    with pytest.raises(MailRelayUnavailable):
        world.send_emails(run_id)
    with pytest.raises(BooksDoNotBalance, match=r"e-mails, envois encore en attente \(planned\) : 3"):
        world.close(run_id)
    world.mail.port = port
    assert world.send_emails(run_id) == {"accepted": 3}
    world.send_sms(run_id)
    assert world.close(run_id).problems() == ()


def test_a_whole_new_run_takes_over_what_a_dead_one_left(world):
    left = world.begin(*loans(3))
    books = world.whole_run()
    assert (books.loans_in_notices, books.skipped) == (3, {})
    assert len(world.mail.messages()) == 3
    assert len(world.sms.provider.accepted) == 3
    assert world.send_emails(left) == {}


def test_one_recipient_refused_stops_nobody_else(world):
    world.mail.faults.refuse = "lecteur2@"
    books = world.whole_run(*loans(3))
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: 2, S.REFUSED: 1}
    assert books.problems() == ()


def test_every_recipient_refused_is_recorded_and_none_is_left(world):
    world.mail.faults.refuse = "@"
    books = world.whole_run(*loans(3))
    assert books.deliveries[Channel.EMAIL] == {S.REFUSED: 3}
    assert world.mailed_to() == []


def test_a_refused_address_is_not_tried_again_where_no_letter_is_foreseen(world):
    world.mail.faults.refuse = "lecteur1@"
    world.whole_run(*loans(1))
    world.whole_run()
    assert world.mail.received == 0


def test_greylisting_is_tried_again_and_given_up_at_the_last_try(world):
    world.mail.faults.defer = 1
    run_id = world.begin(*loans(2))
    with pytest.raises(DeliveriesDeferred):
        world.send_emails(run_id)
    assert world.send_emails(run_id) == {"accepted": 1}
    assert len(world.mailed_to()) == 2

    world.mail.faults.defer = 100
    second = world.begin(loan(3))
    world.send_emails(second, last_try=True)
    world.send_sms(second)
    assert world.close(second).deliveries[Channel.EMAIL] == {S.FAILED: 1}
    world.mail.faults.defer = 0
    assert world.plan(world.extract()) == {"email": 1}


def test_a_sender_the_server_rejects_stops_the_run_with_nothing_lost(world):
    run_id = world.begin(*loans(3))
    world.mail.faults.mail = "550 5.7.1 sender rejected"
    with pytest.raises(MailRelayRejected):
        world.send_emails(run_id)
    world.mail.faults.mail = ""
    assert world.send_emails(run_id) == {"accepted": 3}


def test_an_answer_that_never_comes_leaves_the_email_in_doubt_and_it_is_sent_again_with_the_same_id(world):
    world.mail.faults.drop_at = "CONTENT"
    run_id = world.begin(*loans(1))
    world.send_emails(run_id)
    assert world.ledger.planned_count(run_id, Channel.EMAIL) == 1
    world.send_emails(run_id)
    first, second = (message["Message-ID"] for message in world.mail.messages())
    assert first == second


def test_after_the_first_try_emails_in_doubt_ask_for_another(world):
    world.mail.faults.drop_at = "CONTENT"
    run_id = world.begin(*loans(1))
    with pytest.raises(DeliveriesDeferred, match=r"E-mails sans réponse certaine.* : 1"):
        world.send_emails(run_id, first_try=True)
    world.mail.faults.drop_at = ""
    assert world.send_emails(run_id) == {"accepted": 1}
