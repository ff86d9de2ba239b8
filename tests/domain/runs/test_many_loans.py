"""A reader with thousands of loans is planned in the time of his loans, not of their square."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import timedelta

from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.runs.planning import key, plan_notices
from loan_reminders.domain.runs.routing import route
from loan_reminders.domain.sms.grouping import grouped_for_requests
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.builders import some_loans, today_for

POLICY = read_settings(ROOT / "library.toml").policy()
STAGE = Stage.OVERDUE_NOTICE
LOANS = 5_000
ENOUGH_S = 10.0
"""A minute and a half when each loan was compared with each other; a fraction of a second since."""


def test_five_thousand_loans_of_one_reader_are_routed_at_once():
    """A third were told by e-mail already; every other is too short for an SMS."""
    loans = tuple(
        replace(loan, loan_date=loan.due_date - timedelta(days=7)) if place % 2 else loan
        for place, loan in enumerate(some_loans(LOANS))
    )
    told = {(key(loan), Slot.WRITTEN): DeliveryState.ACCEPTED for loan in loans[::3]}
    began = time.process_time()
    plan = plan_notices(loans, stage=STAGE, policy=POLICY, today=today_for(STAGE), history=told)
    [notice] = plan.notices
    routed = route(notice, rule=POLICY.rule(STAGE), history=told, refused={}, today=today_for(STAGE))
    assert time.process_time() - began < ENOUGH_S
    by = {delivery.channel: len(delivery.loans) for delivery in routed.deliveries}
    assert by == {Channel.EMAIL: LOANS - len(told), Channel.SMS: LOANS // 2}
    # One that is told already and too short as well is skipped once, whole.
    assert len(routed.skipped) == len(told) + LOANS // 2 - len(told) // 2


def test_the_same_text_to_one_number_and_to_many_is_grouped_at_once():
    def text(number: str) -> RenderedText:
        return RenderedText(delivery_id=uuid.uuid4(), recipient=MobileNumber(value=number), text="Bonjour", segments=1)

    messages = [text("33639980001") for _ in range(LOANS)] + [text(f"336{place:08d}") for place in range(4 * LOANS)]
    began = time.process_time()
    made = list(grouped_for_requests(messages, 2))
    assert time.process_time() - began < ENOUGH_S
    assert sum(map(len, made)) == len(messages)
    assert all(len({one.recipient for one in group}) == len(group) <= 2 for group in made)
