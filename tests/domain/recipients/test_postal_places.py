"""Where nobody lives, and what a country's line is called."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.countries import country_code, country_line, names_a_country
from loan_reminders.domain.states import Refusal

OURS = (("12 avenue des Platanes", "34999 MONTCLAR CEDEX"), ("2 place des Facultés", "34999 Montclar"))


@pytest.mark.parametrize(
    ("lines", "own"),
    [
        (("12, avenue des Platanes", "34999 Montclar"), True),
        (("BU Montclar", "12 av. des Platanes", "34999 MONTCLAR CEDEX 2"), True),
        (("Service du prêt, 2 place des Facultés", "34999 Montclar", "France"), True),
        (("14 avenue des Platanes", "34999 Montclar"), False),
        (("12 avenue des Platanes", "34000 Montpellier"), False),
        (("Chambre 12", "12 rue des Facultés", "34999 Montclar"), False),
    ],
)
def test_nobody_lives_at_the_library(lines: tuple[str, ...], own: bool) -> None:
    if not own:
        assert PostalAddress.parse(name="Élise Dupont", lines=lines, own=OURS).lines[-1].startswith("34")
        return
    with pytest.raises(RecipientError) as caught:
        PostalAddress.parse(name="Élise Dupont", lines=lines, own=OURS)
    assert caught.value.code is Refusal.OWN_ADDRESS


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("", ""),
        ("FR", ""),
        ("GUADELOUPE", ""),
        ("DE", "ALLEMAGNE"),
        ("DEU", "ALLEMAGNE"),
        ("GERMANY", "ALLEMAGNE"),
        ("PAYS BAS", "PAYS BAS"),
        ("ATLANTIDE", "ATLANTIDE"),
        ("HK", "HONG KONG"),
        ("HONG KONG", "HONG KONG"),
        ("CONGO KINSHASA", "REPUBLIQUE DEMOCRATIQUE DU CONGO"),
        ("ZZ", None),
        ("EU", None),
        ("TF", None),
        ("QQ", None),
    ],
)
def test_country_fields(field: str, line: str | None) -> None:
    assert country_line(field) == line


def test_a_code_or_the_name_of_a_french_town_is_not_read_as_a_country() -> None:
    assert names_a_country("BELGIQUE")
    assert not any(map(names_a_country, ("DE", "GRENADE", "MAURICE", "NICE", "SAINT MARTIN")))
    assert (country_code("ALLEMAGNE"), country_code("ATLANTIDE")) == ("DE", "")
