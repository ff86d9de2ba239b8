"""The first page: is the day fine, does something wait, is something stopped; the five stages, the credit, tomorrow.

Figures only: no reader's name is on it. What the ledger knows and what Airflow knows are asked for side by side, and
the page shows what came: without Airflow's answer it says so and goes by the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.concurrency import run_in_threadpool

from loan_reminders.domain.errors import LedgerRefused, ReminderError
from loan_reminders.domain.runs.day_state import Level, verdict
from loan_reminders.domain.runs.to_do import ToDoItem, not_under_way
from loan_reminders.french.days import hour_words, long_day_words, near_words
from loan_reminders.french.pages.today import verdict_words
from loan_reminders.ledger.runs.today import Today
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.airflow_api import Airflow
from loan_reminders.web.guard import SeeRoute
from loan_reminders.web.page import At, Page
from loan_reminders.web.runs.airflow_day import AirflowDay, airflow_day
from loan_reminders.web.runs.day_cards import cards, days_of, next_run
from loan_reminders.web.runs.last_days import credit, last_days, late_sms, tomorrow
from loan_reminders.web.runs.to_do import to_do
from loan_reminders.web.shared_answers import SharedAnswer
from loan_reminders.web.statistics.effect_page import running

router = APIRouter(route_class=SeeRoute)
_TRIAL = ("wait", "hold")
_LOOKS = {Level.FINE: ("", "done"), Level.WAITING: ("wait", "person"), Level.STOPPED: ("bad", "stopped")}

_known: SharedAnswer[Today] = SharedAnswer()
_items: SharedAnswer[Sequence[ToDoItem]] = SharedAnswer()


async def present() -> datetime:
    """This moment, by the library's clock; a test says another."""
    return datetime.now(settings().zone)


@router.get("/")
async def page(at: At, api: Airflow, who: Librarian, now: Annotated[datetime, Depends(present)]) -> Response:
    """The day."""
    config = settings()
    try:
        known, airflow = await asyncio.gather(
            run_in_threadpool(_ledger, now, config.library.time_zone),
            airflow_day(api, person=who, now=now, window=config.sms_window()),
        )
    except LedgerRefused as error:
        if error.code in badge.BEHIND:
            return await run_in_threadpool(_behind, at, now)
        return at.unavailable(error)
    except ReminderError as error:
        return at.unavailable(error)
    return await run_in_threadpool(_page, at, known, airflow, now)


def _ledger(now: datetime, zone: str) -> Today:
    return _known.get(now.date(), lambda: ledger_access.today().today(now, zone=zone))


def _waiting(now: datetime) -> Sequence[ToDoItem]:
    return _items.get(now.date(), lambda: badge.waiting(now))


def _behind(at: Page, now: datetime) -> Response:
    """The frame, and the one thing to do: nothing else can be read of a ledger that is behind its migrations."""
    config = settings()
    waiting = to_do(at, now=now)
    return at.html(
        "registre_en_retard.html.j2",
        503,
        to_do=waiting,
        to_do_count=waiting.number,
        day=long_day_words(now.date()),
        library=config.library.short_name,
        hour=hour_words(now, zone=config.zone),
    )


def _page(at: Page, known: Today, airflow: AirflowDay, now: datetime) -> Response:
    config = settings()
    days = days_of(config, known.stages, airflow, now)

    def listed(then: datetime) -> Sequence[ToDoItem]:
        return tuple(not_under_way(_waiting(then), today=then.date(), going=airflow.going))

    waiting = to_do(at, now=now, waiting=listed)
    asked = sum(day.level is Level.WAITING for day in days.values())
    redirect = config.redirection()
    found = verdict(days, others_waiting=max(0, waiting.number - asked))
    sentence, more = verdict_words(found, acts=at.may("act"), missed=waiting.missed, redirect=redirect)
    comes = next_run(config, days, now)
    look, icon = _TRIAL if redirect is not None and found.level is Level.FINE else _LOOKS[found.level]
    return at.html(
        "aujourdhui.html.j2",
        to_do=waiting,
        to_do_count=waiting.number,
        day=long_day_words(now.date()),
        library=config.library.short_name,
        hour=hour_words(now, zone=config.zone),
        comes="" if comes is None else near_words(comes, now, zone=config.zone),
        began=known.began,
        look=look,
        icon=icon,
        sentence=sentence,
        more=more,
        airflow=airflow,
        cards=cards(config, days, known.stages, airflow, now, began=known.began),
        credit=credit(config, known, now),
        last_days=last_days(known.last_days, now.date()),
        tomorrow=tomorrow(config, known, days, now),
        late_sms=late_sms(config, now),
        running=running(now.date()),
    )
