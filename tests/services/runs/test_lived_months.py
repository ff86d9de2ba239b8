"""The months that `make up` shows: each moment is of its day, and today's loans went through what they should."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from loan_reminders.services.sms.feedback import ASKED_FOR
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.lived import months

TODAY = date(2026, 11, 28)
FIRST = TODAY - timedelta(days=10)
MOMENTS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
    ORDER BY table_name, column_name
"""
DEFAULTS = """
    SELECT table_name, column_name, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND column_default LIKE '%now()%' ORDER BY table_name, column_name
"""


@pytest.fixture(scope="module")
def lived(postgres_server, ledger_template, tmp_path_factory):
    """Ten days of a small library, the last evening yesterday's; and the ledger as it was before."""
    name = postgres_server.create_database(template=ledger_template)
    url = postgres_server.url(name)
    with pytest.MonkeyPatch.context() as smaller, psycopg.connect(url, autocommit=True) as connection:
        smaller.setattr(months, "SIZES", {"patrons": 900, "loans": 1000})
        before = connection.execute(DEFAULTS).fetchall()
        said: list[str] = []
        folder = tmp_path_factory.mktemp("letters")
        months.live(url, folder, today=TODAY, days=10, say=said.append)
        yield {"url": url, "rows": connection.execute, "before": before, "said": said, "letters": folder}
    postgres_server.drop_database(name)


def test_every_moment_is_of_a_lived_day(lived):
    first, last = datetime.combine(FIRST, datetime.min.time(), UTC), datetime.combine(TODAY, datetime.min.time(), UTC)
    moments = [(table, column) for table, column in lived["rows"](MOMENTS)]
    assert ("deliveries", "claimed_at") in moments
    filled = 0
    for table, column in moments:
        early, late, number = lived["rows"](
            f"SELECT min({column}), max({column}), count({column}) FROM {table}"
        ).fetchone()
        filled += bool(number)
        if number and (table, column) != ("suppressions", "until"):
            assert first <= early <= late < last, (table, column)
    assert filled > 12


def test_the_ledger_has_its_own_clock_back(lived):
    assert lived["rows"](DEFAULTS).fetchall() == lived["before"]
    assert lived["rows"]("SELECT count(*) FROM pg_namespace WHERE nspname = 'lived'").fetchone() == (0,)


def test_each_stage_ran_each_day_but_the_one_nobody_caught_up(lived):
    ran = set(lived["rows"]("SELECT stage, reference_date FROM runs WHERE balanced").fetchall())
    expected = {(stage.value, FIRST + timedelta(days=day)) for stage in Stage for day in range(10)}
    assert expected - ran == {("first_reminder", TODAY - timedelta(days=months.MISSED))}
    assert ran <= expected
    assert lived["rows"]("SELECT count(*) FROM runs WHERE balanced IS NOT TRUE").fetchone() == (0,)


def test_a_loan_that_is_late_today_had_what_it_should(lived):
    """Loans due eight days ago had their courtesy notice when the days begin, and the next one on its own day."""
    due = TODAY - timedelta(days=8)
    rows = lived["rows"](
        "SELECT DISTINCT notices.stage, today FROM runs JOIN notices USING (run_id)"
        " JOIN deliveries USING (notice_id) WHERE notices.due_date = %s AND deliveries.state <> 'cancelled'",
        (due,),
    ).fetchall()
    assert ("courtesy_notice", due - timedelta(days=2)) in rows
    assert ("overdue_notice", due + timedelta(days=1)) in rows or (due + timedelta(days=1)).weekday() == months.SUNDAY


def test_letters_can_be_opened_and_registered_letters_are_at_several_steps(lived):
    batches = lived["rows"]("SELECT pdf FROM letter_batches WHERE state <> 'abandoned'").fetchall()
    assert batches
    for (pdf,) in batches:
        assert (lived["letters"] / pdf).read_bytes().startswith(b"%PDF-")
    steps = {state for (state,) in lived["rows"]("SELECT DISTINCT state FROM registered_letters")}
    assert {"to_print", "posted"} <= steps


def test_a_line_a_week_and_what_is_left_of_the_credit(lived):
    assert sum("semaine jusqu'au" in line for line in lived["said"]) == 2
    (left,) = {int(line.rpartition(" ")[2]) for line in lived["said"][-1:]}
    (spent,) = lived["rows"]("SELECT sum(segments) FROM deliveries WHERE channel = 'sms'").fetchone()
    assert 0 < spent <= 10_000 - left


def test_todays_runs_need_not_ask_about_sms_of_the_days_lived(lived):
    """Their provider was in memory: the one that is running knows nothing of them."""
    waiting = (
        "SELECT count(*) FROM deliveries"
        " WHERE channel = 'sms' AND state = 'accepted' AND campaign_id <> '' AND claimed_at > %s"
    )
    asked_about = datetime.combine(TODAY, datetime.min.time(), UTC) - ASKED_FOR
    assert lived["rows"](waiting, (asked_about,)).fetchone() == (0,)
    assert lived["rows"]("SELECT count(*) > 0 FROM deliveries WHERE state = 'delivered'").fetchone() == (True,)


def test_the_figures_counted_on_the_last_evening_are_those_of_a_recount(lived):
    """Comes last: a recount leaves a line of today in the journal."""

    def figures():
        return [
            lived["rows"](f"SELECT * FROM {table} ORDER BY CAST({table} AS text)").fetchall()
            for table in ("message_counters", "return_counters")
        ]

    counted = figures()
    assert all(counted)
    with connect(lived["url"], library=read_settings(ROOT / "library.toml").library.code) as ledger:
        for _ in ledger.part(PostgresCounters).rebuild(who="zoé"):
            pass
    assert figures() == counted
