"""What an error says to a person, as `check` of `pytest.raises`."""

from __future__ import annotations

import re
from collections.abc import Callable

from loan_reminders.french.refusals import sentence


def saying(words: str) -> Callable[[BaseException], bool]:
    """Whether the sentence of an error holds what this regular expression looks for."""
    return lambda error: re.search(words, sentence(error)) is not None
