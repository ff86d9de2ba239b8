"""A month of a library day by day: at its end everybody who is late was told, or is on the desk's list."""

from __future__ import annotations

import pytest

from loan_reminders.ledger.connect import connect
from tests.sample_sizes import sample
from tests.scenes.month import Month

LIBRARIES = sample(1, full=20)


@pytest.mark.parametrize("seed", range(LIBRARIES))
def test_everybody_who_is_late_was_told_or_is_at_the_desk(postgres_server, ledger_template, seed):
    database = postgres_server.create_database(template=ledger_template)
    try:
        with connect(postgres_server.url(database), library="demo") as ledger:
            month = Month(ledger=ledger, seed=seed)
            month.live()
            assert month.kills > 5
            assert len(month.overdue()) > 3
            assert month.untold() == set()
            assert month.doubled() == []
            assert month.library.untrue == []
    finally:
        postgres_server.drop_database(database)
