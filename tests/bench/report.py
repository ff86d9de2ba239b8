"""The figures: their names, their targets, which are ratios, and the table for people.

`var/bench.json` keeps the former ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "var" / "bench.json"
DIGITS = 4
SHOWN = 3
"""How many steps of a figure are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the ratio of a figure to its baseline should reach (`at_least`), or not exceed.

    The same bench gave 2,528 and 829 notices a second on two machines of one kind, with every baseline moved alike: a
    number of seconds says more of the machine than of the program.
    """

    limit: float
    at_least: bool = False
    or_value: float = 0
    """A value not to exceed that does as well: a page that is quick enough for a person needs no comparison."""
    only_value: bool = False
    """Nothing but that value counts: bytes are the same on every machine."""

    def met_by(self, figure: Figure) -> bool:
        value_met = figure.value <= self.or_value
        if self.only_value:
            return value_met
        met = figure.ratio >= self.limit if self.at_least else figure.ratio <= self.limit
        return met or value_met

    def __str__(self) -> str:
        if self.only_value:
            return f"value ≤ {self.or_value:g}"
        ratio = f"{'≥' if self.at_least else '≤'} {self.limit:g}"
        return f"{ratio} or value ≤ {self.or_value:g}" if self.or_value else ratio


NAMES = (
    "generation",
    "email_dispatch",
    "smtp_step",
    "two_workers",
    "sms_dispatch",
    "letters",
    "letters_memory",
    "scale_100k_time",
    "scale_100k_memory",
    "dag_parse",
    "ordinary_day",
    "ils_20k_time",
    "ils_200_time",
    "ils_memory",
    "ils_20k_time_mariadb",
    "ils_200_time_mariadb",
    "ils_memory_mariadb",
    "pages_p95",
    "year_drawn_anew",
    "first_page_size",
    "reader_rights",
    "retention_night",
    "retention_growth",
    "libraries_parse",
    "libraries_morning",
    "libraries_memory",
)
"""Every figure, in the order of the table and of the file. The numbers in some names are those of `--full`."""

TARGETS = {
    "generation": Target(limit=3, at_least=True),
    "email_dispatch": Target(limit=0.35, at_least=True),
    "smtp_step": Target(limit=0.4, at_least=True),
    "sms_dispatch": Target(limit=1, at_least=True),
    "letters": Target(limit=1, at_least=True),
    "letters_memory": Target(limit=1.3),
    "scale_100k_time": Target(limit=11),
    "scale_100k_memory": Target(limit=1.3),
    "dag_parse": Target(limit=30),
    "ordinary_day": Target(limit=1),
    "ils_20k_time": Target(limit=4),
    "ils_200_time": Target(limit=4),
    "ils_memory": Target(limit=1.6),
    "ils_20k_time_mariadb": Target(limit=12),
    "ils_200_time_mariadb": Target(limit=2),
    "ils_memory_mariadb": Target(limit=1.6),
    "pages_p95": Target(limit=3, or_value=300),
    "year_drawn_anew": Target(limit=3, or_value=300),
    "first_page_size": Target(limit=0, or_value=100, only_value=True),
    "reader_rights": Target(limit=1),
    "two_workers": Target(limit=1.7, at_least=True),
    "retention_night": Target(limit=20, or_value=60),
    "retention_growth": Target(limit=0.2),
    "libraries_parse": Target(limit=1),
    "libraries_morning": Target(limit=1),
    "libraries_memory": Target(limit=1.3),
}
"""What each ratio should be; `baselines` and each measure say what stands below the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure and its baseline in the same unit; `remarks` are for people and stay out of the file.

    `steps` are the three that take most of it, with their shares: where to look first when the ratio is not what it
    should be.
    """

    name: str
    value: float
    unit: str
    baseline: float
    steps: tuple[str, ...]
    remarks: tuple[str, ...] = field(default=())

    @property
    def ratio(self) -> float:
        """The value over the baseline: above 1 is better for a rate, worse for a time or a size."""
        return _rounded(_rounded(self.value) / _rounded(self.baseline)) if self.baseline else 0.0

    def as_entry(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "baseline": _rounded(self.baseline),
            "ratio": self.ratio,
            "steps": list(self.steps),
        }


def parts(whole: float, **sizes: float) -> tuple[str, ...]:
    """The three largest parts of a size, the largest first, with their shares; `_` parts the words of a name."""
    largest_first = sorted(sizes.items(), key=lambda one: -one[1])[:SHOWN]
    return tuple(f"{100 * size / (whole or 1.0):.0f} % {name.replace('_', ' ')}" for name, size in largest_first)


def _rounded(number: float) -> float:
    """To a few significant digits: more would be noise."""
    return float(f"{number:.{DIGITS}g}")


def merged(former: Iterable[dict[str, Any]], figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """The former entries, those just measured in their place; known names first, in their order."""
    entries = {entry["name"]: entry for entry in former} | {figure.name: figure.as_entry() for figure in figures}
    known = [entries.pop(name) for name in NAMES if name in entries]
    return known + list(entries.values())


def save(figures: Iterable[Figure], path: Path = FILE) -> None:
    """Write the file anew; the entries of figures not measured this time stay."""
    former = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(merged(former, figures), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def table(figures: Iterable[Figure]) -> str:
    """The figures as a table, then their remarks."""
    figures = list(figures)
    rows = [("figure", "value", "unit", "baseline", "ratio", "target", "")]
    for figure in figures:
        target = TARGETS.get(figure.name)
        verdict = "" if target is None else "met" if target.met_by(figure) else "MISSED"
        entry = figure.as_entry()
        numbers = (f"{entry['value']:g}", figure.unit, f"{entry['baseline']:g}", f"{entry['ratio']:g}")
        rows.append((figure.name, *numbers, "" if target is None else str(target), verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = {1, 3, 4}
    lines = [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    remarks = [
        f"{figure.name}: {words}"
        for figure in figures
        for words in (*figure.remarks, f"most of it: {'; '.join(figure.steps)}")
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", *remarks])
