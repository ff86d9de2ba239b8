"""What telling people of a red run asks of the outside world."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class ToldAlerts(Protocol):
    """Which alerts were told, kept where every worker sees it. Raises LetterStoreUnavailable."""

    def first(self, key: str) -> bool:
        """Remember a key; whether nobody did before."""
        ...

    def forget(self, key: str) -> None:
        """Forget a key: what it stood for was not told after all."""
        ...

    def sweep(self, *, before: datetime) -> None:
        """Forget what was remembered before a moment."""
        ...
