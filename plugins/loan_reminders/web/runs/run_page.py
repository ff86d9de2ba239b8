"""One run: its books in words, whom it did not reach and why, its letters; also the tab of a run in Airflow's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath

from loan_reminders.domain.desk import NotReached, StuckDelivery
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.runs.run_page import ALL_NAMES, AnswerGiven, RunNames, RunPage
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.french.days import long_day_words, when_words
from loan_reminders.french.desk import not_reached_words, stuck_words
from loan_reminders.french.letters import BATCHES
from loan_reminders.french.readings import KEYS, code_words, codes_advice, doubt_words, repaired_words, share_words
from loan_reminders.french.words import CHANNELS, ONE_CHANNEL, SKIPS, STATES, stage_title
from loan_reminders.services.runs.check_reading import reading_doubts
from loan_reminders.settings.library_toml import our_dag_id, settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Right, airflow_link
from loan_reminders.web.guard import SeeRoute
from loan_reminders.web.lists import LINES, Pages
from loan_reminders.web.page import At, Page, Typed

router = APIRouter(route_class=SeeRoute)
RunId = Annotated[int, InPath(ge=1, lt=2**63)]
Word = Annotated[Typed, Query(max_length=40)]
UNREACHED_BY = (SkipReason.NO_RECIPIENT, SkipReason.INVALID_RECIPIENT, SkipReason.DEAD_ADDRESS)

SECONDS = 10
"""How often the page of a run that has not ended is asked for again."""

LEFT = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)
NOT_A_RUN = "Cette exécution n'est pas une tournée de relance : elle n'a pas de comptes."


@router.get("/tournees/airflow")
def of_airflow(
    at: At, dag: Annotated[Typed, Query(max_length=250)] = "", tournee: Annotated[Typed, Query(max_length=250)] = ""
) -> Response:
    """The run that Airflow calls so, for the tab « Relances » of its own page."""
    stage = next((stage for stage in settings().all_stages if our_dag_id(stage.value) == dag), None)
    if stage is None:
        return at.html("tournee_sans_comptes.html.j2", problem=NOT_A_RUN, wait=0)
    try:
        run_id = ledger_access.run_pages().number_of(stage, tournee)
        if run_id is not None:
            return _page(at, run_id)
    except ReminderError as error:
        return at.unavailable(error)
    words = (
        "Cette tournée n'a pas encore commencé à lire les prêts, ou elle a échoué avant : le registre n'en sait rien."
        " Cette page se recharge toute seule."
    )
    return at.html("tournee_sans_comptes.html.j2", problem=words, wait=SECONDS)


@router.get("/tournees/{run_id}")
def page(
    at: At,
    run_id: RunId,
    repondu: Annotated[Typed, Query(max_length=10)] = "",
    motif: Word = "",
    joints: Annotated[int, Query(ge=1, le=100_000)] = 1,
    canal: Word = "",
    envois: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """One run. `repondu` names the question that was just answered: it is said only of an answer that is kept.

    `motif` filters the readers without an address that can be used, `canal` the messages that did not arrive; `joints`
    and `envois` are the pages of these lists.
    """
    wanted = RunNames(
        reason=SkipReason(motif) if motif in set(UNREACHED_BY) else None,
        not_reached_from=(joints - 1) * LINES,
        channel=Channel(canal) if canal in set(Channel) else None,
        lost_from=(envois - 1) * LINES,
    )
    try:
        return _page(at, run_id, replied=repondu, wanted=wanted)
    except ReminderError as error:
        return at.unavailable(error)


@router.get("/tournees/{run_id}/lots")
def batches(at: At, run_id: RunId) -> Response:
    """The way from a task of Airflow to the batch of its letters, or to the run when it has none or several."""
    try:
        run = ledger_access.run_pages().run(run_id, names=False)
    except ReminderError as error:
        return at.unavailable(error)
    if run is None:
        return _unknown(at)
    only = run.batches[0] if len(run.batches) == 1 and at.may(Right.ACT) else None
    return at.to(f"tournees/{run_id}#lots") if only is None else at.to(f"lots/{only.batch_id}")


def _unknown(at: Page) -> Response:
    return at.problem("Le registre n'a pas cette tournée.", 404)


def _page(at: Page, run_id: int, *, replied: str = "", wanted: RunNames = ALL_NAMES) -> Response:
    names = at.may(Right.ACT)
    run = ledger_access.run_pages().run(run_id, names=names, lines=LINES, wanted=wanted)
    if run is None:
        return _unknown(at)
    if (wanted.not_reached_from and not run.not_reached) or (wanted.lost_from and not run.lost):
        filters = {"motif": wanted.reason, "canal": wanted.channel}
        return at.to(f"tournees/{run_id}", **{name: word.value for name, word in filters.items() if word})
    zone = settings().zone
    now = datetime.now(zone)
    answers = [_answer_words(one, now) for one in run.answers] if names else []
    question = {"volume": Question.VOLUME, "lettres": Question.LETTERS}.get(replied)
    given = [one for one in run.answers if one.question is question]
    return at.html(
        "tournee.html.j2",
        run_id=run.run_id,
        stage=stage_title(run.stage),
        day=long_day_words(run.reference_date),
        due=long_day_words(run.due_date),
        is_about_loans=run.stage.is_about_loans,
        dry_run=run.dry_run,
        started=when_words(run.started_at, zone=zone, now=now),
        closed="" if run.closed_at is None else when_words(run.closed_at, zone=zone, now=now),
        balanced=run.balanced,
        problems=run.problems,
        done=_done_words(given[-1], now) if given and names else "",
        answers=answers,
        wait=0 if run.closed_at is not None or (now - run.started_at).days else SECONDS,
        airflow=airflow_link(f"dags/{our_dag_id(run.stage.value)}/runs/{quote(run.dag_run_id, safe='')}"),
        missed=f"tournees/jours-manques/{run.stage}/{run.reference_date.isoformat()}",
        not_reached=[_not_reached(one) for one in run.not_reached[:LINES]],
        lost=[_lost(one) for one in run.lost[:LINES]],
        **_ways(run, wanted),
        **_figures(run),
    )


def _ways(run: RunPage, wanted: RunNames) -> dict[str, Any]:
    """How the two lists of readers are filtered and paged; one stays as it is while the other is turned over."""
    joints, envois = wanted.not_reached_from // LINES + 1, wanted.lost_from // LINES + 1
    filters = {"motif": wanted.reason or "", "canal": wanted.channel or ""}
    return {
        "reason": filters["motif"],
        "reasons": [(one.value, SKIPS[one]) for one in UNREACHED_BY],
        "channel": filters["canal"],
        "channels": [(one.value, CHANNELS[one]) for one in Channel],
        "pages_not_reached": Pages.uncounted(
            joints, len(run.not_reached), asked={**filters, "envois": str(envois) if envois > 1 else ""}, name="joints"
        ),
        "pages_lost": Pages.uncounted(
            envois, len(run.lost), asked={**filters, "joints": str(joints) if joints > 1 else ""}, name="envois"
        ),
    }


def _figures(run: RunPage) -> dict[str, Any]:
    """What is counted, nobody's name."""
    left = {channel: sum(states.get(state, 0) for state in LEFT) for channel, states in run.deliveries.items()}
    return {
        "loans": run.loans,
        "notices": run.notices,
        "told": run.told,
        "unreached": run.unreached,
        "redirected": run.redirected,
        "left": [(ONE_CHANNEL[channel], CHANNELS[channel], number) for channel, number in left.items() if number],
        "states": [
            (CHANNELS[channel], STATES[state], number)
            for channel, states in run.deliveries.items()
            for state, number in sorted(states.items(), key=lambda one: -one[1])
        ],
        "skipped": [(SKIPS[reason], number) for reason, number in run.skipped.items()],
        "skipped_loans": sum(run.skipped.values()),
        "reading": None if run.reading is None else _reading(run.reading, run.run_id, run.stage),
        "batches": [
            {
                "id": one.batch_id,
                "state": BATCHES[one.state],
                "letters": one.letters,
                "pages": one.pages,
                "kind": ONE_CHANNEL[one.channel] if one.letters < 2 else CHANNELS[one.channel],
            }
            for one in run.batches
        ],
    }


