"""Addresses abroad: the country last, alone, in capitals, in French; without a country, nothing passes for French."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.postal_words import fold
from loan_reminders.domain.states import Refusal
from tests.scenes.foreign_addresses import ADDRESSES

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


def below_the_name(*lines: str, **fields: str) -> tuple[str, ...]:
    return PostalAddress.parse(name="Élise Dupont", lines=lines, **fields).lines[1:]


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        # the army's post is French and has postcodes of its own
        (("SP 85212", "00862 ARMEES"), {}, ("SP 85212", "00862 ARMEES")),
        (("3e RIMa", "SP 85212 00862 Armées"), {}, ("3E RIMA", "SP 85212", "00862 ARMEES")),
        (("SP 85212",), {"postcode": "00862", "city": "ARMEES"}, ("SP 85212", "00862 ARMEES")),
        (("SP 85212", "ARMEES"), {"postcode": "00862"}, ("SP 85212", "00862 ARMEES")),
        (("SP 85212", "00 862 ARMEES", "France"), {"country": "FR"}, ("SP 85212", "00862 ARMEES")),
        (("BCRM", "BP 12", "83800 Toulon Cedex 9"), {}, ("BCRM", "BP 12", "83800 TOULON CEDEX 9")),
        # overseas and Monaco are France for the post
        (("BP 12", "98713 Papeete", "Tahiti", "Polynésie française"), {}, ("BP 12", "98713 PAPEETE")),
        (("12 rue Haute", "98800 Nouméa"), {"country": "Nouvelle-Calédonie"}, ("12 RUE HAUTE", "98800 NOUMEA")),
        (("12 rue Haute", "98600 Mata-Utu"), {"country": "WF"}, ("12 RUE HAUTE", "98600 MATA UTU")),
        (("5 rue Basse", "97200 Fort-de-France", "Martinique"), {}, ("5 RUE BASSE", "97200 FORT DE FRANCE")),
        (("5 rue Basse", "97400 Saint-Denis, La Réunion"), {}, ("5 RUE BASSE", "97400 SAINT DENIS")),
        (("5 rue Basse", "97150 Saint-Martin"), {}, ("5 RUE BASSE", "97150 SAINT MARTIN")),
        (("3 bd des Moulins", "MC-98000 Monaco"), {}, ("3 BD DES MOULINS", "98000 MONACO")),
        (("3 bd des Moulins", "98000 Monaco", "Principauté de Monaco"), {}, ("3 BD DES MOULINS", "98000 MONACO")),
        # France in every shape, and streets that are called like a country
        (("12 rue Haute", "59000 LILLE / FRANCE"), {}, ("12 RUE HAUTE", "59000 LILLE")),
        (("12 rue Haute", "06000 Nice (France)"), {}, ("12 RUE HAUTE", "06000 NICE")),
        (("12 rue Haute", "Nice, France"), {"postcode": "06000"}, ("12 RUE HAUTE", "06000 NICE")),
        (("12 rue Haute", "69100 Villeurbanne", "FRANCE", "EUROPE"), {}, ("12 RUE HAUTE", "69100 VILLEURBANNE")),
        (("12 rue Haute", "France métropolitaine", "06000 Nice"), {}, ("12 RUE HAUTE", "06000 NICE")),
        (("12 rue Haute", "06000 Nice (06)"), {}, ("12 RUE HAUTE", "06000 NICE")),
        (("75013 Paris", "Place d'Italie"), {}, ("PLACE D ITALIE", "75013 PARIS")),
        (("12 rue de Belgique", "69003 Lyon"), {}, ("12 RUE DE BELGIQUE", "69003 LYON")),
        (("06000 Nice", "Villa Suisse"), {}, ("VILLA SUISSE", "06000 NICE")),
        (("Résidence X, Appt A-1204", "06000 Nice"), {}, ("RESIDENCE X APPT A 1204", "06000 NICE")),
        (("12 rue Haute", "06000 Nice"), {"country": "étudiant"}, ("12 RUE HAUTE", "06000 NICE")),
        # what La Poste knows and the table of communes does not
        (("24 av Bleue", "92974 Paris La Défense Cedex"), {}, ("24 AV BLEUE", "92974 PARIS LA DEFENSE CEDEX")),
        (("TSA 12345", "75231 Paris Cedex 05"), {}, ("TSA 12345", "75231 PARIS CEDEX 05")),
        (("Les Bleuets", "67000 Strassbourg"), {}, ("LES BLEUETS", "67000 STRASSBOURG")),
        (("12 rue Haute", "13090 Aix-en-Pce"), {}, ("12 RUE HAUTE", "13090 AIX EN PCE")),
        (("12 rue des Lilas Apt 5 06000 Nice",), {}, ("12 RUE DES LILAS APT 5", "06000 NICE")),
        # the country by its letters
        (("Hauptstr. 12", "D-77694 Kehl"), {}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12", "D 77694 Kehl"), {}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12", "Kehl"), {"postcode": "D-77694"}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12",), {"city": "D-77694 Kehl"}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12", "77694 Kehl", "DE"), {}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12", "77694 Kehl (D)"), {}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Hauptstr. 12", "Allemagne", "77694 Kehl"), {}, ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE")),
        (("Via Roma 3", "10121 Torino", "IT"), {}, ("VIA ROMA 3", "10121 TORINO", "ITALIE")),
        (("Gartenweg 3", "A 1010 Wien"), {}, ("GARTENWEG 3", "1010 WIEN", "AUTRICHE")),
        (("Brivibas 3", "LV-1010 Riga"), {}, ("BRIVIBAS 3", "LV-1010 RIGA", "LETTONIE")),
        (("5 rue X", "L-1855"), {"city": "Luxembourg"}, ("5 RUE X", "1855 LUXEMBOURG", "LUXEMBOURG")),
        (("5 rue X", "Luxembourg"), {"postcode": "1855"}, ("5 RUE X", "1855 LUXEMBOURG", "LUXEMBOURG")),
        (("C/ Major 3", "AD500", "Andorra la Vella"), {}, ("C/ MAJOR 3", "AD500 ANDORRA LA VELLA", "ANDORRE")),
        (
            ("Flat 2", "Rose House", "12 High St", "London", "SW1A 1AA", "UK"),
            {},
            ("FLAT 2", "ROSE HOUSE", "12 HIGH ST", "LONDON SW1A 1AA", "ROYAUME UNI"),
        ),
        (
            ("Universität Heidelberg, Romanisches Seminar, Seminarstr. 3", "69117 Heidelberg", "Germany"),
            {},
            ("UNIVERSITAT HEIDELBERG", "ROMANISCHES SEMINAR", "SEMINARSTR 3", "69117 HEIDELBERG", "ALLEMAGNE"),
        ),
        (
            ("Chez Paul Jordan", "12 rue Haute", "34999 Montclar"),
            {},
            ("CHEZ PAUL JORDAN", "12 RUE HAUTE", "34999 MONTCLAR"),
        ),
        (("Villa Jordan", "12 rue Haute", "34999 Montclar"), {}, ("VILLA JORDAN", "12 RUE HAUTE", "34999 MONTCLAR")),
        (("5 Queen's Road", "Hong Kong"), {}, ("5 QUEEN S ROAD", "HONG KONG", "HONG KONG")),
        (("5 rue X", "Brazzaville", "République du Congo"), {}, ("5 RUE X", "BRAZZAVILLE", "CONGO")),
        (
            ("5 rue X", "Kinshasa", "République démocratique du Congo"),
            {},
            ("5 RUE X", "KINSHASA", "REPUBLIQUE DEMOCRATIQUE DU CONGO"),
        ),
        (
            ("Hauptstr. 12", "77694 Kehl", "Bundesrepublik Deutschland"),
            {},
            ("HAUPTSTR 12", "77694 KEHL", "ALLEMAGNE"),
        ),
        (("12 rue Ben Barka", "93200 Saint-Denis"), {}, ("12 RUE BEN BARKA", "93200 SAINT DENIS")),
        (("Via Roma 3", "70121 Bari (BA)", "Italia"), {}, ("VIA ROMA 3", "70121 BARI BA", "ITALIE")),
        (("1 rue A", "Montréal, Québec H2L 5C4", "CA"), {}, ("1 RUE A", "MONTREAL QUEBEC H2L 5C4", "CANADA")),
    ],
)
def test_a_place_is_told_by_what_is_written(lines: tuple[str, ...], fields: dict, expected: tuple[str, ...]) -> None:
    assert below_the_name(*lines, **fields) == expected


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (("12 Main St", "Springfield, IL 62704"), {}),
        (("12 Main St", "Springfield", "IL", "62704"), {}),
        (("12 Main St", "Springfield IL"), {"postcode": "62704"}),
        (("12 Georgia Avenue", "Atlanta, GA 30303", "Georgia"), {}),
        (("Hauptstr. 12",), {"postcode": "77694", "city": "Kehl"}),
        (("Hauptstr. 12, 77694 Kehl",), {}),
        (("12 rue Ibn Sina", "20000 Casablanca"), {}),
        (("2 rue Didouche Mourad", "16000 Alger"), {"country": "FR"}),
        (("Via Roma 3", "50100 Firenze"), {}),
        (("Via Roma 3", "03100 Frosinone (FR)"), {}),
        (("Via Roma 3", "70121 Bari (BA)"), {}),
        (("Av. Reforma 222", "06600 Cuauhtémoc"), {}),
        (("Cité Ibn Khaldoun", "25000 Ali Mendjeli"), {}),
        (("Lot Sidi Maarouf", "20520 Bouskoura"), {}),
        (("5 Nguyen Trai", "10000 Hanoi"), {}),
        (("Calle Mayor 5",), {"postcode": "28013", "city": "Madrid", "country": "FR"}),
        # two countries, or a foreign one beside a French commune: a nationality, a mistake, nobody can tell
        (("12 rue Haute", "06000 Nice", "Maroc"), {}),
        (("12 rue Haute", "06000 Nice"), {"country": "MA"}),
        (("12 rue Haute", "06000 Nice Italie"), {}),
        (("12 rue Haute", "06000 Nice", "IT"), {}),
        (("12 rue Haute",), {"postcode": "01210", "city": "Ferney Voltaire", "country": "CH"}),
        (("Hauptstr. 12", "D-77694 Kehl", "Autriche"), {}),
        (("Hauptstr. 12", "D-77694 Kehl", "France"), {}),
    ],
)
def test_in_doubt_an_address_is_refused(lines: tuple[str, ...], fields: dict[str, str]) -> None:
    with pytest.raises(RecipientError) as caught:
        below_the_name(*lines, **fields)
    assert caught.value.code in (Refusal.COUNTRY_UNSURE, Refusal.NO_POSTCODE)
