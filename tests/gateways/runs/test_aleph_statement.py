"""Aleph's statements on SQLite: reached by keys whatever the number of loans, and the sites that differ."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

import pytest

from loan_reminders.hooks.ils import statement
from loan_reminders.settings.ils_systems import AlephSettings
from sql.demo.generator import make_library
from sql.demo.tables import BINDS, Library, write_sqlite
from tests.scenes.aleph import TODAY, due_day, ymd

TABLES = ("z36", "z30", "z13", "z103", "z303", "z304", "z305", "z308")
Z37 = (
    "CREATE TABLE z37 (z37_rec_key CHAR(19), z37_id CHAR(12), z37_status CHAR(1), z37_hold_date NUMBER(8),"
    " z37_pickup_location CHAR(5))"
)
READER, ITEM = "M1".ljust(12), "000000001000010"


def asked(path, site, *, due, name="loans_due", explain=False, **more):
    """The rows of a statement as a site's settings make it; with `explain`, the steps of its plan."""
    sql = statement("aleph", name, site.choices())
    binds = {**BINDS, **site.binds(), "due_ymd": due, "today_ymd": ymd(TODAY), **more}
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute(("EXPLAIN QUERY PLAN " if explain else "") + sql, binds).fetchall()
    return [row["detail"] for row in rows] if explain else [dict(row) for row in rows]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("ils") / "library.db"
    write_sqlite(path, make_library(today=TODAY, patrons=3000, loans=1500, due_loans={2: 4000, -1: 200}))
    return path


@pytest.mark.parametrize("due_date", ["Z36_DUE_DATE", "Z36_EFFECTIVE_DUE_DATE"])
@pytest.mark.parametrize("stage", "CO")
def test_every_table_is_reached_by_a_key_for_200_loans_and_for_4000(large, stage, due_date):
    with closing(sqlite3.connect(large)) as connection:
        connection.execute("CREATE INDEX IF NOT EXISTS z36_by_effective ON z36 (z36_effective_due_date)")
        connection.execute("ANALYZE")
    plan = asked(large, AlephSettings(due_date=due_date), due=ymd(due_day(stage)), explain=True)
    reached = [step.split() for step in plan if step.startswith(("SCAN", "SEARCH"))]
    assert [step for step in reached if step[0] == "SCAN"] == []
    assert {step[1] for step in reached} == {*TABLES, "home", "mail", "phone"}
    by = {step[1]: " ".join(step) for step in reached}
    assert "USING INDEX z103_by_key (z103_rec_key>? AND z103_rec_key<?)" in by["z103"]
    assert "USING INDEX z304_by_key (z304_rec_key>? AND z304_rec_key<?)" in by["z304"]
    for one in ("home", "mail", "phone"):
        assert "USING INDEX z304_by_key (z304_rec_key=?)" in by[one]
    assert "USING INDEX z305_by_key (z305_rec_key=?)" in by["z305"]
    assert "USING INDEX z308_by_patron (z308_id=?)" in by["z308"]


def test_the_present_date_of_a_loan_is_reached_by_its_key(large):
    plan = asked(large, AlephSettings(), due=0, name="loan_now", explain=True, loan_key=ITEM, loan_number="1")
    assert plan == ["SEARCH z36 USING INDEX z36_by_key (z36_rec_key=?)"]


def one_loan(path, *, changes=(), address_width=200, types=(1,)):
    """A library of one reader with an address of each type, and one loan due on the day of the courtesy notice."""
    due = ymd(due_day("C"))
    library = Library()
    library.add("z36", ITEM, READER, 1, "BULET", "A", 20260201, due, 0, "01", "01", 0, "", due)
    library.add("z303", READER, "FRE", "Roux, Ada", "Roux", "Ada", "BULET", 20010401)
    library.add("z305", READER + "ALEPH", "01", "ET", 20300101)
    library.add("z305", READER + "UNS50", "01", "XX", 20300101)
    for key, status in (("01" + "777".ljust(20), "AC"), ("01" + "888".ljust(20), "NA"), ("02" + "999".ljust(20), "AC")):
        library.add("z308", key, READER, status)
    for place, kind in enumerate(types, start=1):
        lines = ("Ada Roux", f"{kind} rue Basse", "34999 MONTCLAR", "", "")
        library.add(
            "z304", f"{READER}{place:02d}", "".join(line.ljust(address_width) for line in lines), "34999",
            f"ada{kind}@example.org", "0465710001", "", "", "", "0600001201", 0, 0, kind,
        )  # fmt: skip
    write_sqlite(path, library)
    with closing(sqlite3.connect(path)) as connection, connection:
        for change in changes:
            connection.execute(change)


