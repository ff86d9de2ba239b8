"""What the page of costs says of prices."""

from __future__ import annotations

from collections.abc import Sequence

from loan_reminders.domain.statistics.costs import Price, Prices, Spared
from loan_reminders.french.days import day_words
from loan_reminders.french.money import euros

PRICES = {
    Price.SEGMENT: ("un segment de SMS", "[sms] segment_price"),
    Price.SHEET: ("une feuille imprimée", "[costs] sheet"),
    Price.ENVELOPE: ("une enveloppe", "[costs] envelope"),
    Price.LETTER: ("l'affranchissement d'une lettre de ce poids", "[costs] letter"),
    Price.REGISTERED: ("l'affranchissement d'une recommandée de ce poids", "[costs] registered"),
    Price.ACKNOWLEDGEMENT: ("l'avis de réception", "[costs] acknowledgement"),
}
"""A price, and where `library.toml` gives it."""
SPARED = {Spared.OPTED_OUT: "désinscrits", Spared.DEAD_NUMBER: "numéros morts"}
"""Why SMS did not leave."""


def missing_words(missing: Sequence[Price]) -> str:
    """Which prices are missing, a sentence; empty where none is."""
    if not missing:
        return ""
    named = ", ".join(f"{PRICES[one][0]} ({PRICES[one][1]})" for one in missing)
    return f"Un tiret : ce coût n'est pas connu. Il manque dans library.toml le prix de : {named}."


def prices_words(prices: Prices) -> list[str]:
    """The prices in use, a line each."""
    said = []
    if prices.segment is not None:
        said.append(f"Un segment de SMS dont le prestataire n'a pas dit le coût : {euros(prices.segment)}.")
    if prices.sheet is not None:
        sides = "recto verso" if prices.both_sides else "recto seul"
        said.append(f"Une feuille imprimée, {sides} : {euros(prices.sheet)}.")
    if prices.envelope is not None:
        said.append(f"Une enveloppe : {euros(prices.envelope)}.")
    for words, tariffs in (("lettre", prices.letter), ("recommandée", prices.registered)):
        steps = ", ".join(f"jusqu'à {one.up_to_grams} g {euros(one.euros)}" for one in tariffs)
        if steps:
            said.append(f"Une {words} : {steps}.")
    if prices.acknowledgement is not None:
        said.append(f"Un avis de réception : {euros(prices.acknowledgement)}.")
    if prices.as_of is not None:
        said.append(f"Tarifs du {day_words(prices.as_of)}.")
    return said
