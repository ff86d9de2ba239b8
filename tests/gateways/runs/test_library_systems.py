"""Koha, Sierra and PMB on real servers: each tells of the golden loans, of all of them and of no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan
from sql.demo.generator import make_library
from sql.demo.oddities import STAGE_DAYS
from tests.scenes.aleph import MINORS, TODAY, due_day
from tests.scenes.library_systems import SYSTEMS, database_of, told

NAMES = [system.name for system in SYSTEMS]


@pytest.fixture(scope="module")
def golden():
    return make_library(today=TODAY, patrons=300, loans=1500)


@pytest.fixture(scope="module", params=SYSTEMS, ids=NAMES)
def system(request):
    return request.param


@pytest.fixture(scope="module")
def server(request, system):
    return request.getfixturevalue("mariadb_server" if system.engine == "mariadb" else "postgres_server")


@pytest.fixture(scope="module")
def database(system, server, golden):
    with database_of(system, server, system.tables(golden, today=TODAY)) as database:
        yield database


@pytest.fixture(scope="module")
def source(system, database):
    return system.source(database)


@pytest.mark.parametrize("stage", STAGE_DAYS)
def test_the_golden_loans_of_a_stage(system, source, golden, stage):
    expected = system.expected(golden, due_day(stage))
    found = {loan.loan_id: loan for loan in source.loans_due(due_day(stage), today=TODAY)}
    assert found.keys() == expected.keys()
    assert len(found) > 3
    for loan_id, loan in found.items():
        assert told(loan) == told(expected[loan_id])


def test_every_loan_once_and_the_days_around_are_others(source, golden):
    days = [TODAY + timedelta(days=day) for day in range(-60, 40)]
    ids = [loan_id for day in days for loan_id in source.loan_ids_due(day, today=TODAY)]
    assert len(ids) == len(set(ids)) > 1400


def test_the_present_due_date_of_each_loan_is_the_one_it_came_with(source):
    loans = [loan for loan in source.loans_due(due_day("O"), today=TODAY) if isinstance(loan, Loan)]
    assert source.due_dates_now([loan.loan_id for loan in loans]) == {loan.loan_id: loan.due_date for loan in loans}


def test_a_loan_of_another_system_is_not_found_and_stops_nobody(source):
    other = ["001300434000001-217", "ITEM", "f3a1b2c4-9d-1", "9" * 30, "0", "12abc"]
    (ours,) = list(source.loan_ids_due(due_day("R"), today=TODAY))[:1]
    assert source.due_dates_now([*other, ours]) == {ours: due_day("R")}


BIRTHS = {
    "koha": ("borrowers", "dateofbirth"),
    "sierra": ("sierra_view.patron_record", "birth_date_gmt"),
    "pmb": ("empr", "empr_year"),
}


def test_who_is_a_minor_is_told_where_it_is_asked_and_else_no_birth_date_is_read(system, server, database, golden):
    asking, day = system.source(database, consent=MINORS), due_day("C")
    expected = system.expected(golden, day, consent=MINORS)
    assert {one.loan_id: told(one) for one in asking.loans_due(day, today=TODAY)} == {
        loan_id: told(one) for loan_id, one in expected.items()
    }
    assert {one.patron.minor for one in expected.values() if isinstance(one, Loan)} == {True, False}
    table, column = BIRTHS[system.name]
    server.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO hidden", database=database.name)
    try:
        assert len(list(system.source(database).loans_due(day, today=TODAY))) == len(expected)
        with pytest.raises(IlsRejected, match=column):
            list(asking.loans_due(day, today=TODAY))
    finally:
        server.execute(f"ALTER TABLE {table} RENAME COLUMN hidden TO {column}", database=database.name)
