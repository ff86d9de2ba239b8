"""The section `[survey]` of `library.toml`: a line in e-mails that leads to the library's own form."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from loan_reminders.domain.email.survey import Survey
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.settings.values import Section, all_different

LONGEST_DAYS = 366
_SIGNS = frozenset("{}<>\"'`\\^|")


def _safe_link(text: str) -> str:
    expected = "une adresse commençant par https:// est attendue, sans espace, accolade ni guillemet"
    if not text.startswith("https://") or not text.isprintable() or not text.isascii():
        raise ValueError(expected)
    if any(sign.isspace() or sign in _SIGNS for sign in text):
        raise ValueError(expected)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(expected) from None
    if "." not in (parts.hostname or "") or parts.username is not None:
        raise ValueError(f"{expected} : il manque le nom d'un serveur, ou il y a un identifiant")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("une phrase sur une ligne est attendue")
    return text.strip()


Sentence = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]


class SentenceSettings(Section):
    """What the line says, in French and in English."""

    fr: Sentence = "Ces messages vous sont-ils utiles ? Dites-le en deux minutes, anonymement."
    en: Sentence = "Are these messages of use to you? Tell us in two minutes, anonymously."


class SurveySettings(Section):
    """From which day to which, both included, whose e-mails have the line, and where it leads."""

    starts_on: date
    ends_on: date
    populations: Annotated[
        list[Literal["student", "staff", "external", "other"]], Field(min_length=1), AfterValidator(all_different)
    ]
    link: Annotated[str, Field(max_length=300), AfterValidator(_safe_link)]
    sentence: SentenceSettings = SentenceSettings()

    @model_validator(mode="after")
    def _a_while(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError(f"survey.ends_on ({self.ends_on}) est avant starts_on ({self.starts_on})")
        if (self.ends_on - self.starts_on).days > LONGEST_DAYS:
            raise ValueError("survey : une enquête dure un an au plus ; rapprocher ends_on de starts_on")
        return self

    def survey(self) -> Survey:
        """The survey, as e-mails want it."""
        return Survey(
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            populations=frozenset(map(PatronCategory, self.populations)),
            link=self.link,
            sentences=self.sentence.model_dump(),
        )
