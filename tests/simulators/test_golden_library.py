"""The golden loans: worked out of the fictional library without any SQL, and equal to what the statements find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sql.demo.generator import make_library
from sql.demo.golden import golden_loans, golden_row, golden_rows
from sql.demo.oddities import ODDITIES, STAGE_DAYS
from sql.demo.tables import write_sqlite
from tests.scenes.aleph import TODAY, direct_rows, due_day


@pytest.fixture(scope="module")
def library():
    return make_library(today=TODAY, patrons=300, loans=1500)


@pytest.fixture(scope="module")
def loans(library):
    return golden_loans(library, today=TODAY)


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_the_statement_for_aleph_finds_the_golden_loans(tmp_path, library, loans, stage):
    write_sqlite(tmp_path / "library.db", library)
    expected = golden_rows(loans, due_day(stage))
    assert len(expected) > 3
    assert direct_rows(tmp_path / "library.db", due_day(stage)) == expected


def test_every_loan_is_there_and_the_odd_ones_among_them(library, loans):
    assert len(loans) == len(library.rows["z36"])
    of = {loan.reader_key: loan for loan in loans if loan.reader_key.endswith("-C")}
    assert of.keys() == {oddity.patron_id("C") for oddity in ODDITIES if "C" in oddity.on}
    assert {key for key, loan in of.items() if not loan.listed} == {"LOST-C", "CLAIMED-C", "RETURNED-C"}
    assert (of["NOREADER-C"].reader, of["NOITEM-C"].item, of["NOBIB-C"].records) == (None, None, ())
    assert [title for title, _ in of["TWOBIBS-C"].records] == ["Premier relié", "Second relié"]


def test_a_loan_without_reader_item_or_book_still_has_a_row(loans):
    bare = replace(loans[0], reader=None, item=None, records=())
    row = golden_row(bare)
    assert (row["loan_key"], row["patron_id"]) == (bare.item_key, bare.reader_key)
    assert {row[name] for name in ("full_name", "email", "address_1", "title", "item_barcode")} == {None}
