"""Long names on an envelope: three lines, then initials, then cut; only a word longer than a line is refused."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, parse_row
from loan_reminders.domain.states import Refusal

MALAGASY = "Élise ANDRIANTSIFERANAMANDRATO RAKOTONDRAVELOARIMANANA TSIORIMAMPIONONARIVO"
NOBLE = (
    "Anne de La Rochefoucauld-Montbel-Estissac de Saint-Hilaire du Plessis-Bellière et de Montmorency"
)  # fmt: skip
GIVEN, FAMILY = "Marie-Christine Joséphine", "Rochefoucauld-Doudeauville"
FOUR = ("Résidence du Parc des Sports", "Bâtiment des Acacias blancs", "12 rue des Lilas", "BP 12", "06000 Nice")


def names(name: str, *lines: str, given: str = "") -> tuple[str, ...]:
    below = lines or ("12 rue des Lilas", "06000 Nice")
    address = PostalAddress.parse(name=name, lines=below, given=given)
    assert len(address.lines) <= 6
    assert max(map(len, address.lines)) <= 38
    return address.lines[: len(address.lines) - len(below)]


def test_three_lines_where_six_allow_it() -> None:
    assert names(MALAGASY) == ("ELISE ANDRIANTSIFERANAMANDRATO", "RAKOTONDRAVELOARIMANANA", "TSIORIMAMPIONONARIVO")
    assert names(NOBLE) == (
        "ANNE DE LA ROCHEFOUCAULD MONTBEL", "ESTISSAC DE SAINT HILAIRE DU PLESSIS", "BELLIERE ET DE MONTMORENCY",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        (f"{GIVEN} de La {FAMILY}", GIVEN, ("M C J DE LA ROCHEFOUCAULD DOUDEAUVILLE",)),
        (f"de La {FAMILY}, {GIVEN}", "", ("M C J DE LA ROCHEFOUCAULD DOUDEAUVILLE",)),
        (f"{GIVEN} DE LA {FAMILY.upper()}", "", ("M C J DE LA ROCHEFOUCAULD DOUDEAUVILLE",)),
        ("Mme Alexandrina de Vasconcelos Albuquerque", "", ("MME A DE VASCONCELOS ALBUQUERQUE",)),
    ],
)  # fmt: skip
def test_then_initials_for_the_given_names(name: str, given: str, expected: tuple[str, ...]) -> None:
    assert names(name, *FOUR, given=given) == expected


def test_then_cut_and_the_address_stays_whole() -> None:
    assert names(NOBLE, *FOUR) == ("A DE LA ROCHEFOUCAULD MONTBEL ESTISSAC",)
    assert names("Ana " + "Albuquerque " * 20) == (
        "A ALBUQUERQUE ALBUQUERQUE ALBUQUERQUE", "ALBUQUERQUE ALBUQUERQUE ALBUQUERQUE",
        "ALBUQUERQUE ALBUQUERQUE ALBUQUERQUE",
    )  # fmt: skip


def test_only_a_word_longer_than_a_line_is_refused() -> None:
    with pytest.raises(RecipientError) as caught:
        names(f"Élise {'X' * 39}")
    assert caught.value.code is Refusal.LINE_TOO_LONG
    assert names(f"Élise {'X' * 38}") == ("ELISE", "X" * 38)


@pytest.mark.parametrize("name", ["Élise Petit-Grand", "Jean Saint-Maréchal de la Place du Grand Chemin Neuf"])
def test_a_family_name_is_never_abbreviated(name: str) -> None:
    assert "MARECHAL" in " ".join(names(name)) or "PETIT GRAND" in " ".join(names(name))


def test_a_row_tells_which_names_are_given() -> None:
    row = {
        **dict.fromkeys(COLUMNS), "loan_key": "K", "patron_id": "P", "loan_date": 20260210, "due_date": 20260303,
        "last_name": "de La Rochefoucauld-Doudeauville", "first_name": "Marie-Christine Joséphine",
        "address_1": FOUR[0], "address_2": FOUR[1], "address_3": FOUR[2], "address_4": FOUR[3],
        "postcode": "06000", "city": "Nice",
    }  # fmt: skip
    patron = parse_row(row, CodeMapping()).patron
    assert isinstance(patron.address, PostalAddress)
    assert patron.address.lines[0] == "M C J DE LA ROCHEFOUCAULD DOUDEAUVILLE"
    assert patron.name == "Marie-Christine Joséphine de La Rochefoucauld-Doudeauville"
