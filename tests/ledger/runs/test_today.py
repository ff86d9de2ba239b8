"""What the first page asks of the ledger: the runs of a day added up, whom they told, the last days, the credit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.notices import Skip
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.runs.today import PostgresToday
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_letters import a_batch
from tests.scenes.ledger_runs import answer, extracted, ids, opened, planned, rows, some_deliveries

ZONE = "Europe/Paris"
S = DeliveryState
TODAY = DUE_DATE + timedelta(days=1)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 10, 42, tzinfo=ZoneInfo(ZONE))


def at(now=NOW, *, ledger):
    return ledger.part(PostgresToday).today(now, zone=ZONE)


def send(ledger, run, deliveries, state=S.ACCEPTED, reason=None):
    with ledger.sender(run.run_id, deliveries[0].channel) as sender:
        sender.claim(ids(deliveries))
        sender.record([answer(one, state, reason) for one in deliveries])
    left = {"at": NOW, "ids": ids(deliveries)}
    rows(ledger, "UPDATE deliveries SET claimed_at = :at WHERE delivery_id = ANY(:ids)", **left)


def test_an_empty_ledger_has_nothing_and_says_that_nothing_began(ledger):
    found = at(ledger=ledger)
    assert (found.began, dict(found.stages), found.credit) == (False, {}, None)
    assert (dict(found.last_days), dict(found.credit_by_day), dict(found.spent_by_day)) == ({}, {}, {})


def test_a_dry_run_and_another_library_are_not_the_day(ledger):
    opened(ledger, dry_run=True)
    rows(ledger, "UPDATE runs SET library = 'other' WHERE run_id = :id", id=opened(ledger, dag_run_id="x").run_id)
    assert not at(ledger=ledger).began
    assert not at(ledger=ledger).stages


def test_a_reader_with_two_messages_is_told_once_and_one_with_none_is_not_reached(ledger):
    emails = some_deliveries(3)
    sms = a_delivery(channel=Channel.SMS, notice=emails[0].notice)
    lost = a_loan(loan_id="N", patron=a_patron(patron_id="N"))
    deliveries = [*emails, sms]
    run = extracted(ledger, [*(loan for one in emails for loan in one.notice.loans), lost])
    skips = [Skip(loan_id="N", due_date=DUE_DATE, patron_id="N", reason=SkipReason.NO_RECIPIENT)]
    with ledger.planning(run.run_id) as planning:
        planning.record(deliveries, skips)
    send(ledger, run, emails[:2])
    send(ledger, run, [sms])
    send(ledger, run, emails[2:], S.REFUSED, Reason.RECIPIENT_REFUSED)
    ledger.close_run(run.run_id)
    figures = at(ledger=ledger).stages[Stage.OVERDUE_NOTICE]
    assert (figures.loans, figures.told, figures.not_reached) == (4, 2, 2)
    assert (figures.sent[Channel.EMAIL], figures.sent[Channel.SMS]) == (2, 1)
    assert (figures.run.balanced, figures.books.loans, figures.books.explained, figures.books.undone) == (True, 4, 4, 0)


def test_a_reader_whose_message_still_waits_or_is_in_doubt_is_not_given_up(ledger):
    waiting, doubtful = some_deliveries(2, channel=Channel.SMS)
    run = planned(ledger, [waiting, doubtful])
    send(ledger, run, [doubtful], S.IN_DOUBT, Reason.NO_ANSWER)
    figures = at(ledger=ledger).stages[Stage.OVERDUE_NOTICE]
    assert (figures.not_reached, figures.told, figures.in_doubt, figures.run.sms_waiting) == (0, 0, 1, 1)
    assert figures.books is None


def test_a_run_that_is_begun_again_adds_to_the_day_and_the_newest_says_where_it_is(ledger):
    first = some_deliveries(2)
    run = planned(ledger, first)
    send(ledger, run, first)
    ledger.close_run(run.run_id)
    again = extracted(ledger, [loan for one in first for loan in one.notice.loans], dag_run_id="run-2")
    figures = at(ledger=ledger).stages[Stage.OVERDUE_NOTICE]
    assert (figures.told, figures.loans) == (2, 2)
    assert (figures.run.run_id, figures.run.dag_run_id, figures.run.balanced) == (again.run_id, "run-2", None)


def test_a_question_about_the_volume_is_known_by_its_newest_answer(ledger):
    run = planned(ledger, some_deliveries(1))
    for said in (VolumeAnswer.ASKED, VolumeAnswer.APPROVED):
        ledger.record_volume_answer(run.run_id, said, who="zoé")
        assert at(ledger=ledger).stages[Stage.OVERDUE_NOTICE].run.volume is said


@pytest.mark.parametrize("draft", [True, False])
def test_letters_wait_for_an_approval_or_for_the_printer(ledger, draft):
    letters = some_deliveries(3, channel=Channel.REGISTERED_LETTER)
    run = planned(ledger, letters, stage=Stage.REGISTERED_LETTER)
    with ledger.sender(run.run_id, Channel.REGISTERED_LETTER) as sender:
        if not draft:
            sender.claim(ids(letters))
        sender.record_batch(
            a_batch(letters, draft=draft), [] if draft else [answer(one, S.ACCEPTED) for one in letters]
        )
    figures = at(ledger=ledger).stages[Stage.REGISTERED_LETTER]
    assert (figures.run.drafts, figures.run.to_print) == ((3, 0) if draft else (0, 3))
    ledger.drafts().approve(run.run_id, taken_out=[], who="zoé")
    assert at(ledger=ledger).stages[Stage.REGISTERED_LETTER].run.drafts == 0


def test_the_last_seven_days_are_those_on_which_messages_left(ledger):
    emails, sms = some_deliveries(2), some_deliveries(1, channel=Channel.SMS, prefix="S")
    run = planned(ledger, [*emails, *sms])
    send(ledger, run, emails)
    send(ledger, run, sms)
    saturday = {"at": NOW - timedelta(days=6), "old": NOW - timedelta(days=7)}
    rows(ledger, "UPDATE deliveries SET claimed_at = :at WHERE channel = 'sms'", at=saturday["at"])
    one = {"id": emails[0].delivery_id, "old": saturday["old"]}
    rows(ledger, "UPDATE deliveries SET claimed_at = :old WHERE delivery_id = :id", **one)
    found = at(ledger=ledger)
    assert found.last_days == {TODAY: {Channel.EMAIL: 1}, TODAY - timedelta(days=6): {Channel.SMS: 1}}
    assert found.spent_by_day == {TODAY - timedelta(days=6): 1}


def test_letters_count_on_the_day_their_batch_was_ready(ledger):
    letters = some_deliveries(3, channel=Channel.LETTER)
    run = planned(ledger, letters, stage=Stage.FIRST_REMINDER)
    with ledger.sender(run.run_id, Channel.LETTER) as sender:
        sender.claim(ids(letters))
        sender.record_batch(a_batch(letters), [answer(one, S.ACCEPTED) for one in letters])
    rows(ledger, "UPDATE letter_batches SET at = :at, left_out = 1", at=NOW)
    assert at(ledger=ledger).last_days == {TODAY: {Channel.LETTER: 2}}


def test_the_days_that_ended_well_are_known_by_their_readers(ledger):
    for back in (0, 2):
        run = planned(ledger, some_deliveries(1, prefix=f"D{back}"), dag_run_id=f"run {back}",
                      reference_date=TODAY - timedelta(days=back))  # fmt: skip
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(waiting := [one.delivery_id for page in sender.waiting() for one in page])
            sender.record([answer(one, S.ACCEPTED) for one in waiting])
        ledger.close_run(run.run_id)
    found = at(ledger=ledger)
    assert {(run.day, run.notices) for run in found.past} == {(TODAY, 1), (TODAY - timedelta(days=2), 1)}


def test_the_credit_is_what_the_provider_said_last_less_what_left_since(ledger):
    ledger.keep_sms_credit(1000, at=NOW - timedelta(days=1))
    ledger.keep_sms_credit(900, at=NOW - timedelta(hours=3))
    sms = some_deliveries(2, channel=Channel.SMS)
    send(ledger, planned(ledger, sms), sms)
    found = at(ledger=ledger)
    assert (found.credit.segments, found.credit.at, found.credit.left) == (900, NOW - timedelta(hours=3), 898)
    assert found.credit_by_day == {TODAY - timedelta(days=1): 1000, TODAY: 900}


def test_a_credit_that_does_not_change_is_one_line_an_hour(ledger):
    for minutes in (0, 10, 20, 90):
        ledger.keep_sms_credit(900, at=NOW + timedelta(minutes=minutes))
    ledger.keep_sms_credit(800, at=NOW + timedelta(minutes=91))
    # What is asked late, or of a clock that was set back, never moves a line backwards.
    ledger.keep_sms_credit(800, at=NOW)
    lines = rows(ledger, "SELECT segments, at FROM sms_credits ORDER BY credit_id")
    said = [(900, 20), (900, 90), (800, 91), (800, 0)]
    assert [tuple(line) for line in lines] == [(credit, NOW + timedelta(minutes=late)) for credit, late in said]


def test_no_name_and_no_address_is_in_what_the_page_gets(ledger):
    patron = a_patron(patron_id="SECRET", name="Camille Secrète", email=EmailAddress(value="secret@example.fr"))
    delivery = a_delivery(notice=a_notice(loans=(a_loan(patron=patron),)))
    send(ledger, planned(ledger, [delivery]), [delivery])
    assert "secr" not in repr(at(ledger=ledger)).lower()
    assert at(ledger=ledger).stages[Stage.OVERDUE_NOTICE].told == 1


def test_the_day_is_that_of_the_library_not_of_the_server(ledger):
    sms = some_deliveries(1, channel=Channel.SMS)
    send(ledger, planned(ledger, sms), sms)
    before_midnight_utc = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=ZoneInfo(ZONE)) + timedelta(minutes=10)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at", at=before_midnight_utc)
    assert set(at(ledger=ledger).spent_by_day) == {TODAY}
    assert isinstance(next(iter(at(ledger=ledger).last_days)), date)
