"""The section `[ils]` of `library.toml`: which library system, how it is read, and what its codes mean."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from loan_reminders.domain.runs.extraction import PHONE_COLUMNS
from loan_reminders.settings.values import Section, Text, known_ils, phone_column


class IlsSettings(Section):
    """Which ILS, the Airflow connection that leads to its database, and what its codes mean."""

    kind: Annotated[str, AfterValidator(known_ils)]
    connection: Text = "ils_oracle"
    binds: dict[str, str] = {}
    patron_categories: dict[Literal["student", "staff", "external"], list[str]]
    patron_types: dict[Literal["student", "staff", "external"], list[str]] = {}
    unknown_category: Literal["student", "staff", "external", "other"] = "other"
    languages: dict[Text, Annotated[str, Field(pattern=r"^[a-z]{2}$")]] = {}
    phone_columns: list[Annotated[str, AfterValidator(phone_column)]] = list(PHONE_COLUMNS)
    default_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "fr"
    call_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    array_size: Annotated[int, Field(ge=500, le=1000)] = 1000

    @model_validator(mode="after")
    def _one_category_per_code(self) -> Self:
        for name, categories in (("patron_categories", self.patron_categories), ("patron_types", self.patron_types)):
            codes = [code for members in categories.values() for code in members]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{name} : code présent dans deux catégories : {', '.join(twice)}")
        return self
