"""How a loan is skipped when its reader is on the list of those not written to."""

from __future__ import annotations

import pytest

from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.suppressions.suppression import NOBODY, SuppressionReason

SKIPPED = {
    SuppressionReason.STOP: SkipReason.OPTED_OUT,
    SuppressionReason.BLACKLIST: SkipReason.OPTED_OUT,
    SuppressionReason.BY_LIBRARIAN: SkipReason.OPTED_OUT,
    SuppressionReason.DEAD_NUMBER: SkipReason.DEAD_NUMBER,
    SuppressionReason.HARD_BOUNCE: SkipReason.DEAD_ADDRESS,
    SuppressionReason.RETURNED_UNDELIVERABLE: SkipReason.DEAD_ADDRESS,
}


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_dead_address_is_not_called_a_readers_wish(reason: SuppressionReason) -> None:
    assert reason.skip_reason is SKIPPED[reason]


def test_by_default_nobody_is_on_the_list() -> None:
    assert dict(NOBODY) == {}
