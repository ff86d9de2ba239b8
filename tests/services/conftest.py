"""The world on a day of letters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Stage
from tests.scenes.outside import Outside
from tests.scenes.world import DUE


@pytest.fixture
def printer(world):
    """Pages that only name their deliveries, for tests of whose letter is printed when."""
    world.printer = Outside().printer()


@pytest.fixture
def letters(world, tmp_path):
    """The folder of the letters; the world is at the first reminder, where readers without e-mail get letters."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    return tmp_path / "letters"
