"""What the address of the page asks for: a period, how it is cut, and what it is narrowed to, in French words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.statistics.figures import Asked, Grain
from loan_reminders.french.days import written_day
from loan_reminders.french.plurals import many

LONGEST = 10 * 366
"""Days of the longest period."""

MOST_DAYS, MOST_WEEKS_IN_DAYS = 93, 3 * 366
"""Days of the longest period that a page cuts by days, and of the longest one that it cuts by weeks."""


class GrainWord(StrEnum):
    """How the address names a grain."""

    DAY = "jour"
    WEEK = "semaine"
    MONTH = "mois"


GRAINS = {GrainWord.DAY: Grain.DAY, GrainWord.WEEK: Grain.WEEK, GrainWord.MONTH: Grain.MONTH}
STAGES = {
    "courtoisie": Stage.COURTESY_NOTICE,
    "retard": Stage.OVERDUE_NOTICE,
    "relance-1": Stage.FIRST_REMINDER,
    "relance-2": Stage.SECOND_REMINDER,
    "recommandee": Stage.REGISTERED_LETTER,
}
CHANNELS = {
    "e-mail": Channel.EMAIL,
    "sms": Channel.SMS,
    "lettre": Channel.LETTER,
    "recommande": Channel.REGISTERED_LETTER,
}
CATEGORIES = {
    "etudiants": PatronCategory.STUDENT,
    "personnels": PatronCategory.STAFF,
    "exterieurs": PatronCategory.EXTERNAL,
    "autres": PatronCategory.OTHER,
}


class CannotBeAsked(ValueError):
    """Why there are no such figures, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of the address, as they were typed."""

    du: str = ""
    au: str = ""
    pas: str = ""
    etape: str = ""
    canal: str = ""
    site: str = ""
    public: str = ""

    def query(self, **more: str) -> str:
        """The same address, and more."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return "?" + urlencode({name: value for name, value in (parts | more).items() if value})

    @property
    def grain(self) -> Grain:
        """How the period is to be cut; by months unless the address says otherwise."""
        return GRAINS[GrainWord(self.pas)] if self.pas in set(GrainWord) else Grain.MONTH

    def asked(self, *, today: date, zone: str, others: Collection[Stage] = (), as_it_is_cut: bool = False) -> Asked:
        """What is asked; without days the twelve last months, this one included. Raises CannotBeAsked.

        `others` are the library's notices besides the stages, which the address calls by their own names. A chart of a
        long period is cut more coarsely than the address says, a file is not (`as_it_is_cut`).
        """
        last = _day(self.au, "au") or today
        first = _day(self.du, "du") or _months_before(last)
        if first > last:
            raise CannotBeAsked("Le premier jour vient après le dernier.")
        if (last - first).days > LONGEST:
            raise CannotBeAsked("La période a plus de dix ans.")
        grain = self.grain
        if not as_it_is_cut:
            grain = _coarse(grain, days=(last - first).days)
        return Asked(
            first=first,
            last=last,
            grain=grain,
            zone=zone,
            stage=(STAGES | {one.value: one for one in others}).get(self.etape),
            channel=CHANNELS.get(self.canal),
            branch=self.site or None,
            category=CATEGORIES.get(self.public),
        )


def _coarse(grain: Grain, *, days: int) -> Grain:
    if grain is Grain.DAY and days >= MOST_DAYS:
        grain = Grain.WEEK
    return Grain.MONTH if grain is Grain.WEEK and days >= MOST_WEEKS_IN_DAYS else grain


def coarser_words(where: Address, asked: Asked) -> str:
    """That the page cuts its period more coarsely than was asked, and how to have it as asked; empty when not so."""
    if where.grain is asked.grain:
        return ""
    words = {grain: word.value for word, grain in GRAINS.items()}
    most = MOST_DAYS if where.grain is Grain.DAY else MOST_WEEKS_IN_DAYS
    return (
        f"La période dépasse {many(most, 'jour', 'jours')} : elle est montrée par {words[asked.grain]}. Pour l'avoir"
        f" par {words[where.grain]}, la raccourcir, ou télécharger le tableau (CSV), qui est par {words[where.grain]}."
    )


def _months_before(last: date) -> date:
    first = last.replace(day=1)
    return first.replace(year=first.year - 1, month=first.month + 1) if first.month < 12 else first.replace(month=1)


def _day(text: str, name: str) -> date | None:
    try:
        found = written_day(text) if text else None
    except ValueError:
        raise CannotBeAsked(f"Le champ « {name} » n'est pas un jour : l'écrire comme 01/03/2026.") from None
    if found is not None and not date(1980, 1, 1) <= found <= date(2200, 1, 1):
        raise CannotBeAsked(f"Le champ « {name} » n'est pas un jour de la bibliothèque.")
    return found
