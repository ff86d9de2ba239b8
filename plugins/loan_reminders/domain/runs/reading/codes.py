"""What the codes of an ILS mean to the library, and which of them it never heard of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.runs.reading.consent import NO_CODES, ConsentCodes
from loan_reminders.domain.stages import PatronCategory

PHONE_COLUMNS = ("phone_sms", "phone_1", "phone_2", "phone_3", "phone_4")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMapping:
    """What the ILS codes of a library mean.

    A reader's category comes from the status code, else from the type code, else it is `unknown_category`.
    `languages` are the site's own codes, each with its ISO 639-1; `branches` those that the library described.
    `phone_columns` are searched for a mobile number in their order. `default_language` (ISO 639-1) is for
    readers whose language is unknown; `sms_countries` (ISO 3166-1) are those whose mobiles may be written to.
    `own_addresses` are the library's, each as street and town: a reader does not live there. `zone` is the library's
    time zone, for dates that come as moments with an offset. `consent` says what a row tells of a reader and SMS.
    Raises SettingsError for a phone column outside the contract.
    """

    patron_status: Mapping[str, PatronCategory] = field(default_factory=lambda: MappingProxyType({}))
    patron_type: Mapping[str, PatronCategory] = field(default_factory=lambda: MappingProxyType({}))
    phone_columns: tuple[str, ...] = PHONE_COLUMNS
    default_language: str = "fr"
    sms_countries: frozenset[str] = FRENCH_COUNTRIES
    own_addresses: tuple[tuple[str, ...], ...] = ()
    zone: tzinfo | None = None
    unknown_category: PatronCategory = PatronCategory.OTHER
    languages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    branches: frozenset[str] = frozenset()
    consent: ConsentCodes = NO_CODES

    def __post_init__(self) -> None:
        unknown = [name for name in self.phone_columns if name not in PHONE_COLUMNS]
        if unknown:
            raise SettingsError(f"phone_columns : {', '.join(unknown)} ; valeurs permises : {', '.join(PHONE_COLUMNS)}")

    def category(self, status: str, kind: str) -> PatronCategory:
        """The category of a reader of this status and type."""
        return self.patron_status.get(status) or self.patron_type.get(kind) or self.unknown_category

    def unknown(self, *, status: str, kind: str, branch: str, language: str) -> tuple[tuple[CodeKind, str], ...]:
        """Which of a row's codes the settings do not know.

        Status and type are asked one after the other: a type that says the category makes up for a status that does
        not, and where the status says it nobody looks at the type. A kind of code of which the settings name none is
        not asked. A language may be missing, a branch or a category may not.
        """
        found = []
        if status not in self.patron_status and kind not in self.patron_type:
            if self.patron_status:
                found.append((CodeKind.STATUS, status))
            if self.patron_type and (kind or not self.patron_status):
                found.append((CodeKind.TYPE, kind))
        if self.branches and branch not in self.branches:
            found.append((CodeKind.BRANCH, branch))
        if language and language.lower() not in _NO_LANGUAGE and not self.language(language):
            found.append((CodeKind.LANGUAGE, language))
        return tuple(found)

    def language(self, code: str) -> str:
        """ISO 639-1, lower case, of the site's own codes, of `FRE`, `fr`, `fr-FR`…; empty for anything unknown."""
        if own := self.languages.get(code):
            return own
        short = code.lower().replace("_", "-").partition("-")[0]
        if len(short) == 2 and short.isascii() and short.isalpha():
            return short
        return _ISO_639_1.get(short, "")


_ISO_639_1 = {
    "ara": "ar", "cat": "ca", "chi": "zh", "cze": "cs", "deu": "de", "dut": "nl", "ell": "el", "eng": "en",
    "fra": "fr", "fre": "fr", "ger": "de", "gre": "el", "heb": "he", "hun": "hu", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "spa": "es",
    "swe": "sv", "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""ISO 639-2 codes, bibliographic and terminological, that an ILS may hold."""

_NO_LANGUAGE = frozenset({"default", "und", "mul", "zxx", "mis"})
"""Codes that name no language: Koha's own, and those of ISO 639-2."""
