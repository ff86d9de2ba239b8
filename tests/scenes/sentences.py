"""What is said to a person: by an error, as `check` of `pytest.raises`, and in French typography."""

from __future__ import annotations

import re
from collections.abc import Callable

from loan_reminders.french.refusals import sentence

_NOT_BROKEN = re.compile("\N{NO-BREAK SPACE}(?=[:;!?»])|(?<=«)\N{NO-BREAK SPACE}")


def as_typed(words: str) -> str:
    """French words as one types them, whose spaces at : ; ! ? « » do not break."""
    return _NOT_BROKEN.sub(" ", words)


def saying(words: str) -> Callable[[BaseException], bool]:
    """Whether the sentence of an error holds what this regular expression looks for."""
    return lambda error: re.search(words, sentence(error)) is not None
