"""A mail server that takes an e-mail and never says so."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from loan_reminders.domain.errors import DeliveriesDeferred
from tests.scenes.world import loan
from tests.simulators.smtp_sink import Faults


@pytest.fixture
def run_id(world):
    """A run whose only e-mail was taken without an answer: its task asks to be tried again."""
    run_id = world.begin(loan(1))
    world.mail.faults = Faults(silent=True)
    with pytest.raises(DeliveriesDeferred, match="renvoyés une fois"):
        world.send_emails(run_id, first_try=True)
    return run_id


def kept(world):
    with world.ledger.engine.connect() as connection:
        found = connection.execute(text("SELECT state, resent_in_doubt FROM deliveries WHERE channel = 'email'"))
        return [tuple(row) for row in found]


def test_what_it_took_is_sent_once_more_under_the_same_name_and_marked_so(world, run_id):
    assert kept(world) == [("in_doubt", False)]
    world.mail.faults = Faults()
    assert world.send_emails(run_id) == {"accepted": 1}
    first, again = world.mail.messages()
    assert first["Message-ID"] == again["Message-ID"]
    assert kept(world) == [("accepted", True)]


def test_when_it_is_silent_again_nobody_asks_a_third_time(world, run_id):
    assert world.send_emails(run_id) == {"in_doubt": 1}
    world.mail.faults = Faults()
    assert world.send_emails(world.begin(loan(1))) == {}
    assert len(world.mail.messages()) == 2
    assert kept(world) == [("in_doubt", True)]
