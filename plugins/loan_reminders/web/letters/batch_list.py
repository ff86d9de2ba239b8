"""The list of batches of letters: figures, nobody's name; and the way to the letter of one reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.letters.batch_list import BatchColumn, BatchQuery
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.stages import Stage
from loan_reminders.french.days import written_day
from loan_reminders.french.letters import BATCHES
from loan_reminders.french.words import STAGES
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import ActRoute, SeeRoute
from loan_reminders.web.letters.letter_list import page_of
from loan_reminders.web.letters.table_rows import batch_row
from loan_reminders.web.lists import LINES, Order, Pages
from loan_reminders.web.page import At, Page, Typed

ALL_BRANCHES = "toutes"
"""In the address, the batches that are of no branch alone."""

LETTER_STAGES = (Stage.FIRST_REMINDER, Stage.SECOND_REMINDER, Stage.REGISTERED_LETTER)
NOTHING: Mapping[str, str] = {}

seen = APIRouter(route_class=SeeRoute)
acted = APIRouter(route_class=ActRoute)
Asked = Annotated[Typed, Query(max_length=100)]


@seen.get("/lots")
def page(
    at: At,
    etape: Asked = "",
    bibliotheque: Asked = "",
    etat: Asked = "",
    jour: Asked = "",
    tri: Asked = "",
    sens: Asked = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """The batches: figures, nobody's name; the way to their letters is shown to whoever may open it."""
    asked = {"etape": etape, "bibliotheque": bibliotheque, "etat": etat, "jour": jour}
    try:
        query = BatchQuery(
            stage=Stage(etape) if etape else None,
            branch=("" if bibliotheque == ALL_BRANCHES else bibliotheque) if bibliotheque else None,
            state=BatchState(etat) if etat else None,
            day=written_day(jour) if jour else None,
            column=BatchColumn(tri) if tri else BatchColumn.NUMBER,
            descending=sens == "desc" or not tri,
        )
    except ValueError:
        return _list(at, BatchQuery(), problem="La liste ne se filtre pas ainsi : la voici entière.", status=400)
    asked["jour"] = query.day.isoformat() if query.day else ""
    return _list(at, query, asked=asked, ordered={"tri": tri, "sens": sens}, number=page)


@acted.post("/lots/recherche")
def search(at: At, reference: Annotated[Typed, Form(max_length=100)] = "") -> Response:
    """The way to the letter of one reference; it travels in the body, out of access logs."""
    reference = reference.strip()
    if not reference:
        return _list(at, BatchQuery(), problem="Il manque la référence de la lettre.", status=400)
    try:
        letter = ledger_access.letters().letter(reference)
        if letter is None:
            problem = f"Aucune lettre n'a la référence {reference}."
            return _list(at, BatchQuery(), problem=problem, reference=reference, status=404)
        place = page_of(letter.position, ledger_access.letters().places_of(letter.batch_id))
    except ReminderError as error:
        return at.unavailable(error)
    return at.to(f"lots/{letter.batch_id}{place}#{letter.delivery_id}")


def _list(
    at: Page,
    query: BatchQuery,
    *,
    asked: Mapping[str, str] = NOTHING,
    ordered: Mapping[str, str] = NOTHING,
    number: int = 1,
    status: int = 200,
    **shown: Any,
) -> Response:
    try:
        offset = Pages(number=number, lines=0).offset
        found = ledger_access.letters().listed(replace(query, limit=LINES, offset=offset))
    except ReminderError as error:
        return at.unavailable(error)
    config = settings()
    library, now = config.identity(), datetime.now(config.zone)
    return at.html(
        "lots.html.j2",
        status,
        rows=[batch_row(batch, library=library, zone=config.zone, now=now) for batch in found.batches],
        order=Order(column=query.column, descending=query.descending, asked=asked),
        pages=Pages(number=number, lines=found.total, asked={**asked, **ordered}),
        total=found.total,
        asked={"etape": "", "bibliotheque": "", "etat": "", "jour": "", **asked},
        is_filtered=any(asked.values()),
        stages=[(stage.value, STAGES[stage]) for stage in LETTER_STAGES],
        states=[(state.value, words) for state, words in BATCHES.items()],
        branches=[(branch.code, branch.name) for branch in library.branches] if config.letters.split_by_branch else [],
        all_branches=ALL_BRANCHES,
        **{"problem": "", "reference": "", **shown},
    )


router = APIRouter()
router.include_router(seen)
router.include_router(acted)
