"""A sender that dies leaves its claims in doubt, and only those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from loan_reminders.domain.errors import LedgerUnavailable
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import (
    S,
    a_run,
    answer,
    by_id,
    dead_sender,
    first_to_a_number,
    ids,
    offered,
    rows,
    states,
    terminate,
)
from tests.scenes.sentences import saying

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("channel", "offered_again"),
    [(Channel.EMAIL, True), (Channel.SMS, False), (Channel.LETTER, True), (Channel.REGISTERED_LETTER, True)],
)
def test_what_a_dead_sender_held_is_in_doubt(ledger: PostgresLedger, channel: Channel, offered_again: bool) -> None:
    run_id, (claimed, answered, waiting) = a_run(ledger, channel)
    with dead_sender(ledger, ledger.run(run_id), channel) as sender:
        sender.claim(ids([claimed, answered]))
        sender.record([answer(answered, S.ACCEPTED)])
    assert ledger.planned_count(run_id, channel) == (2 if offered_again else 1)
    with ledger.sender(run_id, channel) as heir:
        assert states(ledger)[claimed.delivery_id] == ("in_doubt", "interrupted")
        assert rows(ledger, "SELECT delivery_id, state, reason FROM receipts ORDER BY receipt_id DESC LIMIT 1") == [
            (claimed.delivery_id, "in_doubt", "interrupted")
        ]
        expected = [claimed, waiting] if offered_again else [waiting]
        assert ledger.planned_count(run_id, channel) == len(expected)
        assert offered(heir) == by_id(expected)
        assert heir.claim(ids([claimed, waiting])) == set(ids(expected))
    query = "SELECT delivery_id, attempts FROM deliveries WHERE resent_in_doubt"
    assert rows(ledger, query) == ([(claimed.delivery_id, 2)] if offered_again else [])


def test_an_sms_that_a_dead_sender_held_costs_what_was_claimed_for_it(ledger: PostgresLedger) -> None:
    run_id, (claimed, given_back, waiting) = a_run(ledger, Channel.SMS)
    with dead_sender(ledger, ledger.run(run_id), Channel.SMS) as sender:
        sender.claim(ids([claimed, given_back]), segments=2)
        sender.record([answer(given_back, S.PLANNED, Reason.NOT_SENT)])
    with ledger.sender(run_id, Channel.SMS):
        counted = dict(rows(ledger, "SELECT delivery_id, segments FROM deliveries"))
    assert counted == {claimed.delivery_id: 2, given_back.delivery_id: 0, waiting.delivery_id: 0}


def test_a_live_sender_keeps_its_claims(ledger: PostgresLedger) -> None:
    run_id, (held, *_) = a_run(ledger, Channel.EMAIL)
    with ledger.sender(run_id, Channel.EMAIL) as alive:
        alive.claim(ids([held]))
        assert ledger.planned_count(run_id, Channel.EMAIL) == 2
        with ledger.sender(run_id, Channel.EMAIL) as second:
            assert states(ledger)[held.delivery_id] == ("claimed", None)
            assert held not in offered(second)
        alive.record([answer(held, S.ACCEPTED)])
    assert states(ledger)[held.delivery_id] == ("accepted", None)


def test_a_sender_killed_by_the_system_leaves_only_its_claims_in_doubt(ledger: PostgresLedger, ledger_url: str) -> None:
    run_id, deliveries = a_run(ledger, Channel.SMS)
    program = f"""
