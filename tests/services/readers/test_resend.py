"""« Renvoyer »: what is true today, once a day, and nobody else's books are disturbed by it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.errors import (
    IlsUnavailable,
    LedgerUnavailable,
    MailRelayUnavailable,
    SmsBudgetExceeded,
)
from loan_reminders.domain.readers.resend import ResendRefusal, ResendRefused
from loan_reminders.domain.sms.budget import SmsBudget
from loan_reminders.domain.sms.sending_window import SendingWindow
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.email.mail_relay import Backoff, Security, SmtpAccount, SmtpRelay
from loan_reminders.ledger.runs.resends import PostgresResends
from tests.scenes.holds import hold
from tests.scenes.ledger_runs import rows
from tests.scenes.resending import email_again, refusal, text_again, work
from tests.scenes.world import ALWAYS_OPEN, DUE, SETTINGS, loans, reader
from tests.simulators.smtp_sink import Faults

S = DeliveryState
E = Channel.EMAIL


def resent_rows(world):
    return rows(world.ledger, "SELECT counts, state, reason FROM resends JOIN deliveries USING (delivery_id)")


def test_who_was_never_told_is_not_told_again(told):
    assert refusal(email_again, told, "P9") is ResendRefusal.NOTHING_SENT


def test_everything_returned_means_that_nothing_leaves(told):
    told.ils.rows = []
    assert refusal(email_again, told) is ResendRefusal.NOTHING_LEFT
    assert refusal(text_again, told) is ResendRefusal.NOTHING_LEFT
    assert resent_rows(told) == []


def test_a_silent_ils_means_that_nothing_leaves(told):
    told.ils.down = True
    with pytest.raises(IlsUnavailable):
        email_again(told)
    assert resent_rows(told) == []


def test_who_is_held_is_not_written_to(told):
    hold(told.ledger, "P1", until=told.today)
    assert refusal(email_again, told) is ResendRefusal.HELD


def test_a_number_that_said_stop_gets_no_sms(told):
    told.ledger.feedback().suppress(reader(1).mobile, who="zoé")
    assert refusal(text_again, told) is ResendRefusal.SUPPRESSED
    assert len(told.sms.provider.accepted) == 2


def test_a_message_that_came_back_is_not_sent_again(told):
    rows(told.ledger, "UPDATE deliveries SET state = 'bounced', reason = 'dead_address' WHERE channel = 'email'")
    assert refusal(email_again, told) is ResendRefusal.NOT_ARRIVED


def test_sms_keep_to_their_window_and_budget(told):
    closed = SendingWindow(opens=ALWAYS_OPEN.opens, closes=None, weekdays=frozenset({7}), is_holiday=lambda _: False)
    monday = datetime(2026, 11, 30, 10, tzinfo=SETTINGS.zone)
    told.today = monday.date()
    assert refusal(text_again, told, window=closed) is ResendRefusal.WINDOW_CLOSED
    with pytest.raises(SmsBudgetExceeded):
        text_again(told, budget=SmsBudget(daily=0, monthly=0, reserve=0, floor=0))
    assert len(told.sms.provider.accepted) == 2
    assert resent_rows(told) == []


def test_no_sms_leaves_while_a_run_is_texting(told):
    run_id = told.begin(*loans(1))
    with told.ledger.sender(run_id, Channel.SMS), pytest.raises(LedgerUnavailable):
        text_again(told)
    assert len(told.sms.provider.accepted) == 2


def test_it_says_what_is_true_today_with_a_name_of_its_own(told):
    told.ils.rows = told.ils.rows[1:]
    before = {message["Message-ID"] for message in told.mail.messages()}
    resent = email_again(told)
    assert (resent.state, resent.documents, resent.left_out) == (S.ACCEPTED, 1, 1)
    (mail,) = [message for message in told.mail.messages() if message["Message-ID"] not in before]
    text = mail.get_body(("plain",)).get_content()
    assert "Toujours dehors" in text
    assert "Rendu depuis" not in text
    assert "hier" not in text
    assert str(resent.delivery_id) in mail["Message-ID"]


def test_it_is_kept_with_its_words_who_and_when(told):
    resent = email_again(told)
    [(act, who, patron)] = rows(told.ledger, "SELECT act, who, patron_id FROM journal")
    assert (act, who, patron) == ("message_resent", "zoé", "P1")
    [(state,)] = rows(told.ledger, "SELECT state FROM deliveries WHERE delivery_id = :id", id=resent.delivery_id)
    assert state == "accepted"
    assert rows(told.ledger, "SELECT 1 FROM sent_words WHERE delivery_id = :id", id=resent.delivery_id)
    [(balanced,)] = rows(told.ledger, "SELECT balanced FROM runs WHERE kind = 'resend'")
    assert balanced


def test_once_a_day_by_each_channel_and_again_the_day_after(told):
    email_again(told)
    assert refusal(email_again, told) is ResendRefusal.ALREADY_TODAY
    assert text_again(told).state is S.ACCEPTED
    assert refusal(text_again, told) is ResendRefusal.ALREADY_TODAY
    assert email_again(told, "P3").state is S.ACCEPTED
    told.today += timedelta(days=1)
    assert email_again(told).state is S.ACCEPTED


def test_two_librarians_at_once_send_one(told):
    start, came = threading.Barrier(2), []

    class Both(PostgresResends):
        def begin(self, *args, **more):
            start.wait(timeout=10)
            return super().begin(*args, **more)

    def send():
        both = work(told)
        object.__setattr__(both, "resends", told.ledger.part(Both))
        last, delivery = both.prepare("P1", E)
        from loan_reminders.domain.messages import Receipt, SentWords

        words = SentWords(delivery_id=delivery.delivery_id, subject="s", body="b")
        try:
            accepted = Receipt(delivery_id=delivery.delivery_id, state=S.ACCEPTED)
            both.send(last, delivery, words, lambda: accepted, redirected=False)
            came.append("sent")
        except ResendRefused as error:
            came.append(error.code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, came)) == ["already_today", "sent"]


def test_a_server_out_of_reach_leaves_the_day_free(told):
    def nobody():
        return SmtpRelay(SmtpAccount(host="127.0.0.1", port=1, envelope_sender="a@bu.example.org", timeout_s=1,
                                     security=Security.PLAIN), backoff=Backoff(pauses=()))  # fmt: skip

    with pytest.raises(MailRelayUnavailable):
        email_again(told, relay=nobody)
    assert resent_rows(told) == [(False, "cancelled", "not_sent")]
    assert email_again(told).state is S.ACCEPTED


def test_a_server_that_says_later_leaves_the_day_free(told):
    told.mail.faults = Faults(refuse="lecteur1@", refusal="450 4.2.0 greylisted")
    assert refusal(email_again, told) is ResendRefusal.LATER
    told.mail.faults = Faults()
    assert email_again(told).state is S.ACCEPTED


def test_killed_in_between_an_sms_is_in_doubt_and_never_sent_again_that_day(told):
    class Killed(BaseException):
        """The process is no more."""

    class Dies:
        def credit(self):
            from loan_reminders.domain.sms.feedback import SmsCredit

            return SmsCredit(segments=1000, amount=1000, unit="SMS")

        def send(self, messages):
            raise Killed

        def close(self):
            pass

    with pytest.raises(Killed):
        text_again(told, provider=lambda _: Dies())
    assert resent_rows(told) == [(True, "in_doubt", "interrupted")]
    assert rows(told.ledger, "SELECT segments FROM deliveries JOIN resends USING (delivery_id)") == [(1,)]
    assert refusal(text_again, told) is ResendRefusal.ALREADY_TODAY
    assert len(told.sms.provider.accepted) == 2


def test_the_words_of_a_courtesy_notice_give_way_once_its_day_is_past(world):
    world.stage, world.today = Stage.COURTESY_NOTICE, DUE - timedelta(days=2)
    run_id = world.begin(*loans(1))
    world.send_emails(run_id)
    world.today = DUE
    assert email_again(world).stage is Stage.COURTESY_NOTICE
    world.today = DUE + timedelta(days=3)
    assert email_again(world).stage is Stage.OVERDUE_NOTICE
    assert "deviez rendre" in world.mail.messages()[-1].get_body(("plain",)).get_content()
