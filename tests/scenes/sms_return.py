"""Readers who got an SMS, and the questions asked to the provider afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from loan_reminders.domain.stages import Channel
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.services.sms.feedback import read_receipts, read_replies
from tests.scenes.world import DUE, loan

NUMBER = "33639980001"


def account(world):
    provider = world.sms.provider
    ours = AllMySmsAccount(
        base_url=world.sms.base_url, login=provider.login, api_key=provider.api_key, login_in_clear=True
    )
    return AllMySmsGateway(ours, sender="", campaign="", read_timeout_s=2)


def receipts(world):
    return read_receipts(world.ledger.feedback(), account(world), now=datetime.now(UTC), failures=2)


def replies(world, **more):
    return read_replies(world.ledger.feedback(), account(world), now=datetime.now(UTC), failures=2, **more)


def send(world, *loans):
    run_id = world.begin(*loans)
    world.send_sms(run_id)
    return run_id


def sms_states(world, run_id):
    return dict(world.ledger.close_run(run_id).deliveries.get(Channel.SMS, {}))


def in_force(world):
    return {line.recipient: line.reason.value for line in world.ledger.feedback().suppressions() if line.in_force}


def slot_skips(world, run_id):
    query = text("SELECT reason FROM skips WHERE run_id = :run_id AND slot = 'sms'")
    with world.ledger.engine.begin() as connection:
        return list(connection.execute(query, {"run_id": run_id}).scalars())


def a_day_passes(world):
    """What was sent was sent a day before: the ledger's clock does not wait for the test's."""
    with world.ledger.engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET claimed_at = claimed_at - interval '1 day'"))


def next_day(world, number):
    """Another loan of the same reader, a day later."""
    world.today += timedelta(days=1)
    due = DUE + timedelta(days=number)
    return world.extract_day(due, loan(1, loan_id=f"next {number}", due_date=due))
