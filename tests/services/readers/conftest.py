"""What the tests about one reader share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.scenes.world import loan, reader


@pytest.fixture
def told(world):
    """A day with its e-mails and SMS, closed; it is two days later."""
    world.whole_run(loan(1, title="Rendu depuis"), loan(2, patron=reader(1), title="Toujours dehors"), loan(3))
    world.today += timedelta(days=2)
    return world
