"""PostgreSQL knows no sizes of a new ledger: what it then takes for equal must not be slow.

Without sizes each index looks as good as another, and a whole library looks like one row.
"""

from __future__ import annotations

import pytest
from sqlalchemy import TextClause
from sqlalchemy.dialects import postgresql

from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sms import replies, settling
from loan_reminders.ledger.statistics import counting
from loan_reminders.ledger.suppressions import numbers_reached, shown_list, suppression_list
from tests.scenes.ledger_runs import opened
from tests.simulators.postgres import EmbeddedPostgres

_DIALECT = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def plan(ledger: PostgresLedger, statement: TextClause) -> str:
    asked = str(statement.compile(dialect=_DIALECT))
    with ledger.engine.connect() as connection:
        lines = connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN, COSTS OFF) {asked}".replace("%", "%%"))
        return "\n".join(lines.scalars())


@pytest.mark.parametrize(
    "statement",
    [
        numbers_reached._REACHED, suppression_list._DEAD, settling._SETTLE, replies._LAST_SMS,
        shown_list._LISTED[True], shown_list._SUMMARY,
    ],
    ids=["first SMS", "dead numbers", "receipts", "replies", "list", "sums"],
)  # fmt: skip
def test_the_sms_of_a_number_are_found_by_the_number(ledger: PostgresLedger, statement: TextClause) -> None:
    found = plan(ledger, statement)
    assert "sms_of_number" in found, found
    assert "claimed_sms" not in found, found


def test_the_end_of_each_loan_told_of_is_found_by_its_key(ledger: PostgresLedger) -> None:
    found = plan(ledger, counting._COUNT_RETURNS)
    _, _, ends = found.partition(" on loan_ends")
    condition = next(line for line in ends.splitlines() if "Index Cond" in line)
    assert "loan_id =" in condition, found


def test_who_sends_first_lets_postgresql_learn_the_sizes(postgres_server: EmbeddedPostgres, own_ledger: str) -> None:
    """By what it knows before, each claim would read all e-mails of the library."""
    with connect(postgres_server.url(own_ledger), library="demo") as ledger:
        run = opened(ledger)
        with ledger.sender(run.run_id, Channel.EMAIL):
            pass
    unknown = "SELECT count(*) FROM pg_class WHERE relname IN ('deliveries', 'notices') AND reltuples < 0"
    assert postgres_server.execute(unknown, database=own_ledger) == [(0,)]
