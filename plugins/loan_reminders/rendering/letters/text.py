"""What a letter says of data: cleaned titles, French dates, prices, references."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache

from loan_reminders.domain.letters.batches import EarlierReminder
from loan_reminders.domain.stages import Channel, Stage

UNTITLED = "Document sans titre"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that a person reads as a digit."""

_STAGE_MARKS = {Stage.FIRST_REMINDER: "R1", Stage.SECOND_REMINDER: "R2", Stage.REGISTERED_LETTER: "MD"}
_REMINDER_WORDS = {
    Stage.COURTESY_NOTICE: "rappel avant l'échéance",
    Stage.OVERDUE_NOTICE: "avis de retard",
    Stage.FIRST_REMINDER: "première relance",
    Stage.SECOND_REMINDER: "deuxième relance",
    Stage.REGISTERED_LETTER: "mise en demeure",
}
_CHANNEL_WORDS = {
    Channel.EMAIL: "courriel",
    Channel.SMS: "SMS",
    Channel.LETTER: "courrier",
    Channel.REGISTERED_LETTER: "lettre recommandée",
}
_JOINERS = "\u200c\u200d"
_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)(?:[.,](\d{1,2}))?(?![\d.,])")
_CURRENCY = re.compile(r"EUR(?:OS?)?|€|USD|US\$|\$|GBP|£|CHF", re.IGNORECASE)
_LONGEST_PRICE = 60
_LONGEST_AMOUNT = 9
_SIGNS = {"€": "EUR", "$": "USD", "US$": "USD", "£": "GBP", "EURO": "EUR", "EUROS": "EUR"}
_FULL_CAPITALS_LINKS = re.compile(r"\b(En|Sur|Sous|Les?|La|Des?|Du|Et|Lès)\b")
_SENTENCE_END = " /:;,="


def one_line(text: str, limit: int) -> str:
    """Data as one printable line of at most `limit` characters, `…` in place of what was cut.

    Controls and line ends become spaces; characters that only steer other characters (direction marks, variation
    selectors, non-sorting marks) are dropped, save the joiners that Persian and Indic scripts need.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_printable, unicodedata.normalize("NFC", text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


@lru_cache(maxsize=4096)
def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return "" if character in "\x88\x89\x98\x9c" else " "
    if category == "Cs":
        return "\ufffd"
    if category == "Cf":
        return character if character in _JOINERS else ""
    if category in {"Zl", "Zp"}:
        return " "
    return "" if "\ufe00" <= character <= "\ufe0f" else character


def title_words(title: str, volume: str, limit: int = 200) -> str:
    """A title with its volume, without the punctuation a catalogue leaves at its end; an empty title gets words."""
    words = one_line(title, limit).rstrip(_SENTENCE_END) or UNTITLED
    part = one_line(volume, 40)
    return f"{words}, {part}" if part else words


@lru_cache(maxsize=1024)
def french_date(day: date) -> str:
    """A date within a sentence: `26 novembre 2026`, `1er décembre 2026`, never broken across lines (CLDR, by babel)."""
    from babel.dates import format_date

    number = "1er" if day.day == 1 else str(day.day)
    return f"{number}\u00a0{format_date(day, 'MMMM', locale='fr')}\u00a0{day.year}"


def short_date(day: date) -> str:
    """A date in a table: `26/11/2026`."""
    return f"{day:%d/%m/%Y}"


def price_words(text: str) -> str:
    """A price as the ILS holds it (`12,50 EUR`, `12.5`) in French, or nothing: `NC`, nought, an old or odd currency.

    An amount without currency is in euros.
    """
    return _money(*_amount(text))


def total_words(prices: Iterable[str]) -> str:
    """The sum of those prices, as the ILS holds them, that are known; nothing when none is, or with two currencies."""
    known = [found for found in map(_amount, prices) if found[0]]
    if len({currency for _, currency in known}) != 1:
        return ""
    return _money(sum(cents for cents, _ in known), known[0][1])


@lru_cache(maxsize=4096)
def _money(cents: int, currency: str) -> str:
    from babel.numbers import format_currency

    return str(format_currency(cents / 100, currency, locale="fr_FR")) if cents else ""


@lru_cache(maxsize=4096)
def _amount(text: str) -> tuple[int, str]:
    """An ILS price in cents and its currency's ISO 4217 code; (0, "") when it cannot be told."""
    if len(text) > _LONGEST_PRICE:
        return 0, ""
    amounts = _AMOUNT.findall(text)
    if len(amounts) != 1 or len(amounts[0][0]) > _LONGEST_AMOUNT:
        return 0, ""
    whole, cents = amounts[0]
    rest = _AMOUNT.sub(" ", text, count=1)
    named = _CURRENCY.search(rest)
    if _CURRENCY.sub("", rest, count=1).strip(" .,:;()\u00a0\u202f"):
        return 0, ""
    value = int(re.sub(r"\D", "", whole)) * 100 + int(cents.ljust(2, "0") or 0)
    if not value:
        return 0, ""
    code = named.group().upper() if named else "EUR"
    return value, _SIGNS.get(code, code)


def earlier_words(earlier: Sequence[EarlierReminder]) -> tuple[str, ...]:
    """Each reminder that left before, once, the oldest first: `avis de retard par courriel le 3 novembre 2026`."""
    in_order = sorted({(one.left_on, one.stage.place, one.channel.value): one for one in earlier}.items())
    return tuple(
        f"{_REMINDER_WORDS[one.stage]} par {_CHANNEL_WORDS[one.channel]} le {french_date(one.left_on)}"
        for _, one in in_order
    )


def letter_reference(delivery_id: uuid.UUID, stage: Stage) -> str:
    """A short reference for the reader to quote: the reminder, and eight signs of the delivery's id.

    The same whatever the day the letter is printed, and without personal data: `R1-7ZK3QD4M`. The signs are the lowest
    40 bits of the id: among 10,000 letters, two alike in one library out of 20,000.
    """
    mark = _STAGE_MARKS.get(stage, "L")
    signs = "".join(_ALPHABET[(delivery_id.int >> shift) & 31] for shift in range(35, -5, -5))
    return f"{mark}-{signs}"


def town_of(address_lines: tuple[str, ...]) -> str:
    """The town a letter is dated from, out of the library's return address: `06103 NICE CEDEX 2` → `Nice`."""
    last = address_lines[-1] if address_lines else ""
    town = re.sub(r"^\s*(?:F-?)?\d{5}\s*|\s*\bCEDEX\b.*$", "", last, flags=re.IGNORECASE).strip()
    if not town.isupper():
        return town
    words = _FULL_CAPITALS_LINKS.sub(lambda found: found.group().lower(), town.title())
    return words[:1].upper() + words[1:]


def breakable(text: str, longest: int) -> str:
    """The text with places to break in its words longer than `longest`, so that a table cell can hold them."""
    if len(text) <= longest:
        return text
    return " ".join("\u200b".join(re.findall(f".{{1,{longest}}}", word)) for word in text.split(" "))