@pytest.mark.parametrize(
    ("types", "site", "street", "email"),
    [
        ((1, 2), {}, "2 rue Basse", "ada2@example.org"),
        ((2, 1), {}, "2 rue Basse", "ada2@example.org"),
        ((1, 2), {"address_types": [1, 2]}, "1 rue Basse", "ada1@example.org"),
        ((3, 1), {}, "1 rue Basse", "ada1@example.org"),
        ((3, 4), {}, "3 rue Basse", "ada3@example.org"),
        ((3, 4), {"address_types": [7, 8, 9, 4]}, "4 rue Basse", "ada4@example.org"),
        ((3, 4), {"other_address_types": False}, None, None),
        ((3, 1), {"other_address_types": False}, "1 rue Basse", "ada1@example.org"),
        ((), {}, None, None),
    ],
)
def test_the_types_of_addresses_and_their_order_are_the_sites(tmp_path, types, site, street, email):
    one_loan(tmp_path / "library.db", types=types)
    (row,) = asked(tmp_path / "library.db", AlephSettings(**site), due=ymd(due_day("C")))
    assert (row["address_1"], row["email"]) == (street, email)


NO_LINES = "z304_address = 'Ada Roux', z304_zip = ' '"
NO_PHONE = "z304_sms_number = NULL, z304_telephone = ' '"


@pytest.mark.parametrize(
    ("second", "street", "phones"),
    [
        (f"{NO_LINES}, {NO_PHONE}", "1 rue Basse", ("0600001201", "0465710001")),
        (NO_LINES, "1 rue Basse", ("0600001202", "0465710002")),
        (NO_PHONE, "2 rue Basse", ("0600001201", "0465710001")),
        ("z304_sms_number = ' '", "2 rue Basse", ("0600001201", "0465710001")),
        ("z304_address = 'Ada Roux'", None, ("0600001202", "0465710002")),
        ("z304_date_to = 20260101", "1 rue Basse", ("0600001201", "0465710001")),
    ],
    ids=["e-mail alone", "no line", "no telephone", "no number for SMS", "postcode alone", "over"],
)
def test_a_record_that_says_nothing_of_it_hides_neither_the_address_nor_the_telephone_of_another(
    tmp_path, second, street, phones
):
    """Of a mailing address (2), which comes before the permanent one (1)."""
    path = tmp_path / "library.db"
    numbers = (
        "UPDATE z304 SET z304_sms_number = '0600001202', z304_telephone = '0465710002' WHERE z304_address_type = 2"
    )
    one_loan(path, types=(1, 2), changes=[numbers, f"UPDATE z304 SET {second} WHERE z304_address_type = 2"])
    (row,) = asked(path, AlephSettings(), due=ymd(due_day("C")))
    assert (row["address_1"] or None, (row["phone_sms"], row["phone_1"])) == (street, phones)
    path.unlink()
    hold = f"INSERT INTO z37 VALUES ('{ITEM}0001', '{READER}', 'S', {ymd(TODAY)}, 'BULET')"
    one_loan(path, types=(1, 2), changes=[numbers, f"UPDATE z304 SET {second} WHERE z304_address_type = 2", Z37, hold])
    (hold_row,) = asked(path, AlephSettings(), name="notices/hold_arrived", due=ymd(TODAY), from_ymd=ymd(TODAY))
    assert (hold_row["phone_sms"], hold_row["phone_1"]) == phones


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("z304_telephone = NULL, z304_telephone_4 = '0600001204'", ("", "0600001204")),
        ("z304_telephone = NULL", ("0465710001", "")),
    ],
)
def test_a_release_without_sms_numbers_has_the_telephones_of_the_first_record_with_one(tmp_path, fields, told):
    path = tmp_path / "library.db"
    one_loan(path, types=(1, 2), changes=[
        "ALTER TABLE z304 DROP COLUMN z304_sms_number", f"UPDATE z304 SET {fields} WHERE z304_address_type = 2",
    ])  # fmt: skip
    (row,) = asked(path, AlephSettings(sms_number=False), due=ymd(due_day("C")))
    assert (row["phone_1"] or "", row["phone_4"] or "") == told


@pytest.mark.parametrize("width", [200, 50])
def test_the_width_of_an_address_line_is_the_sites(tmp_path, width):
    one_loan(tmp_path / "library.db", address_width=width)
    (row,) = asked(tmp_path / "library.db", AlephSettings(address_width=width), due=ymd(due_day("C")))
    assert [row[f"address_{place}"] or None for place in range(1, 5)] == ["1 rue Basse", "34999 MONTCLAR", None, None]


