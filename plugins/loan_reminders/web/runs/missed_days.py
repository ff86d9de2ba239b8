"""Days that had no run: which, what a run would still say, and the button that starts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable, ReminderError
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.runs.reference_date import OLDEST
from loan_reminders.domain.runs.to_do import MISSED_WITHIN, ToDoKind, missed_days
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Stage
from loan_reminders.french.days import long_day_words
from loan_reminders.french.plurals import many, one_or_many
from loan_reminders.french.runs import ONE_AND_MANY
from loan_reminders.french.words import STAGES, no_stage, the_stage
from loan_reminders.hooks.ils import source_for
from loan_reminders.services.runs.catch_up import Foresight, foresee
from loan_reminders.settings.library_toml import our_dag_id, settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.airflow_api import Airflow, AirflowApi, AirflowRefused, AirflowSilent
from loan_reminders.web.guard import ActRoute, SeeRoute
from loan_reminders.web.lists import LINES, Number, Order, Pages
from loan_reminders.web.page import At, Page, Typed, said
from loan_reminders.web.runs import airflow_day, airflow_runs
from loan_reminders.web.runs.airflow_runs import StageRuns

PATH = "tournees/jours-manques"

seen = APIRouter(route_class=SeeRoute)
acted = APIRouter(route_class=ActRoute)
AStage = Annotated[Stage, InPath()]
ADay = Annotated[date, InPath()]

WRONG = {
    ToDoKind.MISSED_DAY: "aucune tournée",
    ToDoKind.BOOKS_WRONG: "comptes qui ne sont pas justes",
    ToDoKind.STANDS_STILL: "tournée qui n'avance plus",
}
SILENT = "Airflow ne répond pas : rien n'a été lancé. Recharger cette page dans un instant."
FORBIDDEN = "Votre compte Airflow ne permet pas de lancer une tournée : rien n'a été lancé. Voir l'administrateur."
NO_DAG = "Airflow ne connaît pas cette étape : prévenir l'administrateur. Rien n'a été lancé."
NOT_REACHED = ("sans adresse utilisable, ou désinscrit", "sans adresse utilisable, ou désinscrits")
UNREADABLE = ("prêt que le SIGB donne mal, écarté", "prêts que le SIGB donne mal, écartés")
UNDER_WAY = "Une tournée de ce jour est déjà en cours ou en attente dans Airflow : elle n'est pas lancée deux fois."
PAUSED = "Cette étape est en pause dans Airflow : la remettre en marche, puis recharger cette page."


@seen.get(f"/{PATH}")
async def page(
    at: At,
    who: Librarian,
    airflow: Airflow,
    etape: Annotated[Typed, Query(max_length=40)] = "",
    tri: Annotated[Typed, Query(max_length=10)] = "",
    sens: Annotated[Typed, Query(max_length=4)] = "",
    page: Number = 0,
) -> Response:
    """Every stage's days without a green run, the oldest first; today's run that goes on in Airflow is no fault.

    `etape` shows those of one stage, `sens` « desc » the newest first.
    """
    config = settings()
    now = datetime.now(config.zone)
    today = await airflow_day.airflow_day(airflow, person=who, now=now, window=config.sms_window())
    filters = {"etape": etape if etape in set(config.all_stages) else ""}
    order = Order(column="jour", descending=tri == "jour" and sens == "desc", asked=filters)
    return await run_in_threadpool(_list, at, now, today.going, order, max(1, page))


def _list(at: Page, now: datetime, going: Collection[Stage], order: Order, number: int) -> Response:
    try:
        found = _missed(now)
    except ReminderError as error:
        return at.unavailable(error)
    rows = [
        _row(kind, day)
        for kind, day in sorted(found, key=lambda one: one[1].day, reverse=order.descending)
        if not (kind is ToDoKind.MISSED_DAY and day.day == now.date() and day.stage in going)
        and order.asked["etape"] in ("", day.stage)
    ]
    asked = {**order.asked, **({"tri": "jour", "sens": "desc"} if order.descending else {})}
    pages = Pages(number=number, lines=len(rows), asked=asked)
    pages = replace(pages, number=min(number, pages.last))
    return at.html(
        "jours_manques.html.j2",
        rows=rows[pages.offset : pages.offset + LINES],
        pages=pages,
        order=order,
        stage=order.asked["etape"],
        stages=[(one.value, STAGES[one]) for one in settings().all_stages],
        within=MISSED_WITHIN.days,
    )


@acted.get(f"/{PATH}/{{stage}}/{{day}}")
async def before(at: At, stage: AStage, day: ADay, airflow: Airflow) -> Response:
    """What a run for this day would still say, and to whom not."""
    return await _page(at, stage, day, airflow)


@acted.post(f"/{PATH}/{{stage}}/{{day}}")
async def catch_up(at: At, stage: AStage, day: ADay, who: Librarian, airflow: Airflow) -> Response:
    """Start the run of this day, once."""
    if not _is_possible(stage, day, _today()):
        return await run_in_threadpool(at.problem, _impossible(), 404)
    try:
        runs = await airflow_runs.stage_runs(airflow, stage, zone=settings().zone)
        if day in runs.under_way:
            return await _page(at, stage, day, airflow, status=409)
        if runs.paused:
            return await _page(at, stage, day, airflow, status=409)
        dag_run_id = await airflow_runs.start(airflow, stage, day)
    except AirflowSilent:
        return await _page(at, stage, day, airflow, problem=SILENT, status=503)
    except AirflowRefused as refused:
        words, status = {409: (UNDER_WAY, 409), 401: (FORBIDDEN, 403), 403: (FORBIDDEN, 403)}.get(
            refused.status, (NO_DAG, 503)
        )
        return await _page(at, stage, day, airflow, problem=words, status=status)
    try:
        await run_in_threadpool(ledger_access.catching_up().started, stage, day, who=who)
    except ReminderError as error:
        words = f"La tournée est lancée dans Airflow, mais le journal n'a pas pu le noter. {said(error)}"
        return await run_in_threadpool(at.problem, words, 503)
    badge.forget()
    airflow_day.forget(who)
    return at.to("tournees/airflow", dag=our_dag_id(stage.value), tournee=dag_run_id)


async def _page(
    at: Page, stage: Stage, day: date, airflow: AirflowApi, *, problem: str = "", status: int = 200
) -> Response:
    today = _today()
    if not _is_possible(stage, day, today):
        return await run_in_threadpool(at.problem, _impossible(), 404)
    runs, why_not = await _ask(airflow, stage, day)
    context: dict[str, Any] = {"foresight": None, "ils": ""}
    try:
        ours = await run_in_threadpool(_of_day, stage, day)
        if not why_not:
            context["foresight"] = _foresight_words(await run_in_threadpool(_foresight, stage, day, today))
    except (IlsUnavailable, IlsRejected) as error:
        context["ils"] = said(error)
    except ReminderError as error:
        return await run_in_threadpool(at.unavailable, error)
    words = {
        "stage": stage.value,
        "dag": our_dag_id(stage.value),
        "name": the_stage(stage),
        "missing": no_stage(stage),
        "day": long_day_words(day),
        "iso": day.isoformat(),
        "state": ours,
        "why_not": why_not,
        "under_way": runs.under_way.get(day, "") if runs is not None else "",
        "others": runs is not None and runs.full and day not in runs.under_way,
        "problem": problem,
    }
    return await run_in_threadpool(at.html, "rattraper.html.j2", status, **words, **context)


async def _ask(airflow: AirflowApi, stage: Stage, day: date) -> tuple[StageRuns | None, str]:
    """What Airflow has of the stage, and why its run cannot be started now, empty when it can."""
    try:
        runs = await airflow_runs.stage_runs(airflow, stage, zone=settings().zone)
    except AirflowSilent:
        return None, SILENT
    except AirflowRefused as refused:
        return None, NO_DAG if refused.status == 404 else FORBIDDEN
    if day in runs.under_way:
        return runs, UNDER_WAY
    return runs, PAUSED if runs.paused else ""


def _today() -> date:
    return datetime.now(settings().zone).date()


def _is_possible(stage: Stage, day: date, today: date) -> bool:
    return stage in settings().all_stages and today - OLDEST <= day <= today


def _impossible() -> str:
    return "Un jour à venir, ou de plus d'un an, ne se rattrape pas ; ni un avis que la bibliothèque n'a plus."


def _missed(now: datetime) -> Sequence[tuple[ToDoKind, WatchedDay]]:
    config = settings()
    starts = config.starts
    watched = ledger_access.whole().days_to_watch(
        since=now.date() - MISSED_WITHIN, until=now.date(), stages=tuple(starts)
    )
    return missed_days(watched, starts=starts, one_at_a_time=config.policy().one_at_a_time, now=now)


def _of_day(stage: Stage, day: date) -> str:
    """How far the ledger says a day is: its run ended well, was begun, or there is none."""
    watched = ledger_access.whole().days_to_watch(since=day, until=day, stages=(stage,))
    if not watched:
        return "faite"
    return "commencée" if watched[0].started_at is not None else ""


def _foresight(stage: Stage, day: date, today: date) -> Foresight:
    config = settings()
    policy = config.policy()
    due_date = policy.rule(stage).due_date_on(day)
    run = Run(run_id=0, stage=stage, reference_date=day, due_date=due_date, today=today, dry_run=True, planned=False)
    source = source_for(config, stage, today=today, for_pages=True)
    with ledger_access.foreseeing(run) as planning:
        return foresee(planning, source, run=run, policy=policy)


def _foresight_words(found: Foresight) -> dict[str, Any]:
    channels = [many(number, *ONE_AND_MANY[channel]) for channel, number in sorted(found.by_channel.items()) if number]
    others = (
        (found.superseded, "à une étape suivante : c'est elle qui prévient, ou qui a prévenu"),
        (found.expired, "pour qui il est trop tard : l'échéance est passée"),
        (found.told_already, one_or_many(found.told_already, "déjà prévenu", "déjà prévenus") + " de cette étape"),
        (found.not_reached, one_or_many(found.not_reached, *NOT_REACHED)),
        (found.others, "que les règles de l'étape laissent de côté"),
        (found.unreadable, one_or_many(found.unreadable, *UNREADABLE)),
    )
    return {
        "loans": found.loans,
        "told": found.told,
        "channels": channels,
        "taken_over": _named(found.taken_over),
        "unnamed": found.superseded - len(found.taken_over),
        "others": [(number, words) for number, words in others if number],
    }


def _named(readers: Sequence[Patron]) -> list[tuple[str, int | None]]:
    """Some readers, and the number of each one's page; none of a reader whom no run has seen."""
    known = ledger_access.readers()
    return [(one.name or one.barcode or one.patron_id, known.number_of(one.patron_id)) for one in readers]


def _row(kind: ToDoKind, day: WatchedDay) -> dict[str, Any]:
    name = STAGES[day.stage]
    return {
        "stage": day.stage.value,
        "name": name[0].upper() + name[1:],
        "day": long_day_words(day.day),
        "iso": day.day.isoformat(),
        "wrong": WRONG[kind] if day.started_at is None or kind is not ToDoKind.MISSED_DAY else "SIGB jamais lu",
        "run_id": day.run_id,
    }


router = APIRouter()
router.include_router(seen)
router.include_router(acted)
