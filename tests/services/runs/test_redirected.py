"""What a trial leaves behind: its messages went to a test address, so that they told nobody, now or later."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.readers.told import Outcome, told
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import SkipReason
from loan_reminders.french.runs import books_sentence
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.statistics.reached import Reached, readers_reached
from loan_reminders.services.registered.approval import approve
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.ledger_runs import rows
from tests.scenes.letter_readers import by_post
from tests.scenes.resending import email_again, text_again
from tests.scenes.world import DUE, loan, loans, reader
from tests.simulators.smtp_sink import Faults

TRIAL = Redirect(
    email=an_email("essai@example.org"),
    mobile=a_mobile("33600000001"),
    allow=frozenset({an_email("lecteur2@etu.example.org"), a_mobile("33639980002")}),
)


def redirected(world):
    found = rows(world.ledger, "SELECT recipient, redirected FROM deliveries ORDER BY recipient")
    return {row.recipient: row.redirected for row in found}


@pytest.fixture
def trial(world):
    """A run of two readers while messages are redirected, but those of a named colleague, the second."""
    world.redirect = TRIAL
    books = world.whole_run(*loans(2))
    world.redirect = None
    return books


def test_what_went_to_a_test_address_is_recorded_and_a_named_colleague_is_told(world, trial):
    assert redirected(world) == {
        "33639980001": True, "33639980002": False,
        "lecteur1@etu.example.org": True, "lecteur2@etu.example.org": False,
    }  # fmt: skip
    assert (trial.redirected, trial.problems()) == (2, ())
    assert "essai, 2 envois détournés" in books_sentence(trial.figures())


def test_the_first_real_sms_to_a_number_says_who_writes_whatever_a_trial_sent(world, trial):
    later = [loan(3, patron=reader(1)), loan(4, patron=reader(2))]
    run_id = world.begin(*later)
    with world.ledger.sender(run_id, Channel.SMS) as sender:
        first = {one.recipient.value: one.first for page in sender.waiting() for one in page}
    assert first == {"33639980001": True, "33639980002": False}


def test_figures_count_who_was_told_and_what_was_paid(world, trial):
    told_by = rows(world.ledger, "SELECT channel, sum(told) AS told, sum(segments) AS segments FROM message_counters"
                                 " GROUP BY channel ORDER BY channel")  # fmt: skip
    assert [tuple(row) for row in told_by] == [("email", 1, 0), ("sms", 1, trial.segments)]
    assert [tuple(row) for row in rows(world.ledger, "SELECT channel, loans FROM return_counters")] == [("sms", 1)]
    with world.ledger.engine.connect() as connection:
        runs = list(connection.exec_driver_sql("SELECT run_id FROM runs").scalars())
        assert readers_reached(connection, runs) == {"overdue_notice": Reached(told=1, not_reached=0)}


def test_what_a_trial_said_is_said_a_second_time_by_no_run(world, trial):
    world.whole_run(*loans(2))
    assert (len(world.mailed_to()), len(world.texted_to())) == (2, 2)
    skipped = rows(world.ledger, "SELECT DISTINCT reason FROM skips WHERE slot IS NULL")
    assert [row.reason for row in skipped] == [SkipReason.ALREADY_SENT]


def test_the_readers_page_and_the_file_of_a_loan_do_not_call_it_told(world, trial):
    said, to_colleague = (told(world.ledger.dispute().file(loan_id)) for loan_id in ("L1", "L2"))
    assert (said.times, said.outcome) == (0, Outcome.REDIRECTED)
    assert to_colleague.times == 1


def test_what_a_trial_was_refused_says_nothing_of_the_readers_own_address(world):
    world.redirect = replace(TRIAL, allow=frozenset())
    world.mail.faults = Faults(refuse="essai@")
    world.send_emails(world.begin(*loans(1)), last_try=True)
    assert rows(world.ledger, "SELECT state FROM deliveries WHERE channel = 'email'")[0].state == "refused"
    world.redirect = None
    assert world.ledger.remember_refused_addresses() == 0
    assert rows(world.ledger, "SELECT FROM suppressions") == []
    world.mail.faults = Faults()
    world.send_emails(world.begin(*loans(1)), last_try=True)
    assert world.mailed_to() == ["lecteur1@etu.example.org"], "caught up live, it goes where the reader is"


def test_a_trial_takes_no_message_that_did_not_arrive_off_the_desk(world):
    """A colleague named by his e-mail alone: his SMS of the same stage goes to the test phone."""
    world.redirect = replace(TRIAL, allow=frozenset({an_email("lecteur1@etu.example.org")}))
    world.mail.faults = Faults(refuse="lecteur1@")
    run_id = world.begin(*loans(1))
    world.send_emails(run_id, last_try=True)
    world.send_sms(run_id)
    assert [(row.channel, row.redirected) for row in rows(
        world.ledger, "SELECT channel, redirected FROM deliveries ORDER BY channel"
    )] == [("email", False), ("sms", True)]  # fmt: skip
    ever = datetime(2000, 1, 1, tzinfo=UTC)
    work = world.ledger.desk().work(since=ever, doubtful_before=ever.replace(year=2999))
    assert [one.channel for one in work.not_arrived] == [Channel.EMAIL]


def test_what_a_librarian_sends_again_during_a_trial_tells_nobody_either(world):
    world.redirect = TRIAL
    world.whole_run(*loans(2))
    world.mail.faults = Faults(refuse="essai@")
    for patron_id in ("P1", "P2"):
        email_again(world, patron_id)
        text_again(world, patron_id)
    world.redirect = None
    again = rows(world.ledger, "SELECT patron_id, redirected, count(*) FROM deliveries JOIN resends USING (delivery_id)"
                               " GROUP BY patron_id, redirected ORDER BY patron_id")  # fmt: skip
    assert [tuple(row) for row in again] == [("P1", True, 2), ("P2", False, 2)]
    assert world.ledger.remember_refused_addresses() == 0
    assert rows(world.ledger, "SELECT FROM suppressions") == []
    assert world.ledger.part(PostgresResends).never_reached("33639980001")
    assert told(world.ledger.dispute().file("L1")).times == 0


class TestLetters:
    def test_letters_of_a_trial_are_marked_for_good_and_name_what_left_before(self, world, printer, letters):
        world.redirect = TRIAL
        world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
        run_id = world.begin(by_post(1, "A", "1 RUE A", "06000 NICE"))
        world.print_letters(run_id, letters)
        world.redirect = None
        [batch] = world.ledger.letters().batches()
        assert (batch.trial, batch.name.startswith("essai/")) == (True, True)
        assert [row.redirected for row in rows(world.ledger, "SELECT redirected FROM deliveries")] == [True]
        assert world.close(run_id).redirected == 1
        world.ledger.letters().mark_printed(batch.batch_id, who="zoé")
        assert rows(world.ledger, "SELECT FROM message_counters WHERE told > 0 OR waiting > 0") == []
        assert rows(world.ledger, "SELECT FROM letter_counters") == []

    @pytest.mark.parametrize("is_trial", [True, False])
    def test_what_was_approved_as_a_trial_is_printed_as_one(self, world, printer, letters, is_trial):
        world.redirect = TRIAL if is_trial else None
        world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
        run_id = world.begin(by_post(1, "A", "1 RUE A", "06000 NICE"))
        world.prepare_letters(run_id, letters)
        approve(world.ledger, run_id=run_id, who="zoé", references="", detail="")
        world.redirect = None
        world.print_letters(run_id, letters, approved_only=True)
        assert [one.trial for one in world.ledger.letters().batches()] == [is_trial, is_trial]
        assert rows(world.ledger, "SELECT redirected FROM deliveries")[0].redirected is is_trial

    @pytest.mark.parametrize("trial", [True, False])
    def test_a_live_letter_names_no_reminder_that_was_redirected(self, world, trial):
        world.redirect = TRIAL
        world.whole_run(loan(1))
        world.redirect, world.stage, world.today = None, Stage.FIRST_REMINDER, DUE + timedelta(days=8)
        run_id = world.begin(loan(1))
        with world.ledger.sender(run_id, Channel.EMAIL) as sender:
            [waiting] = [one for page in sender.waiting() for one in page]
            earlier = sender.earlier_reminders([waiting], zone="Europe/Paris", trial=trial)
        assert len(earlier.get(waiting.delivery_id, ())) == (2 if trial else 0)