def test_a_release_without_sms_numbers_can_be_read(tmp_path):
    path = tmp_path / "library.db"
    one_loan(path, changes=["ALTER TABLE z304 DROP COLUMN z304_sms_number"])
    with pytest.raises(sqlite3.OperationalError, match="z304_sms_number"):
        asked(path, AlephSettings(), due=ymd(due_day("C")))
    (row,) = asked(path, AlephSettings(sms_number=False), due=ymd(due_day("C")))
    assert (row["phone_sms"], row["phone_1"]) == (None, "0465710001")


@pytest.mark.parametrize(
    ("site", "barcode"),
    [({}, "777"), ({"card_type": "02"}, "999"), ({"card_status": "NA"}, "888"), ({"card_type": "07"}, None)],
)
def test_the_card_that_counts_is_the_sites(tmp_path, site, barcode):
    one_loan(tmp_path / "library.db")
    (row,) = asked(tmp_path / "library.db", AlephSettings(**site), due=ymd(due_day("C")))
    assert row["patron_barcode"] == barcode


@pytest.mark.parametrize(
    ("statuses", "status", "listed"),
    [(["A"], "A", 1), (["A"], "L", 0), (["A", "L"], "L", 1), (["A", "C", "L"], "L", 1), (["C"], "A", 0)],
)
def test_the_statuses_of_what_is_on_loan_are_the_sites(tmp_path, statuses, status, listed):
    path, site = tmp_path / "library.db", AlephSettings(loan_statuses=statuses)
    one_loan(path, changes=[f"UPDATE z36 SET z36_status = '{status}'"])
    assert len(asked(path, site, due=ymd(due_day("C")))) == listed
    now = asked(path, site, due=0, name="loan_now", loan_key=ITEM, loan_number="1")
    assert now == [{"due_date": ymd(due_day("C")), "told": listed}]


def test_the_due_date_that_a_recall_brings_forward_counts_where_the_site_says_so(tmp_path):
    path, recalled = tmp_path / "library.db", AlephSettings(due_date="Z36_EFFECTIVE_DUE_DATE")
    one_loan(path, changes=["UPDATE z36 SET z36_effective_due_date = 20260225"])
    assert [row["due_date"] for row in asked(path, recalled, due=20260225)] == [20260225]
    assert asked(path, recalled, due=ymd(due_day("C"))) == []
    assert asked(path, AlephSettings(), due=20260225) == []
    now = {"name": "loan_now", "loan_key": ITEM, "loan_number": "1", "due": 0}
    assert [row["due_date"] for row in asked(path, recalled, **now)] == [20260225]
    assert [row["due_date"] for row in asked(path, AlephSettings(), **now)] == [ymd(date(2026, 3, 3))]


@pytest.mark.parametrize(("library", "kind"), [("ALEPH", "ET"), ("UNS50", "XX"), ("UNS5", None)])
def test_the_rights_are_those_in_the_library_of_the_settings(tmp_path, library, kind):
    one_loan(tmp_path / "library.db")
    binds = {"bor_library": library}
    (row,) = asked(tmp_path / "library.db", AlephSettings(), due=ymd(due_day("C")), **binds)
    assert row["patron_type"] == kind


@pytest.mark.parametrize("kept", ["M1", "M1".ljust(12)])
def test_a_key_that_lost_its_blanks_still_finds_its_reader(tmp_path, kept):
    """A synonym may stand for a view of the site that cuts them."""
    path = tmp_path / "library.db"
    one_loan(path, changes=[f"UPDATE z36 SET z36_id = '{kept}'"])
    (row,) = asked(path, AlephSettings(), due=ymd(due_day("C")))
    assert (row["patron_id"], row["last_name"], row["email"]) == ("M1", "Roux", "ada1@example.org")


def test_a_reader_whose_key_begins_like_anothers_is_not_mistaken_for_that_one(tmp_path):
    path = tmp_path / "library.db"
    one_loan(path, types=(), changes=[
        "INSERT INTO z304 (z304_rec_key, z304_email_address, z304_address_type) VALUES ('M10         01', 'x@y.z', 2)",
        "INSERT INTO z308 (z308_rec_key, z308_id, z308_status) VALUES ('01000', 'M10         ', 'AC')",
        "INSERT INTO z103 VALUES ('UNS500000000100001', 'UNS010000000010000')",
    ])  # fmt: skip
    (row,) = asked(path, AlephSettings(), due=ymd(due_day("C")))
    assert (row["email"], row["patron_barcode"], row["title"]) == (None, "777", None)
