"""The page of figures and its files: nobody's name, for whoever may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.statistics.figures import Asked, Freshness, MessageFigures, Overdue, Returns
from loan_reminders.french.days import day_words
from loan_reminders.french.money import euros, sms_cost_words
from loan_reminders.french.pages.statistics import READERS
from loan_reminders.french.words import CHANNELS, STAGES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import SeeRoute
from loan_reminders.web.page import At, Page, Typed, download
from loan_reminders.web.shared_answers import SharedAnswer
from loan_reminders.web.statistics import asked as words
from loan_reminders.web.statistics.asked import Address, CannotBeAsked, GrainWord
from loan_reminders.web.statistics.drawings import drawings
from loan_reminders.web.statistics.long_overdues import long_overdue_sentence
from loan_reminders.web.statistics.tables import (
    Table,
    messages_tables,
    overdue_table,
    returns_table,
    written_exactly,
)

router = APIRouter(route_class=SeeRoute)
Part = Annotated[Typed, Query(max_length=40)]


async def _address(
    du: Part = "", au: Part = "", pas: Part = "", etape: Part = "", canal: Part = "", site: Part = "", public: Part = ""
) -> Address:
    return Address(du=du, au=au, pas=pas, etape=etape, canal=canal, site=site, public=public)


Where = Annotated[Address, Depends(_address)]


@router.get("/statistiques")
def page(at: At, where: Where) -> Response:
    """All figures of a period: without one, the last twelve months."""
    today = datetime.now(settings().zone).date()
    try:
        asked = where.asked(today=today, zone=settings().library.time_zone, others=settings().other_notices)
    except CannotBeAsked as problem:
        return _page(at, where, Address().asked(today=today, zone=settings().library.time_zone), today, str(problem))
    return _page(at, where, asked, today)


@router.get("/statistiques.csv")
def file(at: At, where: Where, tableau: Part = "") -> Response:
    """One of the tables of the page, for a spreadsheet."""
    today = datetime.now(settings().zone).date()
    try:
        zone, others = settings().library.time_zone, settings().other_notices
        asked = where.asked(today=today, zone=zone, others=others, as_it_is_cut=True)
        tables = {table.name: table for table in _found(asked).tables(asked, today)}
    except CannotBeAsked as problem:
        return at.problem(str(problem), 400)
    except ReminderError as error:
        return at.unavailable(error)
    table = tables.get(tableau)
    if table is None:
        return at.problem("Il n'y a pas de tableau de ce nom dans les statistiques.", 404)
    name = f"relances-{table.name}-{asked.first:%Y%m%d}-{asked.last:%Y%m%d}.csv"
    return download(name, "text/csv; charset=utf-8", BytesIO(table.file()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    messages: MessageFigures
    returns: tuple[Returns, ...]
    overdue: tuple[Overdue, ...]
    freshness: Freshness

    def tables(self, asked: Asked, today: date) -> list[Table]:
        by_cut = messages_tables(self.messages, asked, _branches(), price=settings().sms_price(), today=today)
        return [overdue_table(self.overdue), returns_table(self.returns), *by_cut.values()]


_shared: SharedAnswer[_Found] = SharedAnswer()


def _found(asked: Asked) -> _Found:
    return _shared.get(asked, lambda: _summed(asked))


def _summed(asked: Asked) -> _Found:
    figures = ledger_access.figures()
    return _Found(
        messages=figures.messages(asked),
        returns=tuple(figures.returns(asked)),
        overdue=tuple(figures.overdue(asked)),
        freshness=figures.freshness(),
    )


def _page(at: Page, where: Address, asked: Asked, today: date, problem: str = "") -> Response:
    try:
        found = _found(asked)
    except ReminderError as error:
        return at.unavailable(error)
    overdue, returns, *by_cut = found.tables(asked, today)
    looks, price = found.freshness, settings().sms_price()
    return at.html(
        "statistiques.html.j2",
        400 if problem else 200,
        problem=problem,
        where=where,
        coarser="" if problem else words.coarser_words(where, asked),
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
        grain=next(word.value for word in GrainWord if words.GRAINS[word] is asked.grain),
        choices=_choices(),
        period=f"du {day_words(asked.first)} au {day_words(asked.last)}",
        narrowed=_narrowed(where),
        total=found.messages.total,
        number=written_exactly,
        price=price,
        euros=euros,
        overdue=overdue,
        returns=returns,
        by_cut=by_cut,
        charts=drawings(found.messages, found.returns, found.overdue, asked, price=price, branches=_branches()),
        cost=sms_cost_words(price, told=found.messages.total.cost, unpriced=found.messages.total.unpriced),
        sentence=long_overdue_sentence(found.overdue),
        first_look=day_words(looks.first_look),
        last_look=day_words(looks.last_look),
        runs_to_count=looks.runs_to_count,
        empty=found.messages.total.told + found.messages.total.not_reached + found.messages.total.failed == 0,
    )


def _narrowed(where: Address) -> list[str]:
    """What the figures are narrowed to, in words; what the form does not offer narrows nothing or leaves nothing."""
    chosen = ((words_of, getattr(where, part)) for part, words_of in _choices().items())
    return [words_of.get(value, value) for words_of, value in chosen if value]


def _branches() -> dict[str, str]:
    return {branch.code: branch.name for branch in settings().library.branches}


def _choices() -> dict[str, dict[str, str]]:
    """What the form offers, by the part of the address: a value, and its words."""
    return {
        "etape": {value: STAGES[stage] for value, stage in words.STAGES.items()}
        | {notice.value: STAGES[notice] for notice in settings().other_notices},
        "canal": {value: CHANNELS[channel] for value, channel in words.CHANNELS.items()},
        "site": _branches(),
        "public": {value: READERS[category] for value, category in words.CATEGORIES.items()},
    }
