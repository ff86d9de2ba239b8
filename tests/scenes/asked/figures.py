"""Everything that the figures ask of the ledger, asked once."""

from __future__ import annotations

from datetime import date

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.statistics.figures import Asked, Grain
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.journal import PostgresJournal
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.statistics.figures import PostgresFigures
from loan_reminders.ledger.statistics.rebuilding import PostgresCounters
from tests.scenes.ledger_runs import rows

ZONE = "Europe/Paris"


def statistics(ledger: PostgresLedger) -> None:
    """The page of figures, the nightly look, and the first run of a rebuilding; the old runs are counted already."""
    rows(ledger, "INSERT INTO counted_runs (run_id, library) SELECT run_id, library FROM runs"
         " WHERE dag_run_id LIKE 'old %' ON CONFLICT DO NOTHING")  # fmt: skip
    ends, today = ledger.loan_ends(), date.today()
    ends.learn()
    ends.give_up(before=date(2020, 1, 1), today=today)
    ends.how_many()
    followed = ends.followed(after=None, page=2)
    ends.record(today=today, still_open=followed[:1], ended=dict.fromkeys(followed[1:], LoanEnd.RETURNED))
    ends.looked(today=today, since=today, asked=2, ended=1)
    asked = Asked(first=date(2026, 1, 1), last=today, grain=Grain.WEEK, zone=ZONE)
    figures = ledger.part(PostgresFigures)
    figures.messages(asked)
    figures.returns(asked)
    figures.overdue(asked)
    figures.freshness()
    next(ledger.part(PostgresCounters).rebuild(who="zoé"))
    ledger.part(PostgresJournal).keep(who="zoé", act=JournalAct.COUNTERS_REBUILT)
