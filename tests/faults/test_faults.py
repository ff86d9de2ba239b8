"""Each fault once: nobody is forgotten, no SMS comes twice, an e-mail only with its Message-ID and its mark."""

from __future__ import annotations

import pytest

from loan_reminders.domain.stages import Channel
from tests.faults.bed import Bed
from tests.faults.cases import KILLS, QUICK, Case
from tests.faults.neighbours import NEIGHBOURS
from tests.faults.scene import Scene
from tests.faults.troubles import TROUBLES

MIDDLE = 1
"""The repetition that strikes neither the first passage nor the last."""


@pytest.fixture(scope="module")
def bed():
    with Bed() as made:
        yield made


@pytest.mark.parametrize("case", [*KILLS, *TROUBLES, *NEIGHBOURS], ids=str)
def test_nothing_is_lost_and_nothing_comes_twice_unknown(bed: Bed, case: Case) -> None:
    outcome = case.play(bed, MIDDLE, QUICK)
    assert outcome.right, outcome
    if case.channel is not Channel.EMAIL:
        assert outcome.doubled == 0


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.REGISTERED_LETTER])
def test_a_run_without_a_fault_reaches_everybody_once(bed: Bed, channel: Channel) -> None:
    with Scene(bed, channel) as scene:
        assert scene.outcome().lost == scene.expected.total() > 6
        scene.finish()
        outcome = scene.outcome()
        assert (outcome.lost, outcome.doubled, outcome.in_doubt) == (0, 0, 0)


def test_the_count_sees_what_is_lost_and_what_comes_twice(bed: Bed) -> None:
    with Scene(bed, Channel.EMAIL) as scene:
        scene.finish()
        scene.mail.taken.append(scene.mail.taken.pop(0))
        assert scene.outcome().right
        scene.mail.taken.append(scene.mail.taken[0])
        assert (scene.outcome().doubled, scene.outcome().unmarked) == (1, 1)
        del scene.mail.taken[1]
        assert scene.outcome().lost == 1
    with Scene(bed, Channel.SMS) as scene:
        scene.finish()
        scene.sms.accepted.append(scene.sms.accepted[0])
        assert scene.outcome().unmarked == 1
        del scene.sms.accepted[1]
        assert scene.outcome().lost == 1
    with Scene(bed, Channel.REGISTERED_LETTER) as scene:
        scene.finish()
        (batch,) = scene.letters.glob("*/lettres.pdf")
        batch.write_bytes(b"another batch")
        assert scene.outcome().lost == scene.expected.total()
