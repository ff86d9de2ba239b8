"""What the faults led to: the table for people, and `var/faults.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.cases import Case
from tests.faults.scene import Outcome
from tests.faults.tasks import ROOT

FILE = ROOT / "var" / "faults.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case and its repetitions; `failed` are those that did not go as they must, whatever reached the readers."""

    case: Case
    outcomes: tuple[Outcome, ...]
    failed: tuple[str, ...]

    @classmethod
    def of(cls, case: Case, came: Sequence[Outcome | str]) -> Line:
        return cls(
            case=case,
            outcomes=tuple(one for one in came if isinstance(one, Outcome)),
            failed=tuple(one for one in came if isinstance(one, str)),
        )

    @property
    def right(self) -> bool:
        return not self.failed and all(outcome.right for outcome in self.outcomes)

    def total(self, name: str) -> int:
        return sum(getattr(outcome, name) for outcome in self.outcomes)

    def as_entry(self) -> dict[str, Any]:
        return {
            "point": self.case.point,
            "channel": self.case.channel.value,
            "repetitions": len(self.outcomes),
            "lost": self.total("lost"),
            "doubled": self.total("doubled"),
            "in_doubt": self.total("in_doubt"),
        }


def save(lines: Iterable[Line]) -> None:
    """Write the file anew."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    part = FILE.with_name(f".{FILE.name}.part")
    entries = [line.as_entry() for line in lines]
    part.write_text(json.dumps(entries, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(FILE)


def table(lines: Iterable[Line]) -> str:
    """One line a case. `unmarked`: copies that the ledger does not know as sent again in doubt; none is allowed."""
    header = ("channel", "point", "repetitions", "lost", "doubled", "unmarked", "in doubt", "most at once", "")
    rows = [header]
    for line in lines:
        numbers = (
            len(line.outcomes), line.total("lost"), line.total("doubled"), line.total("unmarked"),
            line.total("in_doubt"), max((outcome.in_doubt for outcome in line.outcomes), default=0),
        )  # fmt: skip
        verdict = "" if line.right else f"{len(line.failed)} FAILED" if line.failed else "WRONG"
        rows.append((line.case.channel.value, line.case.point, *map(str, numbers), verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([text[0], "-" * max(map(len, text)), *text[1:]])
