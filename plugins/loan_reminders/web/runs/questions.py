"""The two questions of a run, answered here with the librarian's own session; they stay in « Actions requises » too."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.runs.questions import AskingRun, Question
from loan_reminders.french.days import long_day_words, when_words
from loan_reminders.french.readings import doubt_causes, doubt_words
from loan_reminders.french.words import CATEGORIES, CHANNELS, the_stage
from loan_reminders.services.registered import approval
from loan_reminders.services.runs import check_volume
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.airflow_api import Airflow, AirflowApi, AirflowRefused, AirflowSilent
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.runs import airflow_day, airflow_runs
from loan_reminders.web.runs.airflow_runs import AskedInAirflow

router = APIRouter(route_class=ActRoute)
RunId = Annotated[int, InPath(ge=1, lt=2**63)]

OPTIONS = {
    Question.VOLUME: {"oui": check_volume.SEND, "non": check_volume.REFUSE},
    Question.LETTERS: {"oui": approval.APPROVE, "non": approval.REFUSE},
}
PAGES = {Question.VOLUME: "question_volume.html.j2", Question.LETTERS: "question_lettres.html.j2"}
PATHS = {Question.VOLUME: "volume", Question.LETTERS: "lettres"}

UNKNOWN = "Aucune tournée ne pose cette question."
SILENT = (
    "Airflow ne répond pas : la réponse n'a pas pu être donnée d'ici. Recharger cette page, ou répondre dans Airflow,"
    " « Actions requises »."
)
FORBIDDEN = "Votre compte Airflow ne permet pas de répondre : rien n'est changé. Voir l'administrateur."
NOT_ASKED = (
    "Cette question n'est pas posée en ce moment dans Airflow : la tournée ne l'a pas encore posée, ou elle est finie."
)
TAKEN = "Quelqu'un a répondu entre-temps, et c'est cette première réponse qui vaut."


@router.get("/questions/{run_id}/volume")
async def volume(at: At, run_id: RunId, airflow: Airflow) -> Response:
    """Is this unusual number of messages to leave?"""
    return await _page(at, run_id, Question.VOLUME, airflow)


@router.post("/questions/{run_id}/volume")
async def answer_volume(
    at: At, run_id: RunId, who: Librarian, airflow: Airflow, reponse: Annotated[Typed, Form(max_length=3)] = ""
) -> Response:
    """Send, or send nothing."""
    return await _answer(at, run_id, Question.VOLUME, airflow, who=who, reply=reponse)


@router.get("/questions/{run_id}/lettres")
async def letters(at: At, run_id: RunId, airflow: Airflow) -> Response:
    """Are these registered letters to be printed?"""
    return await _page(at, run_id, Question.LETTERS, airflow)


@router.post("/questions/{run_id}/lettres")
async def answer_letters(
    at: At,
    run_id: RunId,
    who: Librarian,
    airflow: Airflow,
    reponse: Annotated[Typed, Form(max_length=3)] = "",
    retirer: Annotated[Sequence[uuid.UUID], Form()] = (),
    motif: Annotated[Typed, Form(max_length=100)] = "",
) -> Response:
    """Approve them but those that are taken out, or print none."""
    chosen = frozenset(retirer)
    shown: dict[str, Any] = {"chosen": chosen, "reason": motif}
    if motif and motif not in approval.REASONS:
        return await _page(at, run_id, Question.LETTERS, airflow, "Ce motif n'est pas dans la liste.", 400, **shown)
    if reponse == "oui" and chosen and not motif:
        words = "Des lettres sont à retirer : choisir pourquoi. Rien n'est encore validé."
        return await _page(at, run_id, Question.LETTERS, airflow, words, 400, **shown)
    try:
        drafts = ledger_access.drafts()
        waiting = {one.delivery_id: one.reference for one in await run_in_threadpool(drafts.letters, run_id)}
    except ReminderError as error:
        return await run_in_threadpool(at.unavailable, error)
    if not chosen <= waiting.keys():
        words = "Une des lettres à retirer n'est plus de ce lot : relire la liste. Rien n'est encore validé."
        return await _page(at, run_id, Question.LETTERS, airflow, words, 409)
    references = " ".join(waiting[one] for one in waiting if one in chosen) if reponse == "oui" else ""
    form = {"retirer": references or None, "motif": motif or None}
    return await _answer(at, run_id, Question.LETTERS, airflow, who=who, reply=reponse, form=form)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The question as Airflow has it, or why it cannot be known."""

    question: AskedInAirflow | None = None
    problem: str = ""
    status: int = 200


async def _page(
    at: Page, run_id: int, question: Question, airflow: AirflowApi, problem: str = "", status: int = 200, **shown: Any
) -> Response:
    try:
        run = await run_in_threadpool(ledger_access.questions().asking, run_id, question)
        if run is None:
            return await run_in_threadpool(at.problem, UNKNOWN, 404)
        asked = await _asked(run, question, airflow)
        facts = await run_in_threadpool(_facts, run, question)
    except ReminderError as error:
        return await run_in_threadpool(at.unavailable, error)
    context = {
        "run": _run(run),
        "question": PATHS[question],
        "open": asked.question is not None and asked.question.is_open and not asked.problem,
        "answered": _answered(run, asked.question),
        "problem": problem or asked.problem,
        "chosen": frozenset(),
        "reason": "",
        "reasons": approval.REASONS,
        **facts,
        **shown,
    }
    return await run_in_threadpool(at.html, PAGES[question], status if problem else asked.status, **context)


