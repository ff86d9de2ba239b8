"""From the e-mail that leaves to the letter that takes its place: real servers, a real ledger, real reports."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.errors import BounceMailboxUnavailable
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.email.read_bounces import read_bounces
from loan_reminders.services.runs.extract import FAILED_WITHIN, RunRequest, extract_loans
from tests.gateways.email.test_bounce_mailbox import DONE, mailbox
from tests.scenes.bounce_samples import TO, away, dsn, human
from tests.scenes.world import DUE, SETTINGS, loan
from tests.simulators.imap_server import ImapServer

S = DeliveryState


@pytest.fixture
def returns():
    with ImapServer() as server:
        yield server


@pytest.fixture
def reminders(world):
    """The first reminder, on its day."""
    world.stage = Stage.FIRST_REMINDER
    world.today = DUE + timedelta(days=8)
    return world


def rows(world, query, **asked):
    from sqlalchemy import text

    with world.ledger.engine.begin() as connection:
        return connection.execute(text(query), asked).all()


def send(world, *loans):
    run_id = world.begin(*loans)
    world.send_emails(run_id)
    return run_id


def sent_id(world, number=1) -> uuid.UUID:
    """The delivery of the last e-mail to a reader."""
    [found, *_] = rows(
        world,
        "SELECT delivery_id FROM deliveries WHERE channel = 'email' AND recipient = :to"
        " ORDER BY claimed_at DESC NULLS LAST",
        to=f"lecteur{number}@etu.example.org",
    )
    return found.delivery_id


def read(world, returns, failures=5):
    return read_bounces(world.ledger.mail_feedback(), mailbox(returns), failures=failures)


def states(world):
    return sorted(tuple(row) for row in rows(world, "SELECT channel, state, coalesce(reason, '') FROM deliveries"))


def in_force(world):
    found = rows(world, "SELECT recipient, reason FROM suppressions WHERE lifted_at IS NULL")
    return {row.recipient: row.reason for row in found}


def next_run(world, *loans, days=1, dry_run=False):
    """The stage's run of a later day, on that day."""
    world.ils.rows = list(loans)
    world.today += timedelta(days=days)
    world.runs += 1
    rule = SETTINGS.policy().rule(world.stage)
    run = extract_loans(
        world.ledger,
        world.ils,
        RunRequest(
            rule=rule,
            reference_date=world.today,
            today=world.today,
            dag_run_id=f"next {world.runs}",
            dry_run=dry_run,
        ),
        policy=SETTINGS.policy(),
        since=datetime.now(UTC) - FAILED_WITHIN,
    )
    return run.run_id, world.plan(run.run_id)


