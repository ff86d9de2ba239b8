"""What waits for a person, each kind out of the ledger, and gone once it is done."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.runs.to_do import ToDoKind
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.run_pages.questions import PostgresQuestions
from loan_reminders.ledger.run_pages.run_page import PostgresRunPages
from loan_reminders.ledger.run_pages.to_do import MOST_COUNTED, PostgresToDo
from tests.scenes.builders import DUE_DATE
from tests.scenes.ledger_emails import came_back_in_a_mass
from tests.scenes.ledger_letters import closed, drafted
from tests.scenes.ledger_registered import ONE, TWO, in_a_batch, number, post, ref
from tests.scenes.ledger_runs import answer, ids, opened, planned, rows, some_deliveries

PARIS = ZoneInfo("Europe/Paris")
K = ToDoKind


@pytest.fixture
def waits(ledger):
    """The list now, as kind → item."""

    def ask(now=None, **changes):
        now = now or datetime.now(PARIS)
        asked = {
            "starts": {stage: time(10) for stage in Stage},
            "posted_before": now.date() - timedelta(days=30),
            "sent_since": now - timedelta(days=366),
        }
        return {item.kind: item for item in ledger.part(PostgresToDo).items(now=now, **{**asked, **changes})}

    return ask


def test_an_empty_ledger_waits_for_nobody(waits):
    assert waits() == {}


def test_a_volume_waits_until_it_is_answered_here_or_in_airflow(ledger, waits):
    run = planned(ledger, some_deliveries(3))
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    item = waits()[K.VOLUME]
    assert (item.run_id, item.number, item.stage) == (run.run_id, 3, Stage.OVERDUE_NOTICE)
    ledger.part(PostgresQuestions).answered(run.run_id, Question.VOLUME, agreed=True, who="zoé")
    assert K.VOLUME not in waits()
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    assert K.VOLUME in waits()
    ledger.record_volume_answer(run.run_id, VolumeAnswer.REFUSED, who="zoé")
    assert K.VOLUME not in waits()
    acts = rows(ledger, "SELECT act, who, run_id, facts->>'stage' FROM journal")
    assert acts == [("volume_refused", "zoé", run.run_id, "overdue_notice")]


def test_what_nobody_answered_in_a_day_waits_for_nobody(ledger, waits):
    run = planned(ledger, some_deliveries(1))
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    assert K.VOLUME not in waits(datetime.now(PARIS) + timedelta(hours=26))
    ledger.record_volume_answer(run.run_id, VolumeAnswer.REFUSED, who="sans réponse")
    assert rows(ledger, "SELECT act FROM journal") == []


def test_drafts_wait_for_an_approval_and_closed_batches_for_the_printer(ledger, waits):
    run_id, batch_id, (first, *_) = drafted(ledger)
    item = waits()[K.APPROVAL]
    assert (item.run_id, item.batch_id, item.number, item.pages) == (run_id, batch_id, 3, 6)
    ledger.part(PostgresQuestions).answered(run_id, Question.LETTERS, agreed=True, who="zoé")
    assert K.APPROVAL not in waits()
    ledger.drafts().approve(run_id, taken_out=[first.delivery_id], who="zoé", detail="rendu")
    assert K.APPROVAL not in waits()
    acts = rows(ledger, "SELECT act, who, detail, run_id FROM journal ORDER BY entry_id")
    assert acts == [("letter_taken_out", "zoé", "rendu", run_id), ("letters_approved", "zoé", "", run_id)]

    _, batch_id, _ = closed(ledger, channel=Channel.LETTER, prefix="S")
    item = waits()[K.PRINT]
    assert (item.batch_id, item.number, item.channel) == (batch_id, 3, Channel.LETTER)
    ledger.letters().mark_printed(batch_id, who="zoé")
    assert K.PRINT not in waits()


def test_letters_that_were_refused_wait_no_more(ledger, waits):
    run_id, _, _ = drafted(ledger)
    ledger.drafts().refuse(run_id, who="zoé", detail="erreur")
    assert K.APPROVAL not in waits()
    assert rows(ledger, "SELECT act, detail FROM journal") == [("letters_refused", "erreur")]


def test_registered_letters_wait_for_a_number_then_the_post_then_their_acknowledgement(ledger, waits):
    in_a_batch(ledger, 2)
    books = ledger.registered()
    assert waits()[K.NUMBER].number == 2
    books.take(number(ONE), reference=ref(0), who="zoé")
    books.take(number(TWO), reference=ref(1), who="zoé")
    found = waits()
    assert (K.NUMBER in found, found[K.POST].number) == (False, 2)
    books.take(post(), number=ONE, who="zoé")
    now = datetime.now(PARIS)
    assert K.ACKNOWLEDGEMENT not in waits()
    found = waits(posted_before=now.date() + timedelta(days=400))
    assert (found[K.POST].number, found[K.ACKNOWLEDGEMENT].number) == (1, 1)


def test_registered_letters_of_a_trial_wait_for_the_printer_alone(ledger, waits):
    _, batch_id, _ = closed(ledger, prefix="R", trial=True)
    assert (waits()[K.PRINT].number, waits()[K.PRINT].trial) == (3, True)
    ledger.letters().mark_printed(batch_id, who="zoé")
    assert waits() == {}
    books = ledger.registered()
    assert books.batches_to_post() == ()
    printed = books.in_state(RegisteredState.PRINTED)
    assert (len(printed), {one.trial for one in printed}) == (3, {True})
    books.take(number(ONE), reference=printed[0].reference, who="zoé")
    assert (waits(), books.batches_to_post()) == ({}, ())


def test_what_did_not_arrive_is_counted_up_to_a_limit(ledger, waits):
    mails = some_deliveries(MOST_COUNTED + 3)
    run = planned(ledger, mails)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(mails))
        sender.record([answer(one, DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED) for one in mails[2:]])
        sender.record([answer(one, DeliveryState.IN_DOUBT, Reason.NO_ANSWER) for one in mails[:2]])
    rows(ledger, "UPDATE runs SET closed_at = now()")
    found = waits()
    assert (found[K.NOT_ARRIVED].number, found[K.NOT_ARRIVED].many) == (MOST_COUNTED, True)
    assert (found[K.IN_DOUBT].number, found[K.IN_DOUBT].many) == (2, False)
    for one in mails[:2]:
        assert ledger.desk().settle(one.delivery_id, who="zoé")
    assert K.IN_DOUBT not in waits()
    acts = rows(ledger, "SELECT DISTINCT act, facts->>'channel' FROM journal WHERE delivery_id IS NOT NULL")
    assert acts == [("delivery_settled", "email")]


def test_bounces_in_a_mass_wait_for_a_decision(ledger, waits):
    came_back_in_a_mass(ledger)
    item = waits()[K.BOUNCES]
    assert (item.number, item.detail) == (6, "univ.example")
    ledger.mail_feedback().decide("univ.example", dead=False, who="zoé", failures=3)
    assert K.BOUNCES not in waits()
    assert rows(ledger, "SELECT act, detail FROM journal") == [("bounces_not_believed", "univ.example")]


def test_days_without_a_run_are_one_line_a_stage(ledger, waits):
    day = DUE_DATE + timedelta(days=1)
    green = opened(ledger)
    ledger.finish_extraction(green.run_id, 0)
    with ledger.planning(green.run_id):
        pass
    ledger.close_run(green.run_id)
    now = datetime.combine(day + timedelta(days=3), time(13), PARIS)
    item = waits(now)[K.MISSED_DAY]
    assert item.stage is Stage.OVERDUE_NOTICE
    assert item.days == tuple(day + timedelta(days=number) for number in (1, 2, 3))


def test_a_run_whose_reading_never_ended_is_a_missed_day_and_one_that_is_wrong_has_its_page(ledger, waits):
    opened(ledger)
    later = datetime.now(PARIS) + timedelta(hours=3)
    assert K.MISSED_DAY not in waits()
    assert waits(later)[K.MISSED_DAY].days == (DUE_DATE + timedelta(days=1),)
    run = planned(ledger, some_deliveries(1), dag_run_id="other")
    ledger.close_run(run.run_id)
    item = waits(later)[K.BOOKS_WRONG]
    assert (item.run_id, item.days) == (run.run_id, (DUE_DATE + timedelta(days=1),))
    day = DUE_DATE + timedelta(days=3)
    another = planned(ledger, some_deliveries(1, prefix="N"), dag_run_id="next", reference_date=day)
    ledger.close_run(another.run_id)
    rows(ledger, "UPDATE runs SET started_at = now()")
    item = waits(later)[K.BOOKS_WRONG]
    assert (item.run_id, item.days, item.number) == (run.run_id, (DUE_DATE + timedelta(days=1), day), 2)


def test_the_answer_of_a_question_is_told_once_wherever_it_was_given(ledger):
    run_id, _, _ = drafted(ledger)
    questions, pages = ledger.part(PostgresQuestions), ledger.part(PostgresRunPages)
    assert questions.asking(run_id, Question.LETTERS).answered is None
    questions.answered(run_id, Question.LETTERS, agreed=True, who="zoé")
    assert questions.asking(run_id, Question.LETTERS).answered is True
    assert [(one.agreed, one.who) for one in pages.run(run_id, names=False).answers] == [(True, "zoé")]
    ledger.drafts().approve(run_id, taken_out=[], who="zoé")
    assert [(one.agreed, one.who) for one in pages.run(run_id, names=False).answers] == [(True, "zoé")]


def test_there_is_no_question_of_an_unknown_run_or_another_library(ledger, ledger_url):
    from loan_reminders.ledger.connect import connect

    run_id, _, _ = drafted(ledger)
    assert ledger.part(PostgresQuestions).asking(run_id + 1, Question.LETTERS) is None
    with connect(ledger_url, library="other") as other:
        assert other.part(PostgresQuestions).asking(run_id, Question.LETTERS) is None
        assert other.part(PostgresRunPages).run(run_id, names=True) is None
