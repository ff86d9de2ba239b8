"""What the checks found, for a person and for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from loan_reminders.commands.installation.findings import Checked, Finding, worst
from loan_reminders.french.plurals import one_or_many
from loan_reminders.services.runs.check_ils import Outcome

SIGNS = {Outcome.FINE: "✓", Outcome.WARNING: "!", Outcome.FAILURE: "✗"}
STATUS = {Outcome.FINE: 0, Outcome.WARNING: 1, Outcome.FAILURE: 2}
"""What monitoring tools know as OK, WARNING and CRITICAL."""
VERSION = 1


def as_text(checked: Checked) -> str:
    """The lines of one check."""
    seconds = f"{checked.seconds:.1f}".replace(".", ",")
    lines = [f"{SIGNS[checked.outcome]} {checked.check.title} ({seconds} s)"]
    for finding in checked.findings:
        lines.append(f"    {SIGNS[finding.outcome]} {finding.words}")
        lines += [f"        {detail}" for detail in finding.details]
        if finding.means:
            lines.append(f"      {finding.means}")
        if finding.remedy:
            lines.append(f"      → {finding.remedy[0].upper()}{finding.remedy[1:]}.")
    return "\n".join(lines) + "\n"


def conclusion(checked: Sequence[Checked]) -> str:
    """One sentence about all."""
    found = [finding.outcome for one in checked for finding in one.findings]
    failures, warnings = found.count(Outcome.FAILURE), found.count(Outcome.WARNING)
    parts = []
    if failures:
        parts.append(f"{failures} {one_or_many(failures, 'échec', 'échecs')}")
    if warnings:
        parts.append(f"{warnings} {one_or_many(warnings, 'point', 'points')} à regarder")
    return f"{', '.join(parts)}.\n" if parts else "Tout va bien.\n"


def as_json(by_library: Sequence[tuple[str, Sequence[Checked]]], *, at: datetime) -> str:
    """The same for a program: one object, whose form changes only with its `version`."""
    libraries = [
        {
            "library": code,
            "outcome": worst(one.outcome for one in checked),
            "checks": [
                {
                    "name": one.check.name,
                    "title": one.check.title,
                    "outcome": one.outcome,
                    "seconds": round(one.seconds, 2),
                    "findings": [_as_object(finding) for finding in one.findings],
                }
                for one in checked
            ],
        }
        for code, checked in by_library
    ]
    outcome = worst(one.outcome for _, checked in by_library for one in checked)
    told = {"version": VERSION, "at": at.isoformat(timespec="seconds"), "outcome": outcome, "libraries": libraries}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _as_object(finding: Finding) -> dict[str, object]:
    return {
        "outcome": finding.outcome,
        "what": finding.words,
        "means": finding.means,
        "do": finding.remedy,
        "details": list(finding.details),
    }