def _reading(reading: Reading, run_id: int, stage: Stage) -> dict[str, Any]:
    """What the ILS gave, and what of it is not as it should be."""
    ledger = ledger_access.whole()
    doubts = reading_doubts(ledger, run_id=run_id, guard=settings().guard().reading)
    return {
        "rejected": reading.rejected,
        "shares": [
            (words, number, share_words(number / reading.loans))
            for words, number in (("e-mail", reading.with_email), ("mobile", reading.with_mobile))
            if reading.loans
        ],
        "repaired": repaired_words(reading) if reading.repaired else "",
        "lost": reading.lost,
        "codes": [(code_words(one), KEYS[one.kind]) for one in reading.unknown],
        "advice": codes_advice(reading.unknown),
        "doubts": [doubt_words(one, stage) for one in doubts],
    }


def _done_words(given: AnswerGiven, now: datetime) -> str:
    """The answer that was just given, and what becomes of the run."""
    stops = given.reading and not given.agreed
    return _answer_words(given, now) + ("" if stops else " La tournée reprend dans un instant.")


def _answer_words(given: AnswerGiven, now: datetime) -> str:
    what: Mapping[tuple[Question, bool, bool], str] = {
        (Question.VOLUME, False, True): "Volume validé",
        (Question.VOLUME, False, False): "Volume refusé, rien ne part",
        (Question.VOLUME, True, True): "Lecture du SIGB acceptée, la tournée continue",
        (Question.VOLUME, True, False): "Lecture du SIGB refusée, la tournée s'arrête et rien ne part",
        (Question.LETTERS, False, True): "Lettres recommandées validées",
        (Question.LETTERS, False, False): "Lettres recommandées refusées, rien ne s'imprime",
    }
    when = when_words(given.at, zone=settings().zone, now=now)
    return f"{what[given.question, given.reading, given.agreed]}, par {given.who or 'personne'}, {when}."


def _not_reached(one: NotReached) -> tuple[str, int | None, str, str]:
    why = not_reached_words(one.reason, one.detail)
    return one.patron_barcode or one.patron_id, one.reader_number, one.patron_name, why


def _lost(one: StuckDelivery) -> tuple[str, int | None, str, str, str]:
    number = one.patron_barcode or one.patron_id
    return number, one.reader_number, one.patron_name, ONE_CHANNEL[one.channel], stuck_words(one)
