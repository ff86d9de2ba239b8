"""The five stages of the day, and the other notices, as cards.

Each says where it is, whom it told and by which channel, and whether its books balance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loan_reminders.domain.runs.day_state import StageDay, StageFacts, stage_day
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.pages.stage_advice import advice_words
from loan_reminders.french.pages.today import (
    COLOURS,
    ICONS,
    balance_words,
    channel_words,
    offset_words,
    paper_words,
    state_words,
    things_words,
)
from loan_reminders.french.plurals import number_words
from loan_reminders.french.runs import redirected_words, sent_words
from loan_reminders.french.words import stage_title
from loan_reminders.ledger.runs.today import DayFigures
from loan_reminders.settings.library_toml import Settings
from loan_reminders.web.runs.airflow_day import AirflowDay
from loan_reminders.web.runs.card_ways import Way, ways

CLASSES = {
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.LETTER: "letter",
    Channel.REGISTERED_LETTER: "registered",
}
"""The class of each channel in `relances.css`: its colour on every page."""

BAR_WIDTH, GAP = 200, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a card's bar: its colour and place, in units of the drawing."""

    colour: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A line of a card: a number, what it counts, its colour; `path` is where whoever acts finds `more` of it."""

    words: str
    number: str
    colour: str = ""
    path: str = ""
    more: str = "qui et pourquoi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One stage of the day as its card shows it."""

    stage: Stage
    name: str
    offset: str
    state: str
    icon: str
    colour: str
    advice: str
    ways: tuple[Way, ...]
    big: str
    big_words: str
    bar: tuple[Part, ...]
    bar_words: str
    figures: tuple[Figure, ...]
    balance: str
    balanced: bool


def starts_at(config: Settings, stage: Stage, now: datetime) -> datetime:
    """When a stage's run is due on the day of `now`, by the library's clock."""
    return datetime.combine(now.date(), config.starts_at(stage), now.tzinfo)


def days_of(
    config: Settings, figures: Mapping[Stage, DayFigures], airflow: AirflowDay, now: datetime
) -> Mapping[Stage, StageDay]:
    """Where each stage is, in the order of the procedure."""
    opens = config.sms_window().next_opening(now)
    found = {}
    for stage in config.all_stages:
        known = figures.get(stage)
        facts = StageFacts(
            starts_at=starts_at(config, stage, now),
            ledger=None if known is None else known.run,
            airflow=airflow.stages.get(stage),
            sms_opens_at=opens if opens > now else None,
        )
        found[stage] = stage_day(facts, now)
    return found


def next_run(config: Settings, days: Mapping[Stage, StageDay], now: datetime) -> datetime | None:
    """When the next run begins; stages that are paused begin none. None when all are."""
    comes = []
    for stage, day in days.items():
        if not day.paused:
            due = starts_at(config, stage, now)
            comes.append(due if due > now else starts_at(config, stage, now + timedelta(days=1)))
    return min(comes, default=None)


def cards(
    config: Settings,
    days: Mapping[Stage, StageDay],
    figures: Mapping[Stage, DayFigures],
    airflow: AirflowDay,
    now: datetime,
    *,
    began: bool,
) -> Sequence[Card]:
    """The cards of the day, in the order of the procedure; before the library `began` nothing is wrong with any."""
    policy = config.policy()
    return tuple(
        _card(stage, day, figures.get(stage), policy.rule(stage).offset_days, config, airflow, now, began=began)
        for stage, day in days.items()
    )


