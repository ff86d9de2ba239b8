"""The sections `[sms.populations]` and `[sms.consent]` of `library.toml`: who may have an SMS."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from loan_reminders.domain.runs.reading.consent import ConsentCodes
from loan_reminders.domain.stages import Basis, PatronCategory, SmsRules
from loan_reminders.settings.values import Section, Text

Population = Literal["opt_out", "opt_in", "never"]


class PopulationSettings(Section):
    """On what SMS to each population rest: all but those who said no, only those who said yes, or nobody.

    A stage's own conditions come first: a population that they do not name gets none.
    """

    student: Population = "opt_out"
    staff: Population = "opt_out"
    external: Population = "opt_out"
    other: Population = "opt_out"


class ConsentSettings(Section):
    """Which codes of which column of the ILS say yes and no, and what holds for readers under `minor_under` years.

    `minors` "same": as their population, and no birth date is read. Else the statement is asked for its column
    `birth_date`, which is looked at and never kept.
    """

    column: Literal["sms_consent", "patron_status", "patron_type"] = "sms_consent"
    yes: list[Text] = []
    no: list[Text] = []
    minors: Literal["same", "opt_in", "never"] = "same"
    minor_under: Annotated[int, Field(ge=1, le=30)] = 18

    @model_validator(mode="after")
    def _one_meaning_per_code(self) -> Self:
        both = sorted({*self.yes} & {*self.no})
        if both:
            raise ValueError(f"consent : code à la fois dans « yes » et dans « no » : {', '.join(both)}")
        return self


def sms_rules(populations: PopulationSettings, consent: ConsentSettings) -> SmsRules:
    """Who may have an SMS, as the rules want it."""
    return SmsRules(
        populations={PatronCategory(name): Basis(value) for name, value in populations.model_dump().items()},
        minors=None if consent.minors == "same" else Basis(consent.minors),
    )


def consent_codes(consent: ConsentSettings) -> ConsentCodes:
    """What the codes of the ILS say of readers and SMS."""
    return ConsentCodes(
        column=consent.column,
        yes=frozenset(consent.yes),
        no=frozenset(consent.no),
        minor_under=None if consent.minors == "same" else consent.minor_under,
    )
