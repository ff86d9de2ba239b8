"""Every member of a closed list has its French words."""

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.french import words as french


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (french.STAGES, Stage),
        (french.CHANNELS, Channel),
        (french.STATES, DeliveryState),
        (french.SKIPS, SkipReason),
        (french.SUPPRESSIONS, SuppressionReason),
        (french.SOURCES, SuppressionSource),
    ],
)
def test_every_code_has_words(words, codes):
    assert set(words) == set(codes)


def test_a_reason_keeps_its_code():
    assert french.skip_words("no_recipient") == "coordonnées absentes (no_recipient)"