def _card(
    stage: Stage,
    day: StageDay,
    known: DayFigures | None,
    offset: int,
    config: Settings,
    airflow: AirflowDay,
    now: datetime,
    *,
    began: bool,
) -> Card:
    big, big_words = _big(stage, day, known)
    counted = _counted(known)
    books = None if known is None else known.books
    return Card(
        stage=stage,
        name=stage_title(stage),
        offset=offset_words(offset) if stage.is_about_loans else "autre avis",
        state=state_words(day, now, zone=config.zone),
        icon=ICONS[day.state],
        colour=COLOURS.get(day.state, "bad") if began else "off",
        advice=advice_words(day),
        ways=ways(stage, day, known, airflow, now.date()),
        big=big,
        big_words=big_words,
        bar=_bar(counted),
        bar_words=", ".join(f"{number} {words}" for words, _, number in counted),
        figures=_figures(stage, known, counted),
        balance="" if books is None else balance_words(stage, books.loans, books.explained, books.undone),
        balanced=books is not None and books.loans == books.explained and not books.undone,
    )


def _big(stage: Stage, day: StageDay, known: DayFigures | None) -> tuple[str, str]:
    """The number of a card, and what it counts; nothing before anything was read."""
    if known is None:
        return "", ""
    if known.run.drafts and not known.told:
        number = known.run.drafts
        return number_words(number), "lettre en projet" if number < 2 else "lettres en projet"
    paper = [(channel, number) for channel, number in known.paper.items() if number]
    if paper and not known.told:
        [(channel, number), *_] = paper
        return number_words(number), paper_words(channel, number)
    redirected = sum(known.redirected.values())
    if redirected and not known.told:
        return number_words(redirected), sent_words(redirected)
    if not known.told and day.closes_right is None:
        return number_words(known.loans), things_words(stage, known.loans, done="lu")
    return number_words(known.told), "lecteur prévenu" if known.told < 2 else "lecteurs prévenus"


def _counted(known: DayFigures | None) -> list[tuple[str, str, int]]:
    """What the bar is made of: words, colour and number."""
    if known is None:
        return []
    found = [
        (channel_words(channel, number), CLASSES[channel], number) for channel, number in known.sent.items() if number
    ]
    found += [
        (paper_words(channel, number), CLASSES[channel], number) for channel, number in known.paper.items() if number
    ]
    found += [
        (redirected_words(channel, number), CLASSES[channel], number)
        for channel, number in known.redirected.items()
        if number
    ]
    if known.run.drafts:
        found.append(("en projet", "registered", known.run.drafts))
    if known.not_reached:
        found.append(("non joint" if known.not_reached < 2 else "non joints", "none", known.not_reached))
    return found


def _bar(counted: list[tuple[str, str, int]]) -> tuple[Part, ...]:
    whole = sum(number for _, _, number in counted)
    room, x, parts = BAR_WIDTH - GAP * (len(counted) - 1), 0.0, []
    for _, colour, number in counted:
        width = round(room * number / whole, 1)
        parts.append(Part(colour=colour, x=round(x, 1), width=width))
        x += width + GAP
    return tuple(parts)


def _figures(stage: Stage, known: DayFigures | None, counted: list[tuple[str, str, int]]) -> tuple[Figure, ...]:
    if known is None:
        return ()
    found = [
        Figure(words=words, number=number_words(number), colour=colour, **_leads(words, colour, known))
        for words, colour, number in counted
    ]
    if known.in_doubt:
        found.append(Figure(words="en doute", number=number_words(known.in_doubt)))
    if known.unknown_codes:
        words = f"{things_words(stage, known.unknown_codes)} à code inconnu"
        found.append(Figure(words=words, number=number_words(known.unknown_codes), path=f"tournees/{known.run.run_id}"))
    seen = Figure(words=things_words(stage, known.loans, done="vu"), number=number_words(known.loans))
    return (seen, *found)


def _leads(words: str, colour: str, known: DayFigures) -> Mapping[str, str]:
    """Where a figure leads: those not reached to who and why, letters that have not left to their batch."""
    if colour == "none":
        return {"path": f"tournees/{known.run.run_id}"}
    waiting = {paper_words(channel, number) for channel, number in known.paper.items() if number}
    if words in waiting and known.paper_run is not None:
        return {"path": f"tournees/{known.paper_run}/lots", "more": "voir le lot"}
    return {}
