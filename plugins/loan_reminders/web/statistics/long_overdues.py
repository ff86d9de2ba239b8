"""The figure that a library waits for when it begins to send SMS: are long overdues fewer, students against staff?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.figures import Overdue
from loan_reminders.french.pages.statistics import MONTHS, READERS
from loan_reminders.web.statistics.drawings import per_cent
from loan_reminders.web.statistics.tables import long_share

_COMPARED = (PatronCategory.STUDENT, PatronCategory.STAFF)


def long_overdue_sentence(found: Sequence[Overdue]) -> str:
    """What became of the share of long overdues from the first month to the last, in one sentence for each group.

    Empty when the ILS was not asked on any day of the period.
    """
    days = sorted({one.day for one in found})
    if not days:
        return ""
    by = {(one.day, one.category): long_share(one) for one in found}
    return " ".join(
        _of_group(READERS[category], days[0], by.get((days[0], category)), days[-1], by.get((days[-1], category)))
        for category in _COMPARED
    )


def _of_group(readers: str, first: date, before: float | None, last: date, now: float | None) -> str:
    on = f"{MONTHS[last.month - 1]} {last.year}"
    if now is None:
        return f"En {on}, aucun retard chez les {readers}."
    said = f"En {on}, {per_cent(now)} des retards des {readers} sont longs"
    if before is None or first == last:
        return f"{said}."
    way = "comme" if before == now else "contre"
    return f"{said}, {way} {per_cent(before)} en {MONTHS[first.month - 1]} {first.year}."
