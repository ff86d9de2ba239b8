"""The day of the registered letters, at the librarian's desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Stage
from tests.scenes.letter_approval import ApprovalDesk
from tests.scenes.outside import Outside
from tests.scenes.world import DUE


@pytest.fixture
def desk(world, tmp_path):
    world.stage, world.today = Stage.REGISTERED_LETTER, DUE + timedelta(days=21)
    world.printer = Outside().printer()
    return ApprovalDesk(world, tmp_path / "letters")