async def _asked(run: AskingRun, question: Question, airflow: AirflowApi) -> _Asked:
    try:
        found = await airflow_runs.question(airflow, question, stage=run.stage, dag_run_id=run.dag_run_id)
    except AirflowSilent:
        return _Asked(problem=SILENT, status=503)
    except AirflowRefused as refused:
        if refused.status == 404:
            return _Asked(problem=NOT_ASKED)
        return _Asked(problem=FORBIDDEN, status=403)
    return _Asked(question=found, problem="" if found is not None else NOT_ASKED)


async def _answer(
    at: Page,
    run_id: int,
    question: Question,
    airflow: AirflowApi,
    *,
    who: str,
    reply: str,
    form: Mapping[str, str | None] | None = None,
) -> Response:
    option = OPTIONS[question].get(reply)
    if option is None:
        return await _page(at, run_id, question, airflow, "Il manque la réponse.", 400)
    try:
        run = await run_in_threadpool(ledger_access.questions().asking, run_id, question)
    except ReminderError as error:
        return await run_in_threadpool(at.unavailable, error)
    if run is None:
        return await run_in_threadpool(at.problem, UNKNOWN, 404)
    try:
        await airflow_runs.answer(
            airflow, question, option, stage=run.stage, dag_run_id=run.dag_run_id, form=form or {}
        )
    except AirflowSilent:
        return await _page(at, run_id, question, airflow, SILENT, 503)
    except AirflowRefused as refused:
        words, status = {409: (TAKEN, 409), 401: (FORBIDDEN, 403), 403: (FORBIDDEN, 403)}.get(
            refused.status, (NOT_ASKED, 409)
        )
        return await _page(at, run_id, question, airflow, words, status)
    try:
        await run_in_threadpool(ledger_access.questions().answered, run_id, question, agreed=reply == "oui", who=who)
    except ReminderError as error:
        return await run_in_threadpool(at.unavailable, error)
    badge.forget()
    airflow_day.forget(who)
    return at.to(f"tournees/{run_id}", repondu=PATHS[question])


def _facts(run: AskingRun, question: Question) -> dict[str, Any]:
    """What there is to decide about, out of the ledger."""
    config = settings()
    ledger = ledger_access.whole()
    if question is Question.LETTERS:
        batches = ledger.drafts().drafts(run.run_id)
        waiting = {one.delivery_id: one for one in ledger.drafts().letters(run.run_id)}
        letters = [
            {
                "id": letter.delivery_id,
                "batch": letter.batch_id,
                "reference": letter.reference,
                "name": letter.patron_name,
                "reader": letter.reader_number,
                "documents": len(letter.loans),
                "pages": waiting[letter.delivery_id].pages,
                "waiting": waiting[letter.delivery_id].waiting,
            }
            for batch in batches
            for letter in ledger.letters().letters_of(batch.batch_id)
            if letter.delivery_id in waiting
        ]
        trial = any(batch.trial for batch in batches)
        return {"letters": letters, "batches": [batch.batch_id for batch in batches], "trial": trial}
    facts = check_volume.volume_facts(
        ledger, run_id=run.run_id, guard=config.guard(), past_runs=config.volume_guard.runs
    )
    return {
        "alarms": [
            (CHANNELS[one.channel], one.planned, "aucune" if one.usual is None else f"{one.usual:g}", one.cap)
            for one in facts.alarms
        ],
        "compared": facts.runs_compared,
        "doubts": [doubt_words(one, run.stage) for one in facts.doubts],
        "causes": doubt_causes(facts.doubts, facts.rejected, run.stage) if facts.doubts else [],
        "stopped": check_volume.STOPPED,
        "sample": [
            (CATEGORIES[one.notice.patron.category], len(one.loans), *_of_loan(one.loans[0])) for one in facts.sample
        ],
    }


def _of_loan(loan: Loan) -> tuple[str, str, int]:
    branch = settings().identity().branch(loan.branch).name
    return branch, f"{loan.loan_date:%d/%m/%Y}", loan.renewal_count


def _run(run: AskingRun) -> dict[str, Any]:
    return {
        "id": run.run_id,
        "stage": the_stage(run.stage),
        "day": long_day_words(run.reference_date),
        "about": "prêts à échéance le" if run.stage.is_about_loans else "demandes lues le",
        "due": long_day_words(run.due_date),
    }


def _answered(run: AskingRun, asked: AskedInAirflow | None) -> str:
    """Who answered what, and when; empty while nobody did."""
    zone = settings().zone
    now = datetime.now(zone)
    if asked is not None and asked.at is not None:
        by = f" par {asked.who}" if asked.who else ""
        return f"Répondu{by}, {when_words(asked.at, zone=zone, now=now)} : « {asked.answer} »."
    if asked is None and run.answered is not None and run.answered_at is not None:
        return f"Répondu par {run.answered_by}, {when_words(run.answered_at, zone=zone, now=now)}."
    return ""
