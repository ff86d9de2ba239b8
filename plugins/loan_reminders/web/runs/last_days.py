"""The figures below the stages: what went out these days, what tomorrow brings, and how long the SMS credit lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup

from loan_reminders.domain.runs.day_state import StageDay
from loan_reminders.domain.runs.forecast import by_channel, forecast
from loan_reminders.domain.sms.pace import spending
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.days import hour_words, long_day_words, near_words
from loan_reminders.french.pages.today import channel_words, lasting_words, tomorrow_words
from loan_reminders.french.plurals import number_words
from loan_reminders.french.words import stage_title
from loan_reminders.ledger.runs.today import SHOWN_DAYS, Today
from loan_reminders.settings.library_toml import Settings
from loan_reminders.web.runs.day_cards import CLASSES, starts_at
from loan_reminders.web.statistics.charts import Series, chart

WIDTH = 390
"""Of the drawings here: they shrink with their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDays:
    """What left in the last days: a drawing, and its figures: the heads, and a row for each day."""

    drawing: Markup
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The SMS credit as its card shows it; `left` is empty while the provider was never asked."""

    left: str
    lasting: str
    said: str
    warning: str
    is_short: bool
    today: str
    month: str
    drawing: Markup


def last_days(known: Mapping[date, Mapping[Channel, int]], today: date) -> LastDays | None:
    """What left in the last seven days, by channel; None when nothing did."""
    days = [today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    used = [channel for channel in Channel if any(known.get(day, {}).get(channel) for day in days)]
    if not used:
        return None
    counts = {channel: tuple(known.get(day, {}).get(channel, 0) for day in days) for channel in used}
    heads = tuple(channel_words(channel, 2) for channel in used)
    series = [Series(words=channel_words(one, 2), colour=CLASSES[one], values=counts[one]) for one in used]  # type: ignore[arg-type]
    return LastDays(
        drawing=chart(
            "stacked",
            "Envois des sept derniers jours, par canal",
            [f"{long_day_words(day)[:2]}. {day.day}" for day in days],
            series,
            width=WIDTH,
            height=190,
        ),
        heads=heads,
        rows=tuple(
            (long_day_words(day, year=False), tuple(number_words(counts[one][place]) for one in used))
            for place, day in enumerate(days)
        ),
    )


def tomorrow(
    config: Settings, today: Today, days: Mapping[Stage, StageDay], now: datetime
) -> Sequence[tuple[str, str, str]]:
    """Each stage of tomorrow: its name, its hour, about how many readers and how; empty while nothing can be said."""
    expected = forecast(today.past, config.policy(), now.date() + timedelta(days=1))
    if not any(number is not None for number in expected.values()):
        return ()
    return tuple(
        (
            stage_title(stage),
            hour_words(starts_at(config, stage, now), zone=config.zone),
            tomorrow_words(days[stage], expected[stage], by_channel(today.past, stage, expected[stage] or 0)),
        )
        for stage in Stage
    )


def late_sms(config: Settings, now: datetime) -> str:
    """When tomorrow's SMS leave, if the window is closed at their hour; empty when they leave at once."""
    due = starts_at(config, Stage.OVERDUE_NOTICE, now + timedelta(days=1))
    opens = config.sms_window().next_opening(due)
    return "" if opens == due or not config.policy().sends_sms else near_words(opens, now, zone=config.zone)


def credit(config: Settings, today: Today, now: datetime) -> Credit | None:
    """The SMS credit, its pace and its limits; None for a library that sends no SMS."""
    if not config.policy().sends_sms:
        return None
    budget, spent = config.sms_budget(), spending(today.spent_by_day, now.date())
    known = today.credit
    left = None if known is None else known.left
    is_short = left is not None and left <= budget.floor
    warning = ""
    if is_short:
        warning = "Plus assez de crédit : plus aucun SMS ne part. Acheter des SMS."
    elif left is not None and left < budget.reserve:
        warning = f"Moins que la réserve de {number_words(budget.reserve)} : penser à acheter des SMS."
    return Credit(
        left="" if left is None else number_words(left),
        lasting="" if left is None else lasting_words(spent.days_left(left)),
        said="" if known is None else near_words(known.at, now, zone=config.zone),
        warning=warning,
        is_short=is_short,
        today=f"{number_words(spent.today)} sur {number_words(budget.daily)}",
        month=f"{number_words(spent.month)} sur {number_words(budget.monthly)}",
        drawing=_credit_drawing(today.credit_by_day, left, now.date()),
    )


def _credit_drawing(known: Mapping[date, int], left: int | None, today: date) -> Markup:
    """The credit of each day since it is known; nothing before the second day."""
    if left is None or not known or min(known) >= today:
        return Markup("")
    first, values, value = min(known), [], 0
    for day in range((today - first).days + 1):
        value = known.get(first + timedelta(days=day), value)
        values.append(value)
    values[-1] = left
    words = (
        f"Crédit SMS, de {number_words(values[0])} le {first.day}/{first.month:02} à {number_words(left)} aujourd'hui"
    )
    days = (first + timedelta(days=day) for day in range(len(values)))
    labels = [f"{day.day:02}/{day.month:02}" for day in days]
    line = Series(words="crédit", colour="sms", values=tuple(values))
    return chart("lines", words, labels, [line], width=WIDTH, height=140)