def ours(caplog):
    """What the project itself logged."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("loan_reminders")]


def test_a_definite_bounce_kills_the_address_and_the_next_run_sends_the_letter(reminders, returns, tmp_path, caplog):
    send(reminders, loan(1), loan(2))
    returns.add(dsn(delivery=sent_id(reminders)), human(), away(Auto_Submitted="auto-replied"))
    with caplog.at_level(logging.INFO):
        counts = read(reminders, returns)
    assert (counts["hard"], counts["moved"], counts["dead_addresses"], counts["left"]) == (1, 1, 1, 1)
    assert "3 messages lus : 1 retour définitif, 1 réponse automatique, 1 laissé en place" in caplog.text
    assert not any(TO in line for line in ours(caplog))
    assert states(reminders) == [("email", "accepted", ""), ("email", "bounced", "dead_address")]
    assert in_force(reminders) == {TO: "hard_bounce"}
    assert (len(returns.contents()), len(returns.contents(DONE))) == (1, 2)
    new = loan(3, loan_id="new", due_date=DUE + timedelta(days=1))
    run_id, planned = next_run(reminders, loan(1), loan(2), new)
    assert planned == {"email": 1, "letter": 1}
    reminders.send_emails(run_id)
    reminders.print_letters(run_id, tmp_path)
    books = reminders.close(run_id)
    assert (books.loans_extracted, books.loans_in_notices, books.problems()) == (2, 2, ())
    assert books.deliveries[Channel.LETTER] == {S.ACCEPTED: 1}
    _, planned = next_run(reminders, loan(1), loan(2), new)
    assert planned == {}


def test_running_the_day_again_sends_the_letter(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    assert reminders.plan(reminders.extract(loan(1))) == {"letter": 1}
    assert next_run(reminders, loan(1))[1] == {}


@pytest.mark.parametrize(
    "now",
    [[], [loan(1, due_date=DUE + timedelta(days=30))]],
    ids=["returned", "renewed"],
)
def test_no_letter_for_what_is_returned_or_renewed(reminders, returns, now):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    run_id, planned = next_run(reminders, *now)
    assert planned == {}
    assert reminders.close(run_id).loans_extracted == 0


def test_a_letter_carried_over_is_not_printed_once_its_loan_is_back(reminders, returns, tmp_path):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    run_id, planned = next_run(reminders, loan(1))
    assert planned == {"letter": 1}
    reminders.ils.rows = []
    reminders.print_letters(run_id, tmp_path)
    assert reminders.close(run_id).deliveries[Channel.LETTER] == {S.CANCELLED: 1}


def test_a_bounce_that_comes_when_the_next_stage_is_due_sends_no_letter(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    run_id, planned = next_run(reminders, loan(1), days=7)
    assert planned == {}
    assert reminders.close(run_id).loans_extracted == 0


def test_a_stage_without_letters_takes_nothing_up(world, returns):
    send(world, loan(1))
    returns.add(dsn(delivery=sent_id(world)))
    read(world, returns)
    assert next_run(world, loan(1))[1] == {}


def test_a_dry_run_shows_the_letter_and_leaves_it_to_the_next(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    assert next_run(reminders, loan(1), dry_run=True)[1] == {"letter": 1}
    assert next_run(reminders, loan(1))[1] == {"letter": 1}


def test_a_letter_that_a_dead_run_left_planned_is_taken_over(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    read(reminders, returns)
    dead, planned = next_run(reminders, loan(1))
    assert planned == {"letter": 1}
    run_id, _ = next_run(reminders, loan(1))
    assert reminders.ledger.planned_volume(run_id) == {Channel.LETTER: 1}
    assert reminders.ledger.planned_volume(dead) == {}


def test_a_second_report_after_the_letter_left_changes_no_state_and_sends_no_second_letter(
    reminders, returns, tmp_path
):
    send(reminders, loan(1))
    mail = sent_id(reminders)
    returns.add(dsn(delivery=mail, status="4.4.1", diagnostic="timed out"))
    read(reminders, returns)
    run_id, _ = next_run(reminders, loan(1))
    reminders.print_letters(run_id, tmp_path)
    returns.add(dsn(delivery=mail))
    assert read(reminders, returns)["dead_addresses"] == 1
    assert states(reminders) == [("email", "bounced", "recipient_refused"), ("letter", "accepted", "")]
    assert next_run(reminders, loan(1))[1] == {}


@pytest.mark.parametrize(("status", "said"), [("5.2.2", "mailbox full"), ("5.7.1", "spam"), ("4.4.1", "timed out")])
def test_what_is_no_dead_address_frees_the_letter_and_keeps_the_address(reminders, returns, status, said):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders), status=status, diagnostic=said))
    assert read(reminders, returns)["soft"] == 1
    assert states(reminders) == [("email", "bounced", "recipient_refused")]
    assert in_force(reminders) == {}
    assert next_run(reminders, loan(1))[1] == {"letter": 1}


def test_a_delay_changes_nothing(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders), action="delayed", status="4.4.1"))
    counts = read(reminders, returns)
    assert (counts["delayed"], counts["moved"], counts["unknown"]) == (1, 0, 0)
    assert states(reminders) == [("email", "accepted", "")]


def test_forged_and_foreign_bounces_change_nothing(reminders, returns):
    send(reminders, loan(1), loan(2))
    returns.add(
        dsn(),
        dsn(delivery=sent_id(reminders, 2), to="quelqu.un@ailleurs.example"),
        dsn(returned="Subject: nothing quoted\n"),
    )
    counts = read(reminders, returns)
    assert (counts["hard"], counts["unknown"], counts["moved"], counts["dead_addresses"]) == (3, 3, 0, 0)
    assert {row[1] for row in states(reminders)} == {"accepted"}
    assert in_force(reminders) == {}


def test_a_forwarded_mail_that_bounces_is_told_by_the_address_we_wrote_to(reminders, returns):
    send(reminders, loan(1))
    returns.add(
        dsn(
            delivery=sent_id(reminders),
            to="perso@ailleurs.example",
            more_fields=f"Original-Recipient: rfc822;{TO.upper()}\n",
            returned=f"Message-ID: <{sent_id(reminders)}@bu-montclar.example>\n",
        )
    )
    assert read(reminders, returns)["moved"] == 1
    assert in_force(reminders) == {TO: "hard_bounce"}


def test_reading_the_same_mailbox_again_changes_nothing(reminders, returns):
    send(reminders, loan(1))
    report = dsn(delivery=sent_id(reminders))
    returns.add(report)
    read(reminders, returns)
    returns.add(report)
    counts = read(reminders, returns)
    assert (counts["hard"], counts["new"], counts["moved"], counts["dead_addresses"]) == (1, 0, 0, 0)
    assert len(returns.contents(DONE)) == 2


def test_a_line_cut_between_keeping_and_moving_loses_nothing(reminders, returns):
    send(reminders, loan(1))
    returns.add(dsn(delivery=sent_id(reminders)))
    returns.faults.drop_at = "MOVE"
    with pytest.raises(BounceMailboxUnavailable):
        read(reminders, returns)
    assert states(reminders) == [("email", "bounced", "dead_address")]
    counts = read(reminders, returns)
    assert (counts["hard"], counts["new"], counts["moved"]) == (1, 0, 0)
    assert (returns.contents(), len(returns.contents(DONE))) == ([], 1)


def soft_bounce(world, returns, number, bounced=True):
    """Another e-mail to the same reader, a day later each."""
    due = DUE + timedelta(days=number)
    run_id = world.extract_day(due, loan(1, loan_id=f"L{number}", due_date=due))
    world.plan(run_id)
    world.send_emails(run_id)
    world.today += timedelta(days=1)
    if bounced:
        returns.add(dsn(delivery=sent_id(world), status="5.2.2", diagnostic="mailbox full"))
    read(world, returns, failures=3)


def test_an_address_is_dead_after_so_many_bounces_in_a_row(reminders, returns):
    for number, dead in enumerate([False, False, True]):
        soft_bounce(reminders, returns, number)
        assert bool(in_force(reminders)) is dead


def test_one_email_that_arrived_begins_the_row_again(reminders, returns):
    for number, bounced in enumerate([True, True, False, True, True]):
        soft_bounce(reminders, returns, number, bounced)
    assert in_force(reminders) == {}
    soft_bounce(reminders, returns, 5)
    assert in_force(reminders) == {TO: "hard_bounce"}
