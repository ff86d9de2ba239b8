"""Addresses abroad: the country last, alone, in capitals, in French; without a country, nothing passes for French."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.postal_words import fold
from loan_reminders.domain.states import Refusal
from tests.unit.foreign_addresses import ADDRESSES

LAYOUTS = {
    "below": lambda street, town, prefix, name, code: {"lines": (street, town, name)},
    "below in capitals": lambda street, town, prefix, name, code: {
        "lines": (street.upper(), town.upper(), name.upper()),
    },
    "in brackets": lambda street, town, prefix, name, code: {"lines": (street, f"{town} ({name})")},
    "after a comma": lambda street, town, prefix, name, code: {"lines": (street, f"{town}, {name}")},
    "after a dash": lambda street, town, prefix, name, code: {"lines": (street, f"{town} - {name}")},
    "after the town": lambda street, town, prefix, name, code: {"lines": (street, f"{town} {name}")},
    "in its field": lambda street, town, prefix, name, code: {"lines": (street, town), "country": name},
    "a code in its field": lambda street, town, prefix, name, code: {"lines": (street, town), "country": code},
    "in the field and below": lambda street, town, prefix, name, code: {
        "lines": (street, town, name), "country": code,
    },
    "below, the field says France": lambda street, town, prefix, name, code: {
        "lines": (street, town, name), "country": "FR",
    },
    "a prefix": lambda street, town, prefix, name, code: {"lines": (street, f"{prefix}-{town}")},
    "a prefix and a country": lambda street, town, prefix, name, code: {"lines": (street, f"{prefix}-{town}", name)},
    "a prefix, the field says France": lambda street, town, prefix, name, code: {
        "lines": (street, f"{prefix}-{town}"), "country": "FR",
    },
}  # fmt: skip

CASES = [
    pytest.param(country, LAYOUTS[layout](street, town, prefix, name, code), street, town, id=f"{code} {layout} {name}")
    for country, code, street, town, prefix, names in ADDRESSES
    for layout in LAYOUTS
    for name in (names if layout in ("below", "in brackets", "after the town", "in its field") else names[:1])
    if (prefix or "a prefix" not in layout) and not (layout == "after the town" and len(name) == 3 and name != "RFA")
]


@pytest.mark.parametrize(("country", "fields", "street", "town"), CASES)
def test_the_country_is_the_last_line(country: str, fields: dict, street: str, town: str) -> None:
    address = PostalAddress.parse(name="Élise Dupont", **fields)
    assert address.lines == ("ELISE DUPONT", fold(street, abroad=True), fold(town, abroad=True), country)


@pytest.mark.parametrize(
    ("country", "code", "street", "town"),
    [(row[0], row[1], row[2], row[3]) for row in ADDRESSES if row[3][:4].isdigit()],
)
def test_the_postcode_and_the_town_in_their_fields(country: str, code: str, street: str, town: str) -> None:
    postcode, _, name = town.partition(" ")
    address = PostalAddress.parse(name="Élise Dupont", lines=(street,), postcode=postcode, city=name, country=code)
    assert address.lines[1] == fold(street, abroad=True)
    assert address.lines[-1] == country
    assert sorted(address.lines[2].split()) == sorted(fold(town, abroad=True).split())


@pytest.mark.parametrize(("country", "street", "town", "name"), [(r[0], r[2], r[3], r[5][1]) for r in ADDRESSES])
def test_a_whole_address_in_one_line(country: str, street: str, town: str, name: str) -> None:
    address = PostalAddress.parse(name="Élise Dupont", lines=(f"{street}, {town}, {name}",))
    assert address.lines[-1] == country
    assert " ".join(address.lines[1:-1]) == f"{fold(street, abroad=True)} {fold(town, abroad=True)}"
    assert len(address.lines) >= 4


@pytest.mark.parametrize(("country", "street", "town"), [(row[0], row[2], row[3]) for row in ADDRESSES])
@pytest.mark.parametrize("field", ["", "FR"])
def test_without_a_country_nothing_is_printed_as_french(country: str, street: str, town: str, field: str) -> None:
    if town in ("AD500 Andorra la Vella", "1855 Luxembourg"):
        pytest.skip("the line of the town names its country")
    with pytest.raises(RecipientError) as caught:
        PostalAddress.parse(name="Élise Dupont", lines=(street, town), country=field)
    assert caught.value.code in (Refusal.COUNTRY_UNSURE, Refusal.NO_POSTCODE, Refusal.TOO_FEW_LINES)