import sys, uuid
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.connect import connect
ledger = connect({ledger_url!r}, library="demo")
sender = ledger.sender({run_id}, Channel.SMS).__enter__()
sender.claim([uuid.UUID({str(deliveries[0].delivery_id)!r})])
print("claimed", flush=True)
sys.stdin.read()
"""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}"}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    still_there = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
    for _ in range(500):
        if not rows(ledger, still_there + " AND pg_sleep(0.01) IS NOT NULL"):
            break
    with ledger.sender(run_id, Channel.SMS) as sender:
        assert offered(sender) == first_to_a_number(by_id(deliveries[1:]))
    assert states(ledger)[deliveries[0].delivery_id] == ("in_doubt", "interrupted")


def test_a_sender_that_lost_its_connection_claims_nothing_more(ledger: PostgresLedger) -> None:
    run_id, deliveries = a_run(ledger, Channel.EMAIL)
    with ledger.sender(run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries[:1]))
        terminate(ledger, sender)
        for _ in range(2):
            with pytest.raises(LedgerUnavailable):
                sender.record_and_claim([answer(deliveries[0], S.ACCEPTED)], ids(deliveries[1:]))
        with pytest.raises(LedgerUnavailable):
            offered(sender)
    with pytest.raises(LedgerUnavailable, check=saying("est fermée")):
        sender.claim(ids(deliveries))


def test_an_answer_that_comes_too_late_is_kept_and_changes_nothing(ledger: PostgresLedger) -> None:
    run_id, (delivery, other, _) = a_run(ledger, Channel.EMAIL)
    with ledger.sender(run_id, Channel.EMAIL) as first:
        first.claim(ids([delivery, other]))
        terminate(ledger, first)
    with ledger.sender(run_id, Channel.EMAIL) as second, ledger.sender(run_id, Channel.EMAIL) as third:
        assert second.claim(ids([delivery])) == {delivery.delivery_id}
        late = [answer(delivery, S.PLANNED, Reason.RECIPIENT_DEFERRED), answer(other, S.ACCEPTED)]
        third.record(late)
        assert states(ledger)[delivery.delivery_id] == ("claimed", None)
        assert states(ledger)[other.delivery_id] == ("accepted", None)
        second.record([answer(delivery, S.ACCEPTED)])
        second.record([answer(delivery, S.REFUSED)])
    assert states(ledger)[delivery.delivery_id] == ("accepted", None)
    kept = "SELECT state, applied FROM receipts WHERE delivery_id = :id ORDER BY receipt_id"
    assert rows(ledger, kept, id=delivery.delivery_id) == [
        ("in_doubt", True),
        ("planned", False),
        ("accepted", True),
        ("refused", False),
    ]


def test_letters_of_a_run_have_one_sender_at_a_time(ledger: PostgresLedger) -> None:
    run_id, letters = a_run(ledger, Channel.LETTER)
    with ledger.sender(run_id, Channel.LETTER) as first:
        with pytest.raises(LedgerUnavailable, check=saying("imprime déjà")):
            ledger.sender(run_id, Channel.LETTER).__enter__()
        assert first.claim(ids(letters)) == set(ids(letters))
        terminate(ledger, first)
    with ledger.sender(run_id, Channel.LETTER) as heir:
        assert offered(heir) == by_id(letters)


def test_who_holds_the_lock_of_a_runs_letters_is_alone_and_is_no_sender(ledger: PostgresLedger) -> None:
    run_id, letters = a_run(ledger, Channel.LETTER)
    with ledger.sender(run_id, Channel.LETTER) as killed:
        killed.claim(ids(letters[:1]))
        terminate(ledger, killed)
    with ledger.alone(run_id, Channel.LETTER):
        for other in (ledger.alone(run_id, Channel.LETTER), ledger.sender(run_id, Channel.LETTER)):
            with pytest.raises(LedgerUnavailable, check=saying("imprime déjà")):
                other.__enter__()
        assert [one.delivery_id for one in ledger.sample(run_id, Channel.LETTER, size=5)] == ids(by_id(letters[1:]))
        assert states(ledger)[letters[0].delivery_id] == ("claimed", None)
        with ledger.alone(run_id, Channel.REGISTERED_LETTER):
            pass
    with ledger.sender(run_id, Channel.LETTER):
        assert states(ledger)[letters[0].delivery_id] == ("in_doubt", "interrupted")


def locks_at_the_end(ledger: PostgresLedger) -> list[int]:
    """Filled with the number of advisory locks still held whenever a connection of one's own is about to end."""
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    numbers: list[int] = []
    event.listen(ledger.engine, "close_detached", lambda _: numbers.append(rows(ledger, held)[0][0]))
    return numbers


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.REGISTERED_LETTER])
def test_a_sender_gives_its_locks_back_before_its_connection_ends(ledger: PostgresLedger, channel: Channel) -> None:
    run_id, _ = a_run(ledger, channel)
    left = locks_at_the_end(ledger)
    with ledger.sender(run_id, channel):
        pass
    assert left == [0]


def test_a_sender_stopped_by_an_error_gives_its_locks_back(ledger: PostgresLedger) -> None:
    run_id, (first, *_) = a_run(ledger, Channel.LETTER)
    left = locks_at_the_end(ledger)

    def broken() -> None:
        with ledger.sender(run_id, Channel.LETTER) as sender:
            sender.claim([first.delivery_id])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert left == [0]


def test_a_sender_refused_on_entering_gives_back_what_it_had(ledger: PostgresLedger) -> None:
    run_id, _ = a_run(ledger, Channel.LETTER)
    with ledger.alone(run_id, Channel.LETTER):
        left = locks_at_the_end(ledger)
        with pytest.raises(LedgerUnavailable):
            ledger.sender(run_id, Channel.LETTER).__enter__()
        assert left == [1]
    assert left == [1, 0]
