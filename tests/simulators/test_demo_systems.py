"""The fictional library on another system: what it writes into library.toml, and the shape of its rows."""

from __future__ import annotations

import tomllib

import pytest

from loan_reminders.domain.stages import PatronCategory
from loan_reminders.settings.library_toml import ROOT, Settings
from sql.demo.generator import make_library
from sql.demo.systems.library_site import KINDS, site_settings
from sql.demo.systems.tables import FOLDER, amount, home, iso, real_day, statements
from tests.scenes.aleph import TODAY
from tests.scenes.library_systems import SYSTEMS

TEXT = (ROOT / "library.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_each_system_are_sound(kind):
    ours = Settings.model_validate(tomllib.loads(site_settings(TEXT, kind, f"ils_{kind}")))
    assert (ours.ils.kind, ours.ils.connection) == (kind, "ils_oracle" if kind == "aleph" else f"ils_{kind}")
    student = "01" if kind in ("aleph", "koha") else "1"
    assert ours.codes().category(student, "") == PatronCategory.STUDENT
    assert {branch.code for branch in ours.library.branches} == (
        {"1", "2", "3", "4"} if kind == "pmb" else {"BUDRT", "BULET", "BUSCI", "BUMED"}
    )


def test_a_system_that_the_library_has_no_tables_for_is_refused():
    with pytest.raises(ValueError, match="voyager"):
        site_settings(TEXT, "voyager", "ils_voyager")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_all_rows_of_a_table_have_its_columns_and_the_same_ones(system):
    made = " ".join(statements(FOLDER / f"{system.name}.sql"))
    for table, rows in system.tables(make_library(today=TODAY, patrons=30, loans=100), today=TODAY).items():
        assert f"CREATE TABLE {table} (" in made
        assert len({tuple(row) for row in rows}) == 1


@pytest.mark.parametrize(
    ("lines", "postcode", "expected"),
    [
        (("3 rue Basse", "34999 MONTCLAR", "", ""), "34999", (["3 rue Basse"], "34999", "MONTCLAR", "")),
        (
            ("Apt 2", "3 rue Basse", "34998 LA GARRIGUE"),
            "34999",
            (["Apt 2", "3 rue Basse"], "34998", "LA GARRIGUE", ""),
        ),
        (("12 Grafton Street", "DUBLIN 2", "", "IRLANDE"), "", (["12 Grafton Street"], "", "DUBLIN 2", "IRLANDE")),
        (("3 rue Basse",), "34999", (["3 rue Basse"], "34999", "", "")),
        (("", "", "", ""), "", ([], "", "", "")),
    ],
)
def test_an_address_apart(lines, postcode, expected):
    assert home(lines, postcode) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [("25,00 EUR", "25.00"), ("39.90", "39.90"), ("18", "18.00"), ("64,00 €", "64.00"), ("NC", None), ("", None)],
)
def test_a_price_as_an_amount(price, expected):
    assert amount(price) == expected


def test_dates_as_a_database_reads_them():
    assert (iso(0), iso(20260301), iso(20260231, "23:59:00")) == (None, "2026-03-01", "2026-02-31 23:59:00")
    assert (real_day(20260228), real_day(20260231), real_day(0)) == (True, False, False)
