"""Who may read a clock: the ends of the program. Rules, use cases and adapters are given the moment or a clock."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path("plugins/loan_reminders")
WITHOUT_CLOCK = ("domain", "french", "rendering", "services", "gateways", "ledger", "hooks", "settings")
_READS = re.compile(r"\b(?:datetime|date|pendulum|time)\.(?:now|utcnow|today|time|localtime)\(")


def clock_readers(root: Path) -> list[str]:
    """A sentence for each line of these rooms that reads the clock; how long a wait takes (`monotonic`) is no date."""
    return [
        f"{path.relative_to(root)}, line {number}: reads the clock; it is to be given the moment, or a clock"
        for room in WITHOUT_CLOCK
        for path in sorted((root / PACKAGE / room).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _READS.search(line)
    ]
