"""What the sections of `library.toml` are made of: the values they share, and how each is checked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import EmailAddress, MobileNumber
from loan_reminders.domain.runs.extraction import PHONE_COLUMNS
from loan_reminders.places import HOME, statement_folders

ROOT = HOME
"""The site's folder, where library.toml is unless REMINDERS_CONFIG names another."""


_zones = cache(available_timezones)
"""Their names, looked up once: it reads hundreds of files."""


def known_zone(name: str) -> str:
    """A time zone of the tz database."""
    if name not in _zones():
        raise ValueError("un fuseau horaire connu est attendu, par exemple « Europe/Paris »")
    return name


def usable_email(text: str) -> str:
    """An e-mail address in its proper form."""
    try:
        return EmailAddress.parse(text).value
    except RecipientError:
        raise ValueError("une adresse électronique est attendue, par exemple « pret@bu.exemple.fr »") from None


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or any(character.isspace() for character in text):
        raise ValueError("une adresse web commençant par https:// ou http:// est attendue")
    if not text.isascii():
        raise ValueError(f"une adresse web sans accents, que les SMS écrivent aussi, est attendue : {_in_ascii(text)}")
    return text


def _in_ascii(address: str) -> str:
    """The same address as it travels: punycode for the name, percent signs after it."""
    parts = urlsplit(address)
    try:
        name = parts.netloc.encode("idna").decode("ascii")
    except UnicodeError:
        name = "(nom en punycode)"
    rest = [quote(part, safe="/%:@!$&'()*+,;=~?") for part in parts[2:]]
    return f"« {urlunsplit((parts.scheme, name, *rest))} »"


def known_ils(kind: str) -> str:
    """A folder of sql/."""
    kinds = statement_folders()
    if kind not in kinds:
        raise ValueError(f"valeurs permises : {', '.join(sorted(kinds))} (les dossiers de sql/)")
    return kind


def usable_mobile(text: str) -> str:
    """A mobile number in its international form."""
    try:
        return MobileNumber.parse(text).value
    except RecipientError:
        raise ValueError("un numéro de mobile est attendu, par exemple « 06 12 34 56 78 »") from None


def usable_recipient(text: str) -> str:
    """An e-mail address or a mobile number."""
    return usable_email(text) if "@" in text else usable_mobile(text)


def phone_column(name: str) -> str:
    """A phone column of the extraction."""
    if name not in PHONE_COLUMNS:
        raise ValueError(f"valeurs permises : {', '.join(PHONE_COLUMNS)}")
    return name


def all_different(values: list[Any]) -> list[Any]:
    """A list in which nothing stands twice."""
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"présent deux fois : {', '.join(twice)}")
    return values


def numbered_binds(
    name: str, values: Sequence[str] | Sequence[int], *, places: int, beyond: str | int
) -> dict[str, str | int]:
    """A list as binds of a statement, `name_1`, `name_2`…; places after its end hold `beyond`."""
    return {f"{name}_{place + 1}": values[place] if place < len(values) else beyond for place in range(places)}


Text = Annotated[str, Field(min_length=1, max_length=200)]
Email = Annotated[str, AfterValidator(usable_email)]
Url = Annotated[str, AfterValidator(_web_address)]
COUNTRY = r"^[A-Z]{2}$"
CLOSING_HOUR = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"
HOUR = r"^([01]\d|2[0-3]):[0-5]\d$"


class Section(BaseModel):
    """A section refuses keys it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
