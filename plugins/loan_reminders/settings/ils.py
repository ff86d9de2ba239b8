"""The section `[ils]` of `library.toml`: which library system, how it is read, and what its codes mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from loan_reminders.domain.runs.extraction import PHONE_COLUMNS
from loan_reminders.settings.ils_systems import (
    AlephSettings,
    KohaSettings,
    PmbSettings,
    SierraSettings,
    VoyagerSettings,
)
from loan_reminders.settings.values import Section, Text, known_ils, phone_column

LIBRARY_CODES = {"aleph": ("adm_library", "bib_library", "bor_library")}
"""Binds that a kind of ILS cannot do without, and that only the site knows: codes of one to five signs."""
SiteSettings = AlephSettings | VoyagerSettings | KohaSettings | SierraSettings | PmbSettings
ASKED = "asked"
"""The form of an optional column of a statement that the settings ask for; the other form leaves it out."""


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
    aleph: AlephSettings = AlephSettings()
    voyager: VoyagerSettings = VoyagerSettings()
    koha: KohaSettings = KohaSettings()
    sierra: SierraSettings = SierraSettings()
    pmb: PmbSettings = PmbSettings()

    def statement_choices(self, asked: Iterable[str] = ()) -> dict[str, str]:
        """The form that each choice of the statements of this kind has here, by its name.

        `asked` are the optional columns that other settings want (`ConsentCodes.columns`): no other leaves the ILS.
        """
        site = self._site()
        return {**(site.choices() if site else {}), **dict.fromkeys(asked, ASKED)}

    def statement_binds(self) -> dict[str, str | int]:
        """The value of each bind that comes from the settings: those of the kind's own section, and `binds`."""
        site = self._site()
        return {**(site.binds() if site else {}), **self.binds}

    def _site(self) -> SiteSettings | None:
        sites: dict[str, SiteSettings] = {
            "aleph": self.aleph,
            "voyager": self.voyager,
            "koha": self.koha,
            "sierra": self.sierra,
            "pmb": self.pmb,
        }
        return sites.get(self.kind)

    @model_validator(mode="after")
    def _one_category_per_code(self) -> Self:
        for name, categories in (("patron_categories", self.patron_categories), ("patron_types", self.patron_types)):
            codes = [code for members in categories.values() for code in members]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            if twice:
                raise ValueError(f"{name} : code présent dans deux catégories : {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _binds_of_its_kind(self) -> Self:
        for name in LIBRARY_CODES.get(self.kind, ()):
            code = self.binds.get(name)
            if code is None or not re.fullmatch(r"[A-Z0-9]{1,5}", code):
                found = "(absent)" if code is None else f'"{code}"'
                raise ValueError(
                    f"binds.{name} = {found} : il faut un code de 1 à 5 lettres capitales ou chiffres,"
                    " par exemple « UNS50 »"
                )
        site = self._site()
        taken = sorted(site.binds().keys() & self.binds.keys()) if site else []
        if taken:
            raise ValueError(f"binds.{taken[0]} : ce bind vient de la section ils.{self.kind} ; le retirer d'ils.binds")
        return self
