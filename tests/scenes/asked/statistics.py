"""The figures: counted when runs close, learnt at night, read by the page, made again."""

from __future__ import annotations

from datetime import date, timedelta

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.statistics.effect import Change, Findings, Verdict
from loan_reminders.domain.statistics.figures import Asked, Grain
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.costs import PostgresCosts
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.ledger.statistics.figures import PostgresFigures
from loan_reminders.ledger.statistics.holdbacks import keep_holdback
from loan_reminders.ledger.statistics.looks import PostgresLoanEnds
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from tests.scenes.ledger_runs import planned, some_deliveries


def figures(ledger: PostgresLedger) -> None:
    """One night, then the page, and the first run of those that are counted anew."""
    run = planned(ledger, some_deliveries(3, prefix="look"), dag_run_id="run look")
    ledger.close_run(run.run_id)
    nights, today = ledger.part(PostgresLoanEnds), run.today
    assert nights.how_many() > 1
    one, two = nights.followed(after=None, page=2)
    nights.followed(after=two, page=2)
    nights.record(today=today, still_open=[one], ended={two: LoanEnd.RETURNED})
    nights.give_up(before=date(2020, 1, 1), today=today)
    nights.looked(today=today, since=today, asked=2, ended=1)
    ours = ledger.part(PostgresFigures)
    narrow = {"stage": Stage.OVERDUE_NOTICE, "channel": Channel.SMS, "branch": "SJA", "category": PatronCategory.OTHER}
    for more in ({}, narrow):
        asked = Asked(first=date(2026, 1, 1), last=date(2026, 12, 31), grain=Grain.WEEK, zone="Europe/Paris", **more)
        ours.messages(asked)
        ours.returns(asked)
        ours.overdue(asked)
    ours.freshness()
    effect = ledger.part(PostgresEffect)
    held_back = Holdback(share=0.5, first=today, last=today, seed="graine")
    with ledger.engine.begin() as connection:
        keep_holdback(connection, ledger.library, held_back)
    # The first night of all reads everything there is; the others only what still changes.
    effect.keep(Findings(day=today - timedelta(days=1), change=Change(verdict=Verdict.NO_DAY)))
    effect.count(today=today, current=None)
    effect.counts(since=today, zone="Europe/Paris")
    assert effect.newest() is not None
    ledger.part(PostgresCosts).counted(first=date(2026, 1, 1), last=date(2026, 12, 31), zone="Europe/Paris")
    next(ledger.part(PostgresCounters).rebuild(who="zoé"))
