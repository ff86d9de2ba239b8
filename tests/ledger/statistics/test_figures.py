"""Figures out of the counters, by day, narrowed and cut as a page asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from loan_reminders.domain.stages import Channel, PatronCategory
from loan_reminders.domain.statistics.figures import Asked, Cut, Grain
from loan_reminders.ledger.statistics.figures import PostgresFigures
from tests.scenes.ledger_emails import mailed
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import left
from tests.scenes.world import SETTINGS


def test_the_cost_is_that_of_the_command_of_costs_day_by_day(ledger):
    zone = "Europe/Paris"
    moments = ("2026-11-26 22:59Z", "2026-11-26 23:01Z", "2026-10-25 00:30Z", "2026-10-25 01:30Z", "2026-11-27 10:07Z")
    for number, moment in enumerate(moments):  # the last ones cost what nobody told
        one = left(ledger, f"3363998{number:04d}", campaign=f"c{number}")
        query = "UPDATE deliveries SET claimed_at = :at, segments = :n, cost = :cost * :n WHERE delivery_id = :one"
        rows(ledger, query, at=moment, n=number % 2 + 1, one=one, cost=0.05812 if number < 3 else 0)
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)
    first, last = date(2026, 10, 1), date(2026, 11, 30)
    by_day: dict[str, float] = {}
    unpriced: dict[str, int] = {}
    for line in ledger.sms_costs(first=first, last=last, zone=zone):
        by_day[line.day.isoformat()] = by_day.get(line.day.isoformat(), 0) + line.cost
        unpriced[line.day.isoformat()] = unpriced.get(line.day.isoformat(), 0) + line.unpriced
    asked = Asked(first=first, last=last, grain=Grain.DAY, zone=zone)
    found = ledger.part(PostgresFigures).messages(asked)
    assert {day: one.cost for day, one in found.by[Cut.PERIOD].items()} == pytest.approx(by_day)
    assert {day: one.unpriced for day, one in found.by[Cut.PERIOD].items()} == unpriced
    assert unpriced == {"2026-10-25": 2, "2026-11-26": 0, "2026-11-27": 1}
    assert found.total.unpriced == 3
    assert found.total.cost == pytest.approx(sum(by_day.values()))


def test_figures_are_narrowed_and_cut_as_asked(ledger):
    left(ledger, "33639980001", campaign="a")
    mailed(ledger)
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)
    today = datetime.now(SETTINGS.zone).date()
    asked = Asked(first=today, last=today, grain=Grain.MONTH, zone="Europe/Paris")
    figures = ledger.part(PostgresFigures)
    assert figures.messages(asked).total.told == 2
    assert figures.messages(replace(asked, channel=Channel.SMS)).total.told == 1
    assert figures.messages(replace(asked, branch="nowhere")).total.told == 0
    assert figures.messages(replace(asked, category=PatronCategory.STAFF)).total.told == 0
    by = figures.messages(asked).by
    assert {key: one.told for key, one in by[Cut.CHANNEL].items()} == {"email": 1, "sms": 1}
    assert {key: one.told for key, one in by[Cut.BRANCH].items()} == {"SJA": 2}
    assert set(by[Cut.PERIOD]) == {today.replace(day=1).isoformat()}
