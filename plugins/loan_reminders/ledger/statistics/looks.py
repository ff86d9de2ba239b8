"""The nightly look at the loans that are not known to have ended: which these are, and what the ILS says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.ledger.statistics import counting
from loan_reminders.ledger.statistics.loan_ends import count_overdue

_GIVE_UP = text("""
    UPDATE loan_ends SET ended_on = :today, how = 'given_up'
    WHERE library = :library AND ended_on IS NULL AND is_loan AND due_date < :before
""")
_FOLLOWED = text("""
    SELECT loan_id, due_date FROM loan_ends
    WHERE library = :library AND ended_on IS NULL AND is_loan AND (loan_id, due_date) > (:loan_id, :due_date)
    ORDER BY loan_id, due_date LIMIT :page
""")
_HOW_MANY = text("SELECT count(*) FROM loan_ends WHERE library = :library AND ended_on IS NULL AND is_loan")
_STILL_OPEN = text("""
    UPDATE loan_ends known SET open_on = :today
    FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[])) AS asked(loan_id, due_date)
    WHERE known.library = :library AND known.loan_id = asked.loan_id AND known.due_date = asked.due_date
      AND known.ended_on IS NULL AND known.open_on < :today
""")
_ENDED = text("""
    UPDATE loan_ends known SET ended_on = :today, how = asked.how
    FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[]), CAST(:how AS text[]))
        AS asked(loan_id, due_date, how)
    WHERE known.library = :library AND known.loan_id = asked.loan_id AND known.due_date = asked.due_date
      AND known.ended_on IS NULL
""")
# Whoever closes a run writes the loans it saw in this order too.
_HOLD = text("""
    SELECT known.loan_id FROM loan_ends known
    JOIN unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[])) AS asked(loan_id, due_date)
      ON known.library = :library AND known.loan_id = asked.loan_id AND known.due_date = asked.due_date
    ORDER BY known.loan_id, known.due_date FOR NO KEY UPDATE OF known
""")
_LOOKED = text("""
    INSERT INTO loan_looks AS look (library, day, asked, ended) VALUES (:library, :today, :asked, :ended)
    ON CONFLICT (library, day) DO UPDATE SET at = now(), asked = look.asked + :asked, ended = look.ended + :ended
""")
Transaction = Callable[[], AbstractContextManager[Connection]]


class PostgresLoanEnds:
    """The part of one library's ledger where the ends of loans are kept. Fulfils `LoanEnds`."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def learn(self) -> int:
        """Count the runs that never were, with what they say of their loans, each in a transaction; how many."""
        with self._transaction() as connection:
            runs = counting.not_counted(connection, self._library)
        for run_id in runs:
            with self._transaction() as connection:
                counting.count_closed(connection, self._library, run_id)
        return len(runs)

    def give_up(self, *, before: date, today: date) -> int:
        """Follow no more the loans that were due before a day; returns how many."""
        with self._transaction() as connection:
            asked = {"library": self._library, "before": before, "today": today}
            return connection.execute(_GIVE_UP, asked).rowcount

    def how_many(self) -> int:
        """How many loans are followed."""
        with self._transaction() as connection:
            return int(connection.execute(_HOW_MANY, {"library": self._library}).scalar_one())

    def followed(self, *, after: LoanKey | None, page: int) -> Sequence[LoanKey]:
        """Loans not known to have ended, by their number, `page` at most, after one of them."""
        asked = {
            "library": self._library,
            "loan_id": "" if after is None else after.loan_id,
            "due_date": date.min if after is None else after.due_date,
            "page": page,
        }
        with self._transaction() as connection:
            return tuple(
                LoanKey(loan_id=row.loan_id, due_date=row.due_date) for row in connection.execute(_FOLLOWED, asked)
            )

    def record(self, *, today: date, still_open: Sequence[LoanKey], ended: Mapping[LoanKey, LoanEnd]) -> None:
        """Keep what the ILS says of some loans, in one transaction."""
        asked = {"library": self._library, "today": today}
        with self._transaction() as connection:
            connection.execute(_HOLD, {**asked, **_columns([*still_open, *ended])})
            connection.execute(_STILL_OPEN, {**asked, **_columns(still_open)})
            ends = {**_columns(list(ended)), "how": [how.value for how in ended.values()]}
            connection.execute(_ENDED, {**asked, **ends})

    def looked(self, *, today: date, since: date, asked: int, ended: int) -> None:
        """Keep that all loans were asked about, and count what it changes: overdue loans, returns of runs since a day.

        Runs are counted a few at a time, so that nobody who closes one waits long.
        """
        with self._transaction() as connection:
            look = {"library": self._library, "today": today, "asked": asked, "ended": ended}
            connection.execute(_LOOKED, look)
            count_overdue(connection, self._library, since)
            runs = counting.runs_since(connection, self._library, since)
        for run_id in runs:
            with self._transaction() as connection:
                counting.count_again(connection, self._library, [run_id])


def _columns(loans: Sequence[LoanKey]) -> dict[str, object]:
    return {"loan_id": [loan.loan_id for loan in loans], "due_date": [loan.due_date for loan in loans]}
