"""The tables of the page of what SMS do, which are also its files: each figure with its interval beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.effect import AgeCount, Comparison, Estimate, Findings, MonthShares
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.french.pages.effect import AGES
from loan_reminders.french.pages.statistics import MONTHS, READERS
from loan_reminders.french.words import STAGES
from loan_reminders.web.statistics.tables import PER_CENT, Cell, Table, share

_COMPARED = (PatronCategory.STUDENT, PatronCategory.STAFF)
_INTERVAL = ("de", "à")


def effect_tables(found: Findings) -> Mapping[str, Table]:
    """Every table, by its name: months, stages, differences, trials, ages."""
    trials = [one.comparison for one in found.trials if one.comparison is not None]
    tables = (
        _months(found.months),
        _stages("etapes", "Rendus après chaque étape, douze derniers mois", found.comparisons),
        _differences("differences", "Avec SMS et sans, prêts comparables, en points", found.comparisons),
        _stages("tirages", "Rendus, tirage au sort", trials),
        _differences("tirages-differences", "Tirage au sort, avec SMS et témoins, en points", trials),
        _ages(found.ages),
    )
    return {table.name: table for table in tables}


def _months(months: Iterable[MonthShares]) -> Table:
    head = ["échéances de"]
    for category in _COMPARED:
        head += [f"{READERS[category]} : retards", "dont longs", "part", "annoncés par SMS"]
    return Table(
        name="retards",
        title="Retards devenus longs (15 jours et plus), selon le mois de l'échéance",
        head=(*head, "comparé"),
        rows=tuple(
            (
                f"{MONTHS[one.month.month - 1]} {one.month.year}",
                *(cell for category in _COMPARED for cell in _of_group(one, category)),
                "oui" if one.counts else "non, trop peu",
            )
            for one in months
        ),
        units=dict.fromkeys((3, 4, 7, 8), PER_CENT),
    )


def _of_group(one: MonthShares, category: PatronCategory) -> tuple[Cell, ...]:
    overdue, late = one.overdue.get(category, 0), one.long_overdue.get(category, 0)
    by_sms = one.by_sms.get(category)
    return overdue, late, share(late, overdue), None if by_sms is None else round(100 * by_sms, 1)


def _stages(name: str, title: str, found: Iterable[Comparison]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        for words, arm in (("sans SMS", one.without), ("avec SMS", one.with_sms)):
            if arm.loans:
                shares = (cell for days in WITHIN_DAYS for cell in _with_interval(arm.shares.get(days)))
                rows.append((STAGES[one.stage], words, arm.loans, *shares))
    return Table(
        name=name,
        title=title,
        head=("étape", "message", "prêts", *_heads()),
        rows=tuple(rows),
        units=dict.fromkeys(range(3, 12), PER_CENT),
    )


def _differences(name: str, title: str, found: Iterable[Comparison]) -> Table:
    return Table(
        name=name,
        title=title,
        head=("étape", *_heads()),
        rows=tuple(
            (
                STAGES[one.stage],
                *(cell for days in WITHIN_DAYS for cell in _with_interval((one.differences or {}).get(days))),
            )
            for one in found
            if one.with_sms.loans
        ),
    )


def _heads() -> tuple[str, ...]:
    return tuple(head for days in WITHIN_DAYS for head in (f"sous {days} jour{'s' * (days > 1)}", *_INTERVAL))


def _with_interval(found: Estimate | None) -> tuple[Cell, Cell, Cell]:
    return (None, None, None) if found is None else (_one(found.value), _one(found.low), _one(found.high))


def _one(number: float) -> float:
    return round(number, 1) or 0.0


def _ages(ages: Iterable[AgeCount]) -> Table:
    by: dict[tuple[str, str, PatronCategory], dict[str, int]] = {}
    for one in ages:
        key = (f"{MONTHS[one.month.month - 1]} {one.month.year}", f"{one.day:%d/%m/%Y}", one.category)
        by.setdefault(key, {})[one.age] = one.loans
    return Table(
        name="anciennete",
        title="Prêts en retard, au dernier soir de chaque mois, selon l'ancienneté du retard",
        head=("mois", "compté le", "public", *AGES.values()),
        rows=tuple(
            (month, day, READERS[category], *(loans.get(age, 0) for age in AGES))
            for (month, day, category), loans in by.items()
        ),
    )
