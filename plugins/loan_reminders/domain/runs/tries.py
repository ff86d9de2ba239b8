"""When a task of a stage that failed for the moment is tried again."""

from __future__ import annotations

from datetime import timedelta

TRIES_AFTER = 4
"""How often a task is tried after its first failure."""

FIRST_PAUSE = timedelta(minutes=5)
"""How long until the second try; the pause doubles from try to try."""

LONGEST_PAUSE = timedelta(hours=1)
