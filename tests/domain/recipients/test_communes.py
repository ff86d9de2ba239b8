"""Every commune of France comes through, as people's addresses hold it, and is printed with its official name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.communes import is_commune, is_known_town, official_pairs
from loan_reminders.domain.recipients.postal_block import town_line
from loan_reminders.domain.recipients.postal_words import fold

STREET = "12 rue des Lilas"
LAYOUTS = {
    "in one line": lambda code, town: {"lines": (STREET, f"{code} {town}")},
    "in two fields": lambda code, town: {"lines": (STREET,), "postcode": code, "city": town},
    "the town in a line": lambda code, town: {"lines": (STREET, town), "postcode": code},
    "in a line and in the fields": lambda code, town: {
        "lines": (STREET, f"{code} {town}"), "postcode": code, "city": town,
    },
    "in a line and the postcode": lambda code, town: {"lines": (STREET, f"{code} {town}"), "postcode": code},
    "with France below": lambda code, town: {"lines": (STREET, f"{code} {town.upper()}", "FRANCE")},
    "with France behind": lambda code, town: {"lines": (STREET, f"{code} {town} France")},
    "with a country field": lambda code, town: {"lines": (STREET, f"{code} {town}"), "country": "FR"},
    "the postcode above": lambda code, town: {"lines": (STREET, code, town)},
    "the postcode behind": lambda code, town: {"lines": (STREET, f"{town} {code}")},
    "all in one": lambda code, town: {"lines": (f"{STREET} {code} {town}",)},
    "with a comma": lambda code, town: {"lines": (f"{STREET}, {code} {town}",)},
    "no street": lambda code, town: {"lines": ("Lieu-dit Le Bourg", f"{code} {town}")},
    "a house's name": lambda code, town: {"lines": ("Villa Mon Rêve 3", f"{code} {town}")},
}  # fmt: skip


ALL_OF_THEM = ("in one line", "in two fields", "the town in a line")
"""Layouts tried with every pair; the others are tried with every tenth, and with all names that read as
another word."""

ODD = re.compile(
    r"FRANCE|^(?:RUE|COURS|PLACE|CHEMIN|AV|LE BOURG|VILLE|AUCUN|TEST|LOT|PAS|ALL|VOIE|Y|X)\b"
    r"|\b(?:LUX|MUS|BEL|POL|BENIN|REUNION|SUISSE|ARGENTINE|SOUDAN|GRENADE|HELENE|LUXEMBOURG|ESPAGNE|CHILI|D|DE|CH|B)$"
)


def pairs_for(layout: str) -> Iterator[tuple[str, str]]:
    for number, (code, name) in enumerate(official_pairs()):
        if layout in ALL_OF_THEM or number % 10 == 0 or " - " in name or ODD.search(fold(name)):
            yield code, name


def faults(layout: str) -> Iterator[str]:
    for code, name in pairs_for(layout):
        wanted = town_line(code, fold(name))
        try:
            address = PostalAddress.parse(name="Élise Dupont", **LAYOUTS[layout](code, name))
        except RecipientError as error:
            yield f"{code} {name} : {error.code}"
            continue
        if address.lines[-1] != wanted or address.postcode != code or len(address.lines) != 3:
            yield f"{code} {name} : {address.lines}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_commune_is_printed_with_its_official_name(layout: str) -> None:
    found = list(faults(layout))
    assert not found, f"{len(found)} : {found[:20]}"


def test_the_table_holds_every_pair() -> None:
    assert sum(1 for _ in official_pairs()) == 35_683


def test_names_of_more_than_32_signs_are_shortened_by_the_posts_own_rules() -> None:
    lines = {name: town_line(code, fold(name)) for code, name in official_pairs() if len(fold(name)) > 32}
    assert len(lines) == 27
    assert max(map(len, lines.values())) <= 38
    assert len(set(lines.values())) == len(lines)


@pytest.mark.parametrize(
    ("code", "town", "known"),
    [
        ("75012", "PARIS 12", True),
        ("75012", "PARIS 12EME ARRONDISSEMENT", True),
        ("69003", "LYON 3E", True),
        ("93400", "ST OUEN SUR SEINE", True),
        ("97200", "FORT DE FRANCE", True),
        ("71100", "CHALON S SAONE", True),
        ("06103", "NICE CEDEX 2", True),
        ("50100", "TOURLAVILLE", True),
        ("13520", "LES BAUX DE PROVENCE", True),
        ("98714", "PAPEETE", True),
        ("98800", "NOUMEA", True),
        ("98000", "MONACO", True),
        ("50100", "FIRENZE", False),
        ("77694", "KEHL", False),
        ("16000", "ALGER", False),
        ("20000", "CASABLANCA", False),
    ],
)
def test_a_town_is_known_as_people_write_it(code: str, town: str, known: bool) -> None:
    assert is_known_town(code, town) is known


def test_another_departments_commune_is_not_known_here() -> None:
    assert is_commune("31330", "GRENADE")
    assert not is_known_town("75001", "GRENADE")
