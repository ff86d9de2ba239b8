"""Two libraries with the same readers, loans, barcodes, addresses and numbers in one ledger: neither sees the other.

Everything that runs, pages and nights ask of a ledger (`asked`, which a test of its own keeps complete) is asked for a
library alone, and for it where another library did the same before: every statement gives as many rows, and no row of
the other library changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sender_sql import LEARN_SIZES, SIZES_UNKNOWN
from loan_reminders.ledger.tables import metadata
from tests.scenes.asked import EVERYTHING

OURS, NEIGHBOUR = "demo", "voisine"
OF_ALL = frozenset({"alembic_version"})
Told = tuple[str, int]


@contextmanager
def answers(ledger: PostgresLedger) -> Iterator[list[Told]]:
    """Each statement that is executed meanwhile, with the number of rows that it gave or changed."""
    told: list[Told] = []

    def note(_connection, cursor, statement, *_):
        told.append((" ".join(statement.split()), cursor.rowcount))

    event.listen(ledger.engine, "after_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(ledger.engine, "after_cursor_execute", note)


def asked_everything(ledger: PostgresLedger) -> list[Told]:
    with answers(ledger) as told:
        for ask in EVERYTHING:
            ask(ledger)
    return told


OF_THE_SERVER = {" ".join(str(one).split()) for one in (SIZES_UNKNOWN, LEARN_SIZES)}
"""About tables, not rows: what is answered depends on who sent first."""


def most_rows(told: list[Told]) -> dict[str, int]:
    """The most rows of each statement: how often one is asked may depend on the moment."""
    found: dict[str, int] = {}
    for statement, number in told:
        if statement not in OF_THE_SERVER:
            found[statement] = max(number, found.get(statement, -1))
    return found


def rows_of(ledger: PostgresLedger, library: str) -> dict[str, list[str]]:
    """Every row of a library, in every table, as text."""
    with ledger.engine.connect() as connection:
        return {
            table.name: sorted(
                connection.exec_driver_sql(
                    f"SELECT CAST({table.name} AS text) FROM {table.name} WHERE library = %(library)s",
                    {"library": library},
                ).scalars()
            )
            for table in metadata.sorted_tables
            if "library" in table.c
        }


def test_every_table_says_of_which_library_a_row_is():
    assert {table.name for table in metadata.sorted_tables if "library" not in table.c} <= OF_ALL


@pytest.fixture(scope="module")
def alone(postgres_server, ledger_template) -> Iterator[list[Told]]:
    """What a library is answered that is alone in its ledger."""
    name = postgres_server.create_database(template=ledger_template)
    with connect(postgres_server.url(name), library=OURS) as ledger:
        yield asked_everything(ledger)
    postgres_server.drop_database(name)


def test_a_library_is_answered_as_if_the_other_were_not_there_and_changes_nothing_of_it(
    postgres_server, own_ledger, alone
):
    url = postgres_server.url(own_ledger)
    with connect(url, library=NEIGHBOUR) as theirs, connect(url, library=OURS) as ours:
        asked_everything(theirs)
        before = rows_of(theirs, NEIGHBOUR)
        assert sum(map(len, before.values())) > 100
        together = asked_everything(ours)
        after = rows_of(theirs, NEIGHBOUR)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == set()
    assert len(alone) > 200
    ours_alone, with_a_neighbour = most_rows(alone), most_rows(together)
    assert with_a_neighbour.keys() == ours_alone.keys()
    different = [
        f"{number} rows alone, {with_a_neighbour[statement]} with a neighbour: {statement[:200]}"
        for statement, number in ours_alone.items()
        if with_a_neighbour[statement] != number
    ]
    assert different == []
