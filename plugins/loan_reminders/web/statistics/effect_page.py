"""The page of what SMS do, its files and its sheet: what was worked out last night, for whoever may see figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.statistics.effect import Findings, MonthShares
from loan_reminders.french.days import day_words
from loan_reminders.french.pages.effect import running_words, sentences
from loan_reminders.french.pages.statistics import READERS
from loan_reminders.services.statistics.effect_sheet import FILE_NAME, make_effect_sheet
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import SeeRoute
from loan_reminders.web.page import At, Typed, download
from loan_reminders.web.statistics.charts import Colour, Series, chart
from loan_reminders.web.statistics.drawings import per_cent
from loan_reminders.web.statistics.effect_tables import effect_tables
from loan_reminders.web.statistics.tables import month_label

router = APIRouter(route_class=SeeRoute)
NOT_YET = "Ces chiffres ne sont pas encore calculés : « Retours des documents » les fait chaque nuit."
_COLOURS: dict[PatronCategory, Colour] = {PatronCategory.STUDENT: "hue-1", PatronCategory.STAFF: "hue-2"}


def running(today: date) -> str:
    """That SMS are held back from some readers on a day, until when; empty when none are."""
    held_back = settings().sms.held_back()
    return running_words(day_words(held_back.last)) if held_back and held_back.runs_on(today) else ""


@router.get("/statistiques/effet")
def page(at: At) -> Response:
    """What may be concluded, and the figures it rests on."""
    try:
        found = ledger_access.effect().newest()
    except ReminderError as error:
        return at.unavailable(error)
    return at.html(
        "effet.html.j2",
        found=found,
        running=running(datetime.now(settings().zone).date()),
        day=day_words(found.day) if found else "",
        sentences=sentences(found) if found else (),
        tables=effect_tables(found) if found else {},
        drawing=_drawing(found.months) if found else "",
    )


@router.get("/statistiques/effet.csv")
def file(at: At, tableau: Annotated[Typed, Query(max_length=40)] = "") -> Response:
    """One of the tables of the page, for a spreadsheet."""
    found = _found(at)
    if isinstance(found, Response):
        return found
    table = effect_tables(found).get(tableau)
    if table is None:
        return at.problem("Il n'y a pas de tableau de ce nom sur la page « Effet des SMS ».", 404)
    name = f"relances-effet-{table.name}-{found.day:%Y%m%d}.csv"
    return download(name, "text/csv; charset=utf-8", BytesIO(table.file()))


@router.get("/statistiques/effet.pdf")
def sheet(at: At) -> Response:
    """The same on one side of paper."""
    found = _found(at)
    if isinstance(found, Response):
        return found
    try:
        made = make_effect_sheet(found, library=settings().identity(), templates=settings().templates)
    except ReminderError as error:
        return at.unavailable(error)
    return download(FILE_NAME, "application/pdf", BytesIO(made))


def _found(at: At) -> Findings | Response:
    try:
        found = ledger_access.effect().newest()
    except ReminderError as error:
        return at.unavailable(error)
    return found or at.problem(NOT_YET, 404)


def _drawing(months: Sequence[MonthShares]) -> Markup | str:
    if not months:
        return ""
    return chart(
        "lines",
        "Part des retards qui deviennent longs, étudiants et personnels",
        [month_label(one.month) for one in months],
        [
            Series(
                words=READERS[category],
                colour=colour,
                values=tuple(_share(one, category) for one in months),
            )
            for category, colour in _COLOURS.items()
        ],
        say=per_cent,
    )


def _share(one: MonthShares, category: PatronCategory) -> float | None:
    overdue = one.overdue.get(category, 0)
    return round(100 * one.long_overdue[category] / overdue, 1) if overdue else None
