"""Several senders of one run at once: what one sender promises, all of them together keep."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.errors import DeliveriesDeferred, MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.gateways.email.mail_relay import Backoff
from tests.scenes.builders import an_email
from tests.scenes.world import loan, reader
from tests.simulators.smtp_sink import Faults

LEFT, RIGHT = Share(number=1, of=2), Share(number=2, of=2)


def readers(count, *, domains=1):
    return [
        loan(number, patron=reader(number, email=an_email(f"l{number}@d{number % domains}.example.org")))
        for number in range(count)
    ]


def asked(world, query):
    with world.ledger.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def both(world, run_id, **options):
    """Two senders at once, each on its half; what each returned or raised."""

    def send(share):
        try:
            return world.send_emails(run_id, share=share, **options)
        except Exception as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(send, (LEFT, RIGHT)))


def test_two_senders_tell_everybody_once(world):
    run_id = world.begin(*readers(60))
    told = both(world, run_id)
    assert sum(one["accepted"] for one in told) == 60
    assert min(one["accepted"] for one in told) > 10
    assert len(set(world.mailed_to())) == len(world.mailed_to()) == 60
    for share in (LEFT, RIGHT):
        assert world.send_emails(run_id, share=share) == {}


def test_together_they_open_no_more_connections_than_the_library_may(world):
    """A server that takes three at once never has to send one away."""
    world.mail.faults = Faults(at_once=3)
    world.mail.latency = 0.01
    run_id = world.begin(*readers(40))
    assert sum(one["accepted"] for one in both(world, run_id, connections=3)) == 40
    assert world.mail.connections == 3


def test_a_run_waits_for_a_connection_while_another_has_them_all(world):
    run_id = world.begin(*readers(5))
    other = world.ledger.open_run(
        stage=Stage.COURTESY_NOTICE, reference_date=world.today, due_date=world.today, today=world.today,
        dag_run_id="another", dry_run=False,
    )  # fmt: skip
    sending = threading.Thread(target=world.send_emails, args=(run_id,), kwargs={"connections": 2})
    with world.ledger.sender(other.run_id, Channel.EMAIL) as sender:
        assert sender.take_mail_connections(of=2, wanted=2) == 2
        sending.start()
        time.sleep(0.8)
        assert world.mailed_to() == []
    sending.join(30)
    assert len(world.mailed_to()) == 5


@pytest.mark.parametrize("domains", [40, 1])
def test_a_server_that_refuses_everybody_stops_each_of_them(world, domains):
    world.mail.faults = Faults(rcpt="550 5.7.1 your network is banned")
    run_id = world.begin(*readers(60, domains=domains))
    assert [type(one) for one in both(world, run_id)] == [MailRelayRejected, MailRelayRejected]
    assert asked(world, "SELECT DISTINCT state FROM deliveries WHERE channel = 'email'") == [("planned",)]
    assert asked(world, "SELECT count(*) FROM suppressions") == [(0,)]
    world.mail.faults = Faults()
    assert sum(one["accepted"] for one in both(world, run_id)) == 60


def test_together_they_condemn_no_more_readers_than_one_sender_would(world):
    """Few are left for each, and the server says of everybody that he is unknown: of one sender that is too many."""
    world.mail.faults = Faults(rcpt="550 5.1.1 no such user")
    run_id = world.begin(*readers(9, domains=9))
    with pytest.raises(MailRelayRejected):
        world.send_emails(run_id)
    ended = []
    for share in (LEFT, RIGHT):
        try:
            ended.append(world.send_emails(run_id, share=share))
        except MailRelayRejected as error:
            ended.append(error)
    [(refused,)] = asked(world, "SELECT count(*) FROM deliveries WHERE state = 'refused'")
    assert refused < 5
    assert any(isinstance(one, MailRelayRejected) for one in ended)


def test_a_server_that_puts_everybody_off_because_of_us_is_given_up_by_none(world):
    """Two each, which says nothing; four together, which does."""
    world.mail.faults = Faults(rcpt="451 sending quota exceeded")
    run_id = world.begin(*readers(60))
    found = both(world, run_id)
    assert {type(one) for one in found} <= {DeliveriesDeferred, MailRelayUnavailable, MailRelayRejected}
    keep = [one for (one,) in asked(world, "SELECT delivery_id FROM deliveries WHERE channel = 'email' ORDER BY 1")]
    half = [one for one in keep if one <= LEFT.last][:2] + [one for one in keep if one > LEFT.last][:2]
    with world.ledger.engine.begin() as connection:
        connection.execute(
            text("UPDATE deliveries SET state = 'cancelled' WHERE channel = 'email' AND NOT delivery_id = ANY(:half)"),
            {"half": half},
        )
    ended = [type(one) for one in both(world, run_id, last_try=True)]
    [(failed,)] = asked(world, "SELECT count(*) FROM deliveries WHERE state = 'failed'")
    assert MailRelayRejected in ended
    assert failed < 3


def test_a_server_that_is_gone_stops_all_and_loses_nothing(world):
    run_id = world.begin(*readers(30))
    with world.mail.__class__(None) as gone:
        port = gone.port
    kept, world.mail.port = world.mail.port, port
    assert {type(one) for one in both(world, run_id, backoff=Backoff(pauses=()))} == {MailRelayUnavailable}
    world.mail.port = kept
    assert sum(one["accepted"] for one in both(world, run_id)) == 30


def test_dead_addresses_are_remembered_by_the_last_sender_alone(world, monkeypatch):
    """The first to end would see half of the refusals, and miss that there are too many of them at once."""
    seen = []
    remember = world.ledger.remember_refused_addresses
    monkeypatch.setattr(world.ledger, "remember_refused_addresses", lambda: seen.append(True) or remember())
    run_id = world.begin(*readers(30))
    world.send_emails(run_id, share=LEFT)
    assert seen == []
    world.send_emails(run_id, share=RIGHT)
    assert seen == [True]
