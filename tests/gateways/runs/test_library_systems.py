"""Koha, Sierra and PMB on real servers: each tells of the golden loans, of all of them and of no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.loans import Loan
from sql.demo.generator import make_library
from sql.demo.oddities import STAGE_DAYS
from tests.scenes.aleph import TODAY, due_day
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
def source(system, server, golden):
    with database_of(system, server, system.tables(golden, today=TODAY)) as database:
        yield system.source(database)


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
