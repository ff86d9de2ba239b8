"""The prices of library.toml."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.domain.statistics.costs import Tariff
from loan_reminders.settings.library_toml import ROOT, read_settings

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")


def read(folder, text):
    file = folder / "library.toml"
    file.write_text(text, encoding="utf-8")
    ours = read_settings(file)
    return ours.costs.prices(ours.sms_price())


@pytest.mark.parametrize(
    ("found", "wrong", "said"),
    [
        ("sheet = 0.03", "sheet = -1", ["costs.sheet", "-1", "au moins 0"]),
        ("sheet = 0.03", 'sheet = "3 c"', ["costs.sheet", '"3 c"', "un nombre"]),
        ("sheet = 0.03", "paper = 0.03", ["costs.paper", "clé inconnue", "acknowledgement, as_of"]),
        ("as_of = 2025-01-01", 'as_of = "2025"', ["costs.as_of", "une date sans"]),
        ("as_of = 2025-01-01", "", ["costs", "as_of manque"]),
        ("grams = 20, euros = 1.39", "grams = 0, euros = 1.39", ["costs.letter[0].up_to_grams", "au moins 1"]),
        ("{ up_to_grams = 20, euros = 1.39 }", "{ up_to_grams = 100, euros = 2 }, { up_to_grams = 20, euros = 1 }",
         ["costs", "up_to_grams doit croître", "[100, 20]"]),
    ],
)  # fmt: skip
def test_a_wrong_price_stops_with_its_key(tmp_path, found, wrong, said):
    assert found in EXAMPLE
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, EXAMPLE.replace(found, wrong, 1))
    for words in said:
        assert words in str(refused.value)


def test_prices_are_exact_and_of_a_day(tmp_path):
    prices = read(tmp_path, EXAMPLE)
    assert (prices.segment, prices.sheet, prices.as_of) == (Decimal("0.05"), Decimal("0.03"), date(2025, 1, 1))
    assert prices.registered == (Tariff(up_to_grams=20, euros=Decimal("5.74")),)
    assert prices.acknowledgement is None


def test_without_the_section_no_price_is_known(tmp_path):
    start, end = EXAMPLE.index("[costs]"), EXAMPLE.index("[statistics]")
    prices = read(tmp_path, EXAMPLE[:start] + EXAMPLE[end:])
    assert (prices.sheet, prices.envelope, prices.letter, prices.as_of) == (None, None, (), None)
