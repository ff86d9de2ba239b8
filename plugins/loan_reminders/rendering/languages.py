"""Dates, plurals and counts as each language writes them, by the Unicode CLDR (through babel)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import TemplateError

if TYPE_CHECKING:
    from babel import Locale

FRENCH = "fr"
"""The language of the templates that stand in no language folder."""

_REGION = {"en": "en_GB"}
_PATTERNS = {
    "fr": ("EEEE d MMMM y", "EEEE d MMMM", "d MMM"),
    "en": ("EEEE d MMMM y", "EEEE d MMMM", "d MMM"),
}
_ON = {"fr": "le {}", "en": "on {}"}
_NEAR = {
    "fr": {-1: "hier, {}", 0: "aujourd'hui, {}", 1: "demain, {}"},
    "en": {-1: "yesterday, {}", 0: "today, {}", 1: "tomorrow, {}"},
}
_HALF_A_YEAR = 180


@lru_cache(maxsize=32)
def locale_of(language: str) -> Locale:
    """What the CLDR knows of an ISO 639-1 language; English is written as in Europe. Raises TemplateError."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(_REGION.get(language, language))
    except (UnknownLocaleError, ValueError):
        raise TemplateError(f"« {language} » n'est pas un code de langue (ISO 639-1, par exemple « en »)") from None


def direction(language: str) -> str:
    """How the language is written, for HTML: `ltr` or `rtl`."""
    return str(locale_of(language).text_direction)


@lru_cache(maxsize=1024)
def long_date(day: date, language: str = FRENCH) -> str:
    """A date in full: `jeudi 26 novembre 2026`, `Thursday 26 November 2026`; `1er` for the first of a French month."""
    return _date(day, language, 0, "full")


@lru_cache(maxsize=1024)
def short_date(day: date, today: date, language: str = FRENCH) -> str:
    """A date without its year, unless it is more than half a year from today: `jeudi 26 novembre`."""
    if abs((day - today).days) > _HALF_A_YEAR:
        return long_date(day, language)
    return _date(day, language, 1, "MMMMEEEEd")


@lru_cache(maxsize=1024)
def day_month(day: date, language: str = FRENCH) -> str:
    """A day and its month in as few letters as make it clear, for an SMS: `26 nov.`, `26 Nov`."""
    return _date(day, language, 2, "MMMd")


@lru_cache(maxsize=1024)
def day_words(day: date, today: date, language: str = FRENCH) -> str:
    """When a day is, as seen from today: `hier, mercredi 25 novembre 2026`, `on Thursday 3 December 2026`.

    In a language other than French and English, the date alone.
    """
    return _seen(day, today, language).format(long_date(day, language))


@lru_cache(maxsize=1024)
def short_day_words(day: date, today: date, language: str = FRENCH) -> str:
    """The same for a subject, without year and preposition: `hier, mercredi 25 novembre`, `jeudi 3 décembre`."""
    near = _NEAR.get(language, {}).get((day - today).days, "{}")
    return near.format(short_date(day, today, language))


@lru_cache(maxsize=1024)
def days(count: int, language: str = FRENCH) -> str:
    """A number of days: `8 jours`, `1 day`."""
    from babel.units import format_unit

    return str(format_unit(count, "duration-day", locale=locale_of(language)))


def plural(count: int, one: str, other: str, /, *, language: str = FRENCH, **forms: str) -> str:
    """The words that agree with a count by the language's own rule; nought is singular in French, plural in English.

    A language with more forms names them as the CLDR does: `{{ count | plural("...", "...", few="...") }}`.
    """
    category = _category(count, language)
    return one if category == "one" else forms.get(category, other)


def filters(language: str) -> dict[str, Callable[..., Any]]:
    """The filters of templates in one language; `long_date(language)` may also name another."""
    return {
        "long_date": lambda day, named="": long_date(day, named or language),
        "short_date": partial(_last, short_date, language),
        "day_words": partial(_last, day_words, language),
        "short_day_words": partial(_last, short_day_words, language),
        "day_month": partial(day_month, language=language),
        "days": lambda count: days(count, language),
        "plural": partial(plural, language=language),
    }


def _last(function: Callable[[date, date, str], str], language: str, day: date, today: date) -> str:
    return function(day, today, language)


@lru_cache(maxsize=4096)
def _category(count: int, language: str) -> str:
    return str(locale_of(language).plural_form(count))


def _seen(day: date, today: date, language: str) -> str:
    return _NEAR.get(language, {}).get((day - today).days) or _ON.get(language, "{}")


def _date(day: date, language: str, form: int, skeleton: str) -> str:
    from babel.dates import format_date, format_skeleton

    locale = locale_of(language)
    if language in _PATTERNS:
        pattern = _PATTERNS[language][form]
        if language == FRENCH and day.day == 1:
            pattern = pattern.replace("d MMMM", "d'er' MMMM")
        return str(format_date(day, pattern, locale=locale))
    if skeleton == "full":
        return str(format_date(day, skeleton, locale=locale))
    return str(format_skeleton(skeleton, day, locale=locale))
