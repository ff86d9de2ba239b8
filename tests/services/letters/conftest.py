"""The world on a day of letters, with a printer whose pages only name their deliveries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Stage
from tests.scenes.outside import Outside
from tests.scenes.world import DUE


@pytest.fixture(autouse=True)
def printer(world):
    """What is tried in this folder is whose letter is printed when, not how its pages look."""
    world.printer = Outside().printer()


@pytest.fixture
def letters(world, tmp_path):
    """The folder of the letters; the world is at the first reminder, where readers without e-mail get letters."""
    world.stage, world.today = Stage.FIRST_REMINDER, DUE + timedelta(days=8)
    return tmp_path / "letters"
