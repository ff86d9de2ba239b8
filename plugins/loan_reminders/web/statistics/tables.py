"""The tables of the page, which are also its files: what is read on the page is what a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.statistics.figures import (
    Asked,
    Cut,
    Grain,
    MessageFigures,
    Messages,
    Overdue,
    Returns,
    periods,
)
from loan_reminders.domain.statistics.loan_ends import WITHIN_DAYS
from loan_reminders.french.money import euros
from loan_reminders.french.pages.statistics import MONTHS, READERS, SHORT_MONTHS, period_words
from loan_reminders.french.words import CHANNELS, STAGES
from loan_reminders.web.statistics.charts import written

Cell = str | int | float | Decimal | None
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MESSAGES = (
    "prévenus",
    "non joints",
    "échecs",
    "sans réponse",
    "à imprimer ou poster",
    "segments de SMS",
)
PER_CENT, EUROS = "%", "€"
_FIRST = {
    Cut.PERIOD: "période",
    Cut.STAGE: "étape",
    Cut.CHANNEL: "canal",
    Cut.BRANCH: "bibliothèque",
    Cut.CATEGORY: "public",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of figures. Its first column names the lines; `units` are those of columns: per cent, euros."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    units: Mapping[int, str] = field(default_factory=dict)

    def shown(self, row: Sequence[Cell]) -> list[str]:
        """The cells of a line as they stand on the page; what is not known is a dash."""
        return [self._shown(place, cell) for place, cell in enumerate(row)]

    def _shown(self, place: int, cell: Cell) -> str:
        if cell is None:
            return "—"
        if isinstance(cell, str):
            return cell
        unit = self.units.get(place, "")
        if unit == EUROS:
            return euros(cell)
        cell = float(cell) if isinstance(cell, Decimal) else cell
        return f"{written(cell)}\N{NO-BREAK SPACE}{unit}" if unit else written_exactly(cell)

    def file(self) -> bytes:
        """It as a French spreadsheet opens it without a question: UTF-8 with a byte order mark, `;`, decimal comma.

        A text that a spreadsheet would run as a formula starts with an apostrophe.
        """
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        units = [self.units.get(place, "") for place in range(len(self.head))]
        head = [f"{words} ({unit})" if unit else words for words, unit in zip(self.head, units, strict=True)]
        writer.writerow(head)
        for row in (*self.rows, *((self.total,) if self.total else ())):
            writer.writerow([_in_file(cell) for cell in row])
        return out.getvalue().encode("utf-8-sig")


def written_exactly(number: float) -> str:
    """A number with the decimals it has, five at most: costs are small."""
    if float(number).is_integer():
        return written(number)
    whole, _, decimals = f"{number:.5f}".rstrip("0").partition(".")
    return f"{written(int(whole))},{decimals}"


def _in_file(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = " ".join(cell.split())
        return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
    return str(cell) if isinstance(cell, int) else f"{cell:.5f}".rstrip("0").rstrip(".").replace(".", ",")


def messages_tables(
    figures: MessageFigures, asked: Asked, branches: Mapping[str, str], *, price: SmsPrice, today: date
) -> dict[Cut, Table]:
    """What became of messages, by each cut; their cost in euros where that is known."""
    labels: dict[Cut, dict[str, str]] = {
        cut: kind_words(figures, cut, branches) for cut in Cut if cut is not Cut.PERIOD
    }
    labels[Cut.PERIOD] = {start.isoformat(): period_words(start, asked.grain, today) for start in periods(asked)}
    names = {
        Cut.PERIOD: ("periodes", f"Messages par {_GRAINS[asked.grain]}"),
        Cut.STAGE: ("etapes", "Messages par étape"),
        Cut.CHANNEL: ("canaux", "Messages par canal"),
        Cut.BRANCH: ("bibliotheques", "Messages par bibliothèque"),
        Cut.CATEGORY: ("publics", "Messages par public"),
    }
    return {
        cut: Table(
            name=names[cut][0],
            title=names[cut][1],
            head=(_FIRST[cut], *_MESSAGES, "coût des SMS"),
            rows=tuple(
                (words, *_figures(figures.by[cut].get(key, Messages()), price))
                for key, words in labels[cut].items()
                if cut is Cut.PERIOD or key in figures.by[cut]
            ),
            total=("ensemble", *_figures(figures.total, price)),
            units={len(_MESSAGES) + 1: EUROS},
        )
        for cut in Cut
    }


def kind_words(figures: MessageFigures, cut: Cut, branches: Mapping[str, str]) -> dict[str, str]:
    """The keys of a cut that is not by period, in their order, and how each is called."""
    if cut is Cut.STAGE:
        told = {*Stage, *map(Stage, figures.by[cut])}
        return {stage.value: STAGES[stage] for stage in sorted(told, key=lambda one: one.place)}
    if cut is Cut.CHANNEL:
        return {channel.value: CHANNELS[channel] for channel in Channel} | {"": "aucun : lecteurs non joints"}
    if cut is Cut.CATEGORY:
        return {category.value: READERS[category] for category in PatronCategory}
    return {code: branches.get(code, code or "non précisée") for code in sorted(figures.by[Cut.BRANCH])}


_GRAINS = {Grain.DAY: "jour", Grain.WEEK: "semaine", Grain.MONTH: "mois"}


def _figures(one: Messages, price: SmsPrice) -> tuple[Cell, ...]:
    cost = price.of_sent(told=one.cost, unpriced=one.unpriced)
    return (one.told, one.not_reached, one.failed, one.in_doubt, one.waiting, one.segments, cost)


def returns_table(found: Sequence[Returns]) -> Table:
    """Share of the loans that were returned within some days after each stage."""
    return Table(
        name="retours",
        title="Rendus après chaque étape",
        head=(
            "étape",
            "prêts annoncés",
            *(f"rendus sous {days} jour{'s' * (days > 1)}" for days in WITHIN_DAYS),
            "prolongés sous 7 jours",
            "dont on sait la suite à 7 jours",
        ),
        rows=tuple(
            (
                returns_words(one),
                one.loans,
                *(share(one.returned[days], one.known[days]) for days in WITHIN_DAYS),
                share(one.renewed, one.known[7]),
                one.known[7],
            )
            for one in found
        ),
        units=dict.fromkeys((2, 3, 4, 5), PER_CENT),
    )


def returns_words(one: Returns) -> str:
    """A stage, and whether its readers had an SMS too."""
    return f"{STAGES[one.stage]}{', avec SMS' if one.with_sms else ''}"


def overdue_table(found: Sequence[Overdue]) -> Table:
    """Share of the long overdues at the end of each month, by category of reader."""
    days = sorted({one.day for one in found})
    by = {(one.day, one.category): one for one in found}
    head: list[str] = ["mois", "jour compté"]
    for category in PatronCategory:
        head += [f"{READERS[category]} : retards", "dont longs", "part"]
    rows = []
    for day in days:
        row: list[Cell] = [f"{MONTHS[day.month - 1]} {day.year}", f"{day:%d/%m/%Y}"]
        for category in PatronCategory:
            one = by.get((day, category))
            row += [one.overdue if one else 0, one.long_overdue if one else 0, long_share(one)]
        rows.append(tuple(row))
    return Table(
        name="retards-longs",
        title="Retards longs, mois par mois",
        head=tuple(head),
        rows=tuple(rows),
        units=dict.fromkeys((4, 7, 10, 13), PER_CENT),
    )


def long_share(one: Overdue | None) -> float | None:
    """Per cent of the overdue loans that are long overdue."""
    return share(one.long_overdue, one.overdue) if one else None


def share(part: int, whole: int) -> float | None:
    """Per cent, to one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def month_label(day: date) -> str:
    """A month below a chart."""
    return f"{SHORT_MONTHS[day.month - 1]} {day:%y}"
