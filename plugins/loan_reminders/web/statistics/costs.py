"""The page of costs, its chart and its files: nobody's name, for whoever may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.statistics.costs import Cost, Counted, Price, Prices, Spared, all_together, cost_of, missing
from loan_reminders.domain.statistics.figures import Asked, Grain
from loan_reminders.french.days import day_words
from loan_reminders.french.money import euros
from loan_reminders.french.pages.costs import SPARED, missing_words, prices_words
from loan_reminders.french.pages.statistics import period_label, period_words
from loan_reminders.french.words import STAGES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import SeeRoute
from loan_reminders.web.page import At, Page, Typed, download
from loan_reminders.web.shared_answers import SharedAnswer
from loan_reminders.web.statistics.asked import Address, CannotBeAsked
from loan_reminders.web.statistics.charts import Colour, Series, chart
from loan_reminders.web.statistics.tables import EUROS, Cell, Table, written_exactly

router = APIRouter(route_class=SeeRoute)
Part = Annotated[Typed, Query(max_length=40)]
TOGETHER = "toutes les étapes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was counted, and what it cost."""

    counted: Sequence[Counted]
    prices: Prices
    costs: Sequence[Cost]

    @property
    def missing(self) -> Sequence[Price]:
        return missing(self.counted, self.prices)

    def by_month(self) -> Mapping[date, Cost]:
        """Each month with all its stages together."""
        months = dict.fromkeys(one.month for one in self.counted)
        return {
            month: all_together(
                [cost for one, cost in zip(self.counted, self.costs, strict=True) if one.month == month]
            )
            for month in months
        }


@router.get("/statistiques/couts")
def page(at: At, du: Part = "", au: Part = "") -> Response:
    """What reminders cost by month and stage: without a period, the last twelve months."""
    where, today = Address(du=du, au=au), datetime.now(settings().zone).date()
    try:
        return _page(at, where, _asked(where, today), today)
    except CannotBeAsked as problem:
        where = Address()
        return _page(at, where, _asked(where, today), today, str(problem))


@router.get("/statistiques/couts.csv")
def file(at: At, du: Part = "", au: Part = "", tableau: Part = "") -> Response:
    """One of the tables of the page, for a spreadsheet."""
    today = datetime.now(settings().zone).date()
    try:
        asked = _asked(Address(du=du, au=au), today)
        tables = {table.name: table for table in _tables(_found(asked), today)}
    except CannotBeAsked as problem:
        return at.problem(str(problem), 400)
    except ReminderError as error:
        return at.unavailable(error)
    table = tables.get(tableau)
    if table is None:
        return at.problem("Il n'y a pas de tableau de ce nom dans les coûts.", 404)
    name = f"relances-{table.name}-{asked.first:%Y%m%d}-{asked.last:%Y%m%d}.csv"
    return download(name, "text/csv", BytesIO(table.file()))


def _asked(where: Address, today: date) -> Asked:
    return where.asked(today=today, zone=settings().library.time_zone)


_shared: SharedAnswer[_Found] = SharedAnswer()


def _found(asked: Asked) -> _Found:
    return _shared.get(asked, lambda: _reckoned(asked))


def _reckoned(asked: Asked) -> _Found:
    ours = settings()
    counted = ledger_access.costs().counted(first=asked.first, last=asked.last, zone=asked.zone)
    prices = ours.costs.prices(ours.sms_price())
    return _Found(counted=counted, prices=prices, costs=tuple(cost_of(one, prices) for one in counted))


def _page(at: Page, where: Address, asked: Asked, today: date, problem: str = "") -> Response:
    try:
        found = _found(asked)
    except ReminderError as error:
        return at.unavailable(error)
    whole = all_together(found.costs)
    by_stage, saved = _tables(found, today)
    return at.html(
        "couts.html.j2",
        400 if problem else 200,
        problem=problem,
        where=where,
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
        period=f"du {day_words(asked.first)} au {day_words(asked.last)}",
        by_stage=by_stage,
        saved=saved,
        drawing=_drawing(found) if found.counted else "",
        total=_money(whole.total),
        per_reader=_money(whole.per_reader),
        saved_in_all=_money(_together(whole.saved)),
        told=written_exactly(whole.told),
        spared=written_exactly(sum(whole.spared.values())),
        missing=missing_words(found.missing),
        prices=prices_words(found.prices),
    )


def _together(parts: Mapping[Spared, Decimal | None]) -> Decimal | None:
    known = [part for part in parts.values() if part is not None]
    return sum(known, start=Decimal(0)) if len(known) == len(parts) else None


def _money(amount: Decimal | None) -> str:
    return "—" if amount is None else euros(amount)


def _tables(found: _Found, today: date) -> tuple[Table, Table]:
    head = (
        "mois", "étape", "prévenus", "segments de SMS", "lettres imprimées",
        "SMS", "papier", "affranchissement", "coût", "par lecteur prévenu",
    )  # fmt: skip
    costs = Table(
        name="couts",
        title="Coût par mois et par étape",
        head=head,
        rows=tuple(
            (period_words(one.month, Grain.MONTH, today), STAGES[one.stage], *_cells(cost))
            for one, cost in zip(found.counted, found.costs, strict=True)
        ),
        total=("ensemble", TOGETHER, *_cells(all_together(found.costs))),
        units=dict.fromkeys(range(5, 10), EUROS),
    )
    saved = Table(
        name="epargnes",
        title="SMS que les désinscriptions et les numéros morts ont évités, par mois et par étape",
        head=(
            "mois",
            "étape",
            *(part for why in Spared for part in (f"{SPARED[why]} : SMS non partis", f"{SPARED[why]} : coût évité")),
        ),
        rows=tuple(
            (period_words(one.month, Grain.MONTH, today), STAGES[one.stage], *_saved(cost))
            for one, cost in zip(found.counted, found.costs, strict=True)
        ),
        total=("ensemble", TOGETHER, *_saved(all_together(found.costs))),
        units={3: EUROS, 5: EUROS},
    )
    return costs, saved


def _cells(cost: Cost) -> tuple[Cell, ...]:
    money = (cost.sms, cost.paper, cost.postage, cost.total, cost.per_reader)
    return (cost.told, cost.segments, cost.letters, *money)


def _saved(cost: Cost) -> tuple[Cell, ...]:
    return tuple(part for why in Spared for part in (cost.spared[why], cost.saved[why]))


def _drawing(found: _Found) -> Markup:
    months = found.by_month()
    parts: tuple[tuple[str, Colour, list[Decimal | None]], ...] = (
        ("SMS", "sms", [cost.sms for cost in months.values()]),
        ("papier", "letter", [cost.paper for cost in months.values()]),
        ("affranchissement", "registered", [cost.postage for cost in months.values()]),
    )
    return chart(
        "stacked",
        "Coût par mois : SMS, papier, affranchissement",
        [period_label(month, Grain.MONTH) for month in months],
        [
            Series(words=words, colour=colour, values=tuple(None if one is None else float(one) for one in values))
            for words, colour, values in parts
        ],
        say=euros,
    )
