"""An upgrade takes the tables in another order than a sender: PostgreSQL ends one of the two, which is tried again.

What had left by then is in doubt: an SMS is not sent again, an e-mail is, with its own Message-ID.
"""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from loan_reminders.domain.errors import LedgerUnavailable
from loan_reminders.ledger.sender import PostgresSender
from tests.scenes.ledger_runs import rows
from tests.scenes.world import loans

READERS = 3
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'receipts'::regclass"
PATIENCE_S = 30


class Moment:
    """A place in a sender's work at which it stands still, the first time, until the upgrade has its first table."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def before(self, work):
        def first_time(*arguments):
            if not self.reached.is_set():
                self.reached.set()
                assert self.go_on.wait(PATIENCE_S)
            return work(*arguments)

        return first_time


def met_an_upgrade(send, run_id, url, moment):
    """What a sender ends with that waits for a table of an upgrade, which then asks for one of the sender's own."""
    ended = []

    def run():
        try:
            ended.append(send(run_id))
        except Exception as error:
            ended.append(error)

    task = threading.Thread(target=run)
    with psycopg.connect(url) as upgrade, psycopg.connect(url, autocommit=True) as looking:
        upgrade.execute("SET deadlock_timeout = '60s'")  # the sender finds it first, and is the one that ends
        task.start()
        assert moment.reached.wait(PATIENCE_S), ended
        upgrade.execute("LOCK TABLE receipts IN ACCESS EXCLUSIVE MODE")
        moment.go_on.set()
        deadline = time.monotonic() + PATIENCE_S
        while looking.execute(WAITS).fetchone() == (0,):
            assert time.monotonic() < deadline, ended
            time.sleep(0.02)
        upgrade.execute("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE")
        upgrade.rollback()
        task.join()
    return ended[0]


@pytest.mark.parametrize(
    ("channel", "at", "states"),
    [
        ("sms", "__enter__", {"accepted"}),  # nothing had left
        ("sms", "_record", {"in_doubt"}),
        ("email", "_record", {"accepted"}),
    ],
)
def test_a_sender_that_meets_an_upgrade_may_be_tried_again_and_nothing_is_lost_or_doubled(
    world, channel, at, states, postgres_server, ledger_database, monkeypatch
):
    run_id = world.begin(*loans(READERS))
    postgres_server.execute(f"ALTER DATABASE \"{ledger_database}\" SET deadlock_timeout = '2s'")
    world.ledger.engine.dispose()
    send = world.send_sms if channel == "sms" else world.send_emails
    moment = Moment()
    monkeypatch.setattr(PostgresSender, at, moment.before(getattr(PostgresSender, at)))
    ended = met_an_upgrade(send, run_id, postgres_server.url(ledger_database), moment)
    assert isinstance(ended, LedgerUnavailable), ended  # a temporary fault: Airflow tries the task again
    send(run_id)
    found = rows(world.ledger, f"SELECT DISTINCT state FROM deliveries WHERE channel = '{channel}'")
    assert {state for (state,) in found} == states
    if channel == "sms":
        assert len(world.sms.provider.accepted) == READERS
    else:
        assert len({message["Message-ID"] for message in world.mail.messages()}) == READERS
