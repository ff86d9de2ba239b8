"""Two senders on the same run at once, over real sockets: a task cleared while it still runs, or two schedulers.

Each message leaves once, whoever sends it; both senders come to an end; the books are right.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Barrier

import pytest

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.connect import connect
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.world import loan, reader

S = DeliveryState
READERS = 300


def many_loans():
    return [
        loan(
            number,
            patron=reader(number, email=an_email(f"l{number}@etu.example.org"), mobile=a_mobile(f"33639{number:06d}")),
        )
        for number in range(READERS)
    ]


@pytest.fixture
def two_at_once(world, ledger_url):
    """Run one task twice at the same moment, each with a ledger of its own, as two processes have."""

    def both(task):
        together = Barrier(2)

        def one(ledger):
            mine = replace(world, ledger=ledger)
            together.wait(10)
            return task(mine)

        with ExitStack() as stack:
            ledgers = [stack.enter_context(connect(ledger_url, library="demo")) for _ in range(2)]
            pool = stack.enter_context(ThreadPoolExecutor(2))
            return list(pool.map(one, ledgers, timeout=60))

    return both


def wait_until(came):
    until = time.monotonic() + 30
    while not came():
        assert time.monotonic() < until, "it did not come about within 30 seconds"
        time.sleep(0.01)


def accepted_by_each(tallies):
    assert all(set(tally) <= {"accepted"} for tally in tallies), tallies
    return [tally.get("accepted", 0) for tally in tallies]


def test_each_email_leaves_once_when_two_send(world, ledger_url):
    """The first has all the connections it knows of; the settings now allow two more: the second has these."""
    run_id = world.begin(*many_loans())
    world.mail.faults.late, world.mail.faults.late_s = READERS, 0.2

    def send(connections):
        with connect(ledger_url, library="demo") as ledger:
            return replace(world, ledger=ledger).send_emails(run_id, connections=connections)

    with ThreadPoolExecutor(2) as pool:
        tallies = [pool.submit(send, 2)]
        wait_until(lambda: world.mail.connections == 2)
        tallies.append(pool.submit(send, 4))
        wait_until(lambda: world.mail.connections > 2)
        world.mail.faults.late = 0
        shares = accepted_by_each([tally.result(timeout=60) for tally in tallies])
    assert sum(shares) == READERS
    assert min(shares) > 0
    assert set(Counter(world.mailed_to()).values()) == {1}
    assert len(world.mailed_to()) == READERS
    world.send_sms(run_id)
    assert world.close(run_id).deliveries == {Channel.EMAIL: {S.ACCEPTED: READERS}, Channel.SMS: {S.ACCEPTED: READERS}}


def test_each_sms_leaves_once_when_two_send(world, two_at_once):
    run_id = world.begin(*many_loans())
    shares = accepted_by_each(two_at_once(lambda mine: mine.send_sms(run_id, at_once=5)))
    # A library has one sender of SMS at a time: the second finds nothing left.
    assert sorted(shares) == [0, READERS]
    assert len(set(world.texted_to())) == len(world.texted_to()) == READERS
    world.send_emails(run_id)
    assert world.close(run_id).deliveries == {Channel.EMAIL: {S.ACCEPTED: READERS}, Channel.SMS: {S.ACCEPTED: READERS}}


def test_each_message_leaves_once_when_some_are_put_off_for_the_moment(world, two_at_once):
    """What one sender was told to try later, the other may have tried in its turn; nothing is lost or doubled."""
    world.mail.faults.defer = 20
    run_id = world.begin(*many_loans())
    tallies = two_at_once(lambda mine: mine.send_emails(run_id, last_try=True))
    assert sum(tally.get("planned", 0) for tally in tallies) == 20
    mailed = world.mailed_to()
    assert sum(tally.get("accepted", 0) for tally in tallies) == len(mailed) == len(set(mailed))
    world.send_sms(run_id)
    books = world.close(run_id)
    assert books.deliveries[Channel.EMAIL] == {S.ACCEPTED: len(mailed), S.FAILED: READERS - len(mailed)}
    assert len(mailed) >= READERS - 20
