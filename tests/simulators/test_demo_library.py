"""The fictional library: the same for the same seed, alive on every stage's day whatever the date."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from random import Random

import pytest

from loan_reminders.domain.recipients import MobileNumber
from sql.demo.contacts import MOBILE_BLOCK, mobile
from sql.demo.generator import STAGE_LOANS, build_library, loans_by_due_day, make_library
from sql.demo.oddities import ODDITIES, STAGE_DAYS
from sql.demo.oracle_script import literal, write_oracle_sql
from sql.demo.past import earlier_due, with_the_past
from sql.demo.tables import BINDS, TABLES
from tests.scenes.aleph import ALEPH_SQL, ymd

SUNDAY, LEAP_DAY, NEW_YEAR = date(2026, 3, 1), date(2028, 2, 29), date(2027, 1, 1)


def due_counts(path, today, days):
    with closing(sqlite3.connect(path)) as connection:
        return {
            day: len(
                connection.execute(
                    ALEPH_SQL, {**BINDS, "due_ymd": ymd(today + timedelta(days=day)), "today_ymd": ymd(today)}
                ).fetchall()
            )
            for day in days
        }


@pytest.mark.parametrize("today", [SUNDAY, LEAP_DAY, NEW_YEAR, date(2026, 8, 15)])
def test_every_stage_has_its_loans_on_any_day(tmp_path, today):
    path = tmp_path / "library.db"
    build_library(path, today=today, patrons=1000)
    assert due_counts(path, today, STAGE_LOANS) == STAGE_LOANS
    around = due_counts(path, today, [3, 1, -2, -7, -9, -14, -16])
    assert all(around.values())
    assert 380 < around[3] < 440


def test_the_same_seed_gives_the_same_rows_and_another_others():
    sizes = {"patrons": 200, "loans": 500}
    first = make_library(today=SUNDAY, seed=1, **sizes)
    assert make_library(today=SUNDAY, seed=1, **sizes).rows == first.rows
    assert make_library(today=SUNDAY, seed=2, **sizes).rows != first.rows
    assert make_library(today=LEAP_DAY, seed=1, **sizes).rows != first.rows


def test_the_usual_size():
    rows = make_library(today=SUNDAY).rows
    assert len(rows["z303"]) == pytest.approx(12_000, rel=0.03)
    assert len(rows["z36"]) == pytest.approx(7_500, rel=0.03)
    assert {row[3] for row in rows["z36"]} == {"BUDRT", "BULET", "BUSCI", "BUMED"}


def test_as_many_loans_as_asked_on_one_day(tmp_path):
    path = tmp_path / "library.db"
    build_library(path, today=SUNDAY, patrons=500, loans=750, due_loans={2: 3000})
    assert due_counts(path, SUNDAY, [2]) == {2: 3000}


def test_every_open_loan_began_before_today():
    for row in make_library(today=SUNDAY, patrons=300, loans=1500).rows["z36"]:
        if not str(row[1]).partition("-")[2]:
            assert int(row[5]) < ymd(SUNDAY)


def test_late_loans_melt_away():
    by_day = loans_by_due_day(7_500, Random(0))
    late = [by_day[day] for day in range(-1, -22, -5)]
    assert late == sorted(late, reverse=True)
    assert sum(by_day.values()) == pytest.approx(7_500, rel=0.03)


def test_oddities_have_identifiers_of_their_own_that_fit():
    patrons = [oddity.patron_id(stage) for oddity in ODDITIES for stage in oddity.on]
    assert len(patrons) == len(set(patrons))
    assert all(len(patron) <= 12 for patron in patrons)
    assert {stage for oddity in ODDITIES for stage in oddity.on} == set(STAGE_DAYS)


def test_the_rows_fit_the_columns_of_the_schema(tmp_path):
    """Oracle refuses a longer value (ORA-12899), SQLite takes any."""
    path = tmp_path / "library.db"
    build_library(path, today=SUNDAY, patrons=300, loans=750)
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in TABLES.items():
            declared = connection.execute(f"PRAGMA table_info({table})").fetchall()
            assert [column[1] for column in declared] == [f"{table}_{column}" for column in columns]
            for _, name, kind, *_ in declared:
                limit = int(re.search(r"\d+", kind.partition("(")[2])[0])
                (longest,) = connection.execute(f"SELECT MAX(LENGTH({name})) FROM {table}").fetchone()
                assert (longest or 0) <= limit, name


def test_every_e_mail_domain_is_kept_for_examples_or_none_at_all():
    kept = ("etu.example.org", "univ.example.org", "courriel.example", "example.org", "mail", "etudiants.universite")
    for row in make_library(today=SUNDAY, patrons=2000, loans=100).rows["z304"]:
        for domain in re.findall(r"@ ?([\w.,-]*\w)", str(row[3]).lower()):
            assert any(full.startswith(domain.replace(",", ".")) for full in kept), row[3]


def test_a_mobile_number_stays_in_its_block_and_can_be_read():
    for seed in range(300):
        number = mobile(Random(seed))
        assert len(number) <= 30
        assert MobileNumber.parse(number).value.startswith("33" + MOBILE_BLOCK[1:]), number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        ("", "NULL"),
        (20260301, "20260301"),
        ("O'Neil", "'O''Neil'"),
        ("é'x", r"UNISTR('\00E9''x')"),
        ("a\\b", r"'a\b'"),
        ("é\\", r"UNISTR('\00E9\005C')"),
        ("🌈", r"UNISTR('\D83C\DF08')"),
        ("a\r\nb", r"UNISTR('a\000D\000Ab')"),
    ],
)
def test_an_oracle_literal(value, expected):
    assert literal(value) == expected


def test_the_script_for_oracle_is_ascii_with_short_lines_and_an_insert_a_row(tmp_path):
    library = make_library(today=SUNDAY, patrons=50, loans=75)
    path = tmp_path / "library.sql"
    write_oracle_sql(path, library, schema="ILS")
    text = path.read_bytes().decode("ascii")
    lines = text.splitlines()
    assert max(map(len, lines)) < 2_499  # the most SQL*Plus reads
    assert not any(line.endswith("-") for line in lines)  # SQL*Plus would join the next
    assert text.count("INSERT INTO z") == sum(map(len, library.rows.values()))
    assert "SET DEFINE OFF" in lines
    assert "CHAR(12 CHAR)" in text
    assert "VARCHAR2(200)" not in text
    assert "ALTER SESSION SET CURRENT_SCHEMA = ILS;" in lines
    assert lines[-2:] == ["COMMIT;", "EXIT"]


def test_what_was_lent_before_is_of_the_same_readers_and_leaves_today_as_it_is():
    sizes = {"seed": 1, "patrons": 600, "loans": 500}
    now = make_library(today=SUNDAY, **sizes)
    library, fates = with_the_past(today=SUNDAY, days=60, **sizes)
    for table, rows in now.rows.items():
        assert library.rows[table][: len(rows)] == rows
    assert library.rows["z303"] == now.rows["z303"]
    added = library.rows["z36"][len(now.rows["z36"]) :]
    assert {f"{row[0]}-{row[2]}" for row in added} == fates.keys()
    assert {row[1] for row in added} <= {row[0] for row in now.rows["z303"]}
    assert len({row[0] for row in library.rows["z36"]}) == len(library.rows["z36"])
    assert all(fate.back_on is not None and fate.back_on < SUNDAY for fate in fates.values())
    assert {fate.renewed_on is None for fate in fates.values()} == {True, False}
    assert with_the_past(today=SUNDAY, days=60, **sizes)[1] == fates


def test_a_loan_renewed_had_an_earlier_due_date_unless_it_was_too_young():
    due = date(2026, 3, 1)
    assert earlier_due(due=due, loan_date=date(2026, 1, 20), renewals=1) == date(2026, 2, 8)
    assert earlier_due(due=due, loan_date=date(2026, 2, 7), renewals=1) is None
    assert earlier_due(due=due, loan_date=date(2026, 1, 20), renewals=0) is None
