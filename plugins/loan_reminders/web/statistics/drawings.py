"""The charts of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.statistics.figures import Asked, Cut, MessageFigures, Messages, Overdue, Returns, periods
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.french.money import euros
from loan_reminders.french.pages.statistics import READERS, period_label
from loan_reminders.french.words import CHANNELS
from loan_reminders.web.statistics.charts import Colour, Series, chart, written
from loan_reminders.web.statistics.tables import kind_words, long_share, month_label, share

_COLOURS: dict[str, Colour] = {
    Channel.EMAIL: "mail",
    Channel.SMS: "sms",
    Channel.LETTER: "letter",
    Channel.REGISTERED_LETTER: "registered",
}
_BELOW = {
    Stage.COURTESY_NOTICE: "courtoisie",
    Stage.OVERDUE_NOTICE: "retard",
    Stage.FIRST_REMINDER: "1re relance",
    Stage.SECOND_REMINDER: "2e relance",
    Stage.REGISTERED_LETTER: "recommandée",
}
"""The stages below a chart, where there is little room."""
_BY_KIND = {
    Cut.STAGE: ("etapes", "Prévenus, échecs et lecteurs non joints, par étape"),
    Cut.CHANNEL: ("canaux", "Prévenus, échecs et lecteurs non joints, par canal"),
    Cut.BRANCH: ("bibliotheques", "Prévenus, échecs et lecteurs non joints, par bibliothèque"),
    Cut.CATEGORY: ("publics", "Prévenus, échecs et lecteurs non joints, par public"),
}
ROW, BELOW_ROWS = 30, 48
"""Heights of a row and of the axis below the rows, in units of the drawing."""
_DAYS: dict[int, Colour] = {1: "hue-1", 3: "hue-3", 7: "hue-4"}
_READERS: dict[PatronCategory, Colour] = {PatronCategory.STUDENT: "hue-1", PatronCategory.STAFF: "hue-2"}


def drawings(
    messages: MessageFigures,
    returns: Sequence[Returns],
    overdue: Sequence[Overdue],
    asked: Asked,
    *,
    price: SmsPrice,
    branches: Mapping[str, str],
) -> dict[str, Markup]:
    """A chart for each table, by its name; none where there is nothing to draw."""
    drawn = {}
    starts = periods(asked)
    labels = [period_label(start, asked.grain) for start in starts]
    if messages.chart:
        drawn["periodes"] = chart(
            "stacked", "Lecteurs prévenus, par canal, et non joints", labels, _channels(messages, asked)
        )
    sums = [messages.by[Cut.PERIOD].get(start.isoformat(), Messages()) for start in starts]
    whole = price.of_sent(told=messages.total.cost, unpriced=messages.total.unpriced)
    if whole:
        costs = tuple(price.of_sent(told=one.cost, unpriced=one.unpriced) for one in sums)
        drawn["cout"] = chart(
            "bars", "Coût des SMS", labels, [Series(words="coût", colour="sms", values=costs)], say=euros, height=180
        )
    elif whole is None:
        segments = tuple(one.segments for one in sums)
        drawn["segments"] = chart(
            "bars", "Segments de SMS", labels, [Series(words="segments", colour="sms", values=segments)], height=180
        )
    for cut, (name, title) in _BY_KIND.items():
        if messages.by[cut]:
            drawn[name] = _kinds(title, kind_words(messages, cut, branches), messages.by[cut])
    if any(one.known[1] for one in returns):
        drawn["retours"] = chart(
            "bars",
            "Part des documents rendus sous 1, 3 et 7 jours après chaque étape",
            [_BELOW[one.stage] + (" + SMS" if one.with_sms else "") for one in returns],
            [
                Series(
                    words=f"sous {days} jour{'s' * (days > 1)}",
                    colour=_DAYS[days],
                    values=tuple(share(one.returned[days], one.known[days]) for one in returns),
                )
                for days in WITHIN_DAYS
            ],
            say=per_cent,
        )
    if overdue:
        drawn["retards-longs"] = _overdue(overdue)
    return drawn


def _kinds(title: str, words: Mapping[str, str], by: Mapping[str, Messages]) -> Markup:
    """Told, failed and not reached, a row for each kind that has messages."""
    kinds = [key for key in words if key in by]
    return chart(
        "rows",
        title,
        [words[key] for key in kinds],
        [
            Series(words="prévenus", colour="hue-1", values=tuple(by[key].told for key in kinds)),
            Series(words="échecs", colour="hue-2", values=tuple(by[key].failed for key in kinds)),
            Series(words="lecteurs non joints", colour="none", values=tuple(by[key].not_reached for key in kinds)),
        ],
        height=ROW * len(kinds) + BELOW_ROWS,
    )


def per_cent(number: float) -> str:
    """`23,5 %`."""
    return f"{written(round(number, 1))}\N{NO-BREAK SPACE}%"


def _channels(messages: MessageFigures, asked: Asked) -> list[Series]:
    starts = [start.isoformat() for start in periods(asked)]
    found = {channel for _, channel in messages.chart}
    series = [
        Series(
            words=CHANNELS[channel],
            colour=_COLOURS[channel],
            values=tuple(messages.chart.get((start, channel.value), 0) for start in starts),
        )
        for channel in Channel
        if channel.value in found
    ]
    if "" in found:
        values = tuple(messages.chart.get((start, ""), 0) for start in starts)
        series.append(Series(words="lecteurs non joints", colour="none", values=values))
    return series


def _overdue(overdue: Sequence[Overdue]) -> Markup:
    days = sorted({one.day for one in overdue})
    by = {(one.day, one.category): one for one in overdue}
    return chart(
        "lines",
        "Part des retards longs (15 jours ou plus) parmi les retards, étudiants et personnels",
        [month_label(day) for day in days],
        [
            Series(
                words=READERS[category],
                colour=colour,
                values=tuple(long_share(by.get((day, category))) for day in days),
            )
            for category, colour in _READERS.items()
        ],
        say=per_cent,
    )
