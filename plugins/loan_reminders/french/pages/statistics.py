"""How librarians read periods and groups of readers in figures."""

from __future__ import annotations

from datetime import date

from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.figures import Grain

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
READERS = {
    PatronCategory.STUDENT: "étudiants",
    PatronCategory.STAFF: "personnels",
    PatronCategory.EXTERNAL: "lecteurs extérieurs",
    PatronCategory.OTHER: "autres lecteurs",
}
"""Many readers of a category."""


def period_words(start: date, grain: Grain, today: date) -> str:
    """`novembre 2026`, `semaine du 23/11/2026`, `23/11/2026`; the one that is not over says so."""
    words = {
        Grain.DAY: f"{start:%d/%m/%Y}",
        Grain.WEEK: f"semaine du {start:%d/%m/%Y}",
        Grain.MONTH: f"{MONTHS[start.month - 1]} {start.year}",
    }[grain]
    under_way = {
        Grain.DAY: start == today,
        Grain.WEEK: 0 <= (today - start).days < 7,
        Grain.MONTH: (start.year, start.month) == (today.year, today.month),
    }[grain]
    return f"{words}, en cours" if under_way else words


def period_label(start: date, grain: Grain) -> str:
    """A period below a chart, as short as it can be."""
    if grain is Grain.MONTH:
        return f"{SHORT_MONTHS[start.month - 1]} {start:%y}"
    return f"{start.day} {SHORT_MONTHS[start.month - 1]}"
