"""The figures: their names and targets, the table for people, and `var/bench.json`, which keeps the former ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "var" / "bench.json"
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a value should reach (`at_least`), or not exceed."""

    limit: float
    at_least: bool
    of_ratio: bool = False
    or_ratio: float = 0
    """A ratio not to exceed that does as well, where the machine is slow."""

    def met_by(self, figure: Figure) -> bool:
        value = figure.ratio if self.of_ratio else figure.value
        met = value >= self.limit if self.at_least else value <= self.limit
        return met or figure.ratio <= self.or_ratio

    def __str__(self) -> str:
        if self.or_ratio:
            return f"≤ {self.limit:g} or ratio ≤ {self.or_ratio:g}"
        return f"{'ratio ' if self.of_ratio else ''}{'≥' if self.at_least else '≤'} {self.limit:g}"


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
    "first_page_size",
)
"""Every figure, in the order of the table and of the file."""

TARGETS = {
    "generation": Target(limit=2000, at_least=True),
    "email_dispatch": Target(limit=1000, at_least=True),
    "smtp_step": Target(limit=0.4, at_least=True, of_ratio=True),
    "two_workers": Target(limit=1.7, at_least=True, of_ratio=True),
    "letters": Target(limit=200, at_least=True),
    "letters_memory": Target(limit=500, at_least=False),
    "scale_100k_time": Target(limit=11, at_least=False, of_ratio=True),
    "scale_100k_memory": Target(limit=400, at_least=False),
    "dag_parse": Target(limit=0.5, at_least=False),
    "ordinary_day": Target(limit=3, at_least=False),
    **{
        f"{name}{engine}": Target(limit=limit, at_least=False)
        for engine in ("", "_mariadb")
        for name, limit in (("ils_20k_time", 20), ("ils_200_time", 1), ("ils_memory", 200))
    },
    "pages_p95": Target(limit=300, at_least=False, or_ratio=3),
    "first_page_size": Target(limit=100, at_least=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure and its baseline in the same unit; `remarks` are for people and stay out of the file."""

    name: str
    value: float
    unit: str
    baseline: float
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
        }


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
    remarks = [f"{figure.name}: {remark}" for figure in figures for remark in figure.remarks]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", *remarks])
