"""On a ledger of two million rows a table, no page and no run reads a large table from end to end."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import TextClause
from sqlalchemy.dialects import postgresql

import loan_reminders.ledger as room
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sms import costs as sms_costs
from tests.scenes.asked import EVERYTHING
from tests.scenes.old_ledger import LARGE, grow_old
from tests.scenes.query_plans import Plans, planned
from tests.simulators.postgres import EmbeddedPostgres

_DIALECT = postgresql.psycopg.dialect()
SHORT_WAYS = (
    "sms_acks_to_settle", "sms_replies_to_settle", "sms_replies_to_read", "mail_bounces_to_settle",
    "suppressions_in_force", "one_in_force", "suppressions_by_age", "mail_bounces_held", "deliveries_not_arrived",
    "corrections_open", "journal_by_age", "journal_of_person", "runs_open", "letter_batches_waiting",
)  # fmt: skip
"""Indexes of what waits, is held, did not arrive or is in force: short however old the ledger is.

`suppressions_by_age`, `journal_by_age` and `journal_of_person` are read in their order, up to a limit."""
QUESTIONS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


@pytest.fixture(scope="module")
def old(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[PostgresLedger]:
    name = postgres_server.create_database(template=ledger_template)
    grow_old(postgres_server, name)
    with connect(postgres_server.url(name), library="demo") as opened:
        yield opened
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def plans(old: PostgresLedger) -> Plans:
    """Everything that pages and runs ask, asked once."""
    with planned(old.engine, large=LARGE, small=SHORT_WAYS) as seen:
        for ask in EVERYTHING:
            ask(old)
    return seen


def test_no_large_table_is_read_from_end_to_end(plans: Plans) -> None:
    assert len(plans.statements) > 80
    assert not plans.scans, "\n".join(f"{what}: {statement}" for what, statement in plans.scans.items())


def test_every_question_of_the_ledger_was_asked(plans: Plans) -> None:
    asked = {_bare(statement) for statement in plans.statements}
    missing = []
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        found = {} if module.ispkg else vars(importlib.import_module(module.name))
        missing += [
            f"{module.name.rpartition('.')[2]}.{name}"
            for name, value in found.items()
            if isinstance(value, TextClause)
            and str(value).lstrip().startswith(QUESTIONS)
            and "_lock(" not in str(value)
            and _bare(str(value.compile(dialect=_DIALECT))) not in asked
        ]
    assert not missing, " ".join(missing)


def _bare(statement: str) -> str:
    return " ".join(statement.split())


def test_a_missing_index_is_seen(old: PostgresLedger) -> None:
    with old.engine.connect() as connection, planned(old.engine, large=LARGE, small=SHORT_WAYS) as seen:
        connection.exec_driver_sql("DROP INDEX claimed_sms, loans_seen_of_barcode")
        old_way = {"library": "demo", "since": datetime.now(UTC)}
        connection.execute(sms_costs._NUMBERS_SINCE, old_way)
        connection.rollback()
    assert "deliveries" in " ".join(seen.scans)
