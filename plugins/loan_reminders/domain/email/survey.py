"""An optional line in e-mails, for a period and some readers: an invitation to the library's own survey.

The link is the same for everybody and is sent as it is written: nothing in it says who reads, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from loan_reminders.domain.stages import PatronCategory

FRENCH = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyLine:
    """What an e-mail says of the survey, in the reader's language or else in French."""

    sentence: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The survey of a library: from which day to which, both included, whom it asks, and its words by language."""

    starts_on: date
    ends_on: date
    populations: frozenset[PatronCategory]
    link: str
    sentences: Mapping[str, str]

    def line(self, category: PatronCategory, language: str, today: date) -> SurveyLine | None:
        """The line of an e-mail to such a reader on a day, None when there is none."""
        if category not in self.populations or not self.starts_on <= today <= self.ends_on:
            return None
        return SurveyLine(sentence=self.sentences.get(language) or self.sentences[FRENCH], link=self.link)

    def for_a_look(self) -> Survey:
        """The same, shown whatever the day and the reader: for whoever looks at the words beforehand."""
        return replace(self, starts_on=date.min, ends_on=date.max, populations=frozenset(PatronCategory))
