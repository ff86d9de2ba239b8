"""A program looks whether the tables are its own: a task once, a web server again and again, almost for nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from loan_reminders.domain.errors import LedgerRefused
from loan_reminders.ledger import schema
from loan_reminders.ledger.connect import connect
from tests.scenes.ledger_runs import upgraded

DAY = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def for_pages(ledger_url):
    with connect(ledger_url, library="demo", for_pages=True) as opened:
        yield opened


def test_an_upgrade_is_noticed_by_what_stays_open_for_weeks(ledger, for_pages, monkeypatch):
    for_pages.feedback().campaigns_to_ask(DAY)
    monkeypatch.setattr(schema, "CHECKED_AGAIN_S", 0)
    with upgraded(ledger):
        for _ in range(2):
            with pytest.raises(LedgerRefused):
                for_pages.feedback().campaigns_to_ask(DAY)
    for_pages.feedback().campaigns_to_ask(DAY)


def test_a_task_under_way_records_what_it_sent(ledger, monkeypatch):
    ledger.feedback().campaigns_to_ask(DAY)
    monkeypatch.setattr(schema, "CHECKED_AGAIN_S", 0)
    with upgraded(ledger):
        ledger.feedback().campaigns_to_ask(DAY)


def test_many_questions_within_some_seconds_look_once(for_pages):
    asked = []
    event.listen(for_pages.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    for _ in range(20):
        for_pages.feedback().campaigns_to_ask(DAY)
    assert len([one for one in asked if "reminders_alembic_version" in one]) == 1
