"""Holds in the ledger: who is not written to until when, who said so, and who lifted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.runs.holds import Hold, HoldRefusal, HoldRefused
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger import journal
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.readers.held import IN_FORCE
from loan_reminders.ledger.readers.wishes import PostgresWishes
from loan_reminders.ledger.tables.columns import STAGES_OF_LOANS

_READER = text("SELECT reader_number FROM readers WHERE library = :library AND patron_id = :patron_id")
# By the loan, then the newest: the runs of years are many, those that saw one loan are few.
_LOAN = text("""
    SELECT seen.title FROM (
        SELECT run_id, record ->> 'title' AS title FROM loans_seen
        WHERE library = :library AND loan_id = :loan_id AND patron_id = :patron_id OFFSET 0
    ) AS seen
    ORDER BY seen.run_id DESC LIMIT 1
""")
# One that ended by itself, or that a new one takes the place of, makes room.
_MAKE_ROOM = text("""
    UPDATE holds SET lifted_at = now(), lifted_by = CASE WHEN until < CAST(:today AS date) THEN '' ELSE :who END
    WHERE library = :library AND patron_id = :patron_id AND loan_id = :loan_id AND lifted_at IS NULL
""")
_PLACE = text("""
    INSERT INTO holds (library, patron_id, loan_id, title, until, reason, who)
    VALUES (:library, :patron_id, :loan_id, :title, :until, :reason, :who) RETURNING hold_id
""")
_LIFT = text(f"""
    UPDATE holds hold SET lifted_at = now(), lifted_by = :who, lift_reason = :reason
    WHERE hold.library = :library AND hold.hold_id = :hold_id AND {IN_FORCE}
    RETURNING hold.*
""")  # noqa: S608 - the condition is a module's own
_OF_READER = text("""
    SELECT * FROM holds WHERE library = :library AND patron_id = :patron_id ORDER BY hold_id DESC LIMIT :limit
""")
# Of readers as a whole, of single loans, or both.
_OF_WHAT = "(CAST(:of_loans AS boolean) IS NULL OR (hold.loan_id <> '') = :of_loans)"
_LISTED = f"""
    SELECT hold.*, reader.reader_number, reader.name, reader.card
    FROM (
        SELECT * FROM holds hold WHERE hold.library = :library AND {IN_FORCE} AND {_OF_WHAT}
        ORDER BY hold.until {{way}}, hold.hold_id {{way}} LIMIT :limit OFFSET :offset
    ) AS hold
    LEFT JOIN readers reader ON reader.library = hold.library AND reader.patron_id = hold.patron_id
    ORDER BY hold.until {{way}}, hold.hold_id {{way}}
"""  # noqa: S608 - the conditions are modules' own
_IN_FORCE = {last: text(_LISTED.format(way="DESC" if last else "ASC")) for last in (True, False)}
_COUNT = text(f"""
    SELECT count(*) FROM holds hold WHERE hold.library = :library AND {IN_FORCE} AND {_OF_WHAT}
""")  # noqa: S608 - as above

# A claim is live as long as its message may have told the loan.
_DECIDED = text("""
    SELECT asked.loan_id, asked.due_date, claim.stage
    FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[])) AS asked(loan_id, due_date)
    CROSS JOIN LATERAL (
        SELECT DISTINCT held.stage FROM delivery_loans held
        WHERE held.library = :library AND held.loan_id = asked.loan_id AND held.due_date = asked.due_date AND held.live
    ) AS claim
""")

# A run asks the ILS for every loan of its due date that is still out: one that it does not get any more is not.
_NOT_LISTED = text(f"""
    SELECT asked.loan_id, asked.due_date, seen.day
    FROM unnest(CAST(:loan_id AS text[]), CAST(:due_date AS date[]), CAST(:heard AS date[]))
         AS asked(loan_id, due_date, heard)
    CROSS JOIN LATERAL (
        SELECT min(run.today) AS day FROM runs run
        WHERE run.library = :library AND run.due_date = asked.due_date AND run.today > asked.heard
          AND run.reference_date BETWEEN asked.due_date + CAST(:first AS int) AND asked.due_date + CAST(:last AS int)
          AND NOT run.dry_run AND run.kind = 'daily' AND run.state <> 'extracting' AND run.stage IN ({STAGES_OF_LOANS})
    ) AS seen
    WHERE seen.day IS NOT NULL
""")  # noqa: S608 - the list is a module's own

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReader:
    """A hold in force with whom it is about; `reader_number` None when the reader is not in the ledger any more."""

    hold: Hold
    reader_number: int | None
    name: str
    card: str


class PostgresHolds(PostgresWishes):
    """The part of one library's ledger where holds are kept."""

    def place(self, *, patron_id: str, loan_id: str, until: date, reason: str, who: str, today: date) -> Hold:
        """Hold one loan of a reader, or with an empty `loan_id` the reader, up to and including a day.

        One in force already gives way to the new one. Raises HoldRefused when no run ever saw the reader, or the loan.
        """
        asked: dict[str, Any] = {
            "library": self._library,
            "patron_id": storable(patron_id),
            "loan_id": storable(loan_id),
            "until": until,
            "reason": storable(reason.strip())[:LONGEST_REASON],
            "who": storable(who),
            "today": today,
        }
        with self._transaction() as connection:
            if connection.execute(_READER, asked).first() is None:
                raise HoldRefused(HoldRefusal.UNKNOWN_READER)
            loan = connection.execute(_LOAN, asked).first() if loan_id else None
            if loan_id and loan is None:
                raise HoldRefused(HoldRefusal.UNKNOWN_LOAN)
            asked["title"] = "" if loan is None else loan.title or ""
            connection.execute(_MAKE_ROOM, asked)
            hold_id = connection.execute(_PLACE, asked).scalar_one()
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.HELD,
                patron_id=asked["patron_id"],
                detail=asked["reason"],
                facts={"hold": hold_id, "loan": asked["loan_id"], "until": until.isoformat()},
            )
            of_reader = self._of_reader(connection, asked["patron_id"], limit=1)
        return of_reader[0]

    def lift(self, hold_id: int, *, reason: str, who: str, today: date) -> Hold:
        """End a hold before its day. Raises HoldRefused when it is not in force (any more)."""
        said = storable(reason.strip())[:LONGEST_REASON]
        asked = {"library": self._library, "hold_id": hold_id, "reason": said, "who": storable(who), "today": today}
        with self._transaction() as connection:
            row = connection.execute(_LIFT, asked).first()
            if row is None:
                raise HoldRefused(HoldRefusal.NOT_IN_FORCE)
            lifted = _hold(row)
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.HOLD_LIFTED,
                patron_id=lifted.patron_id,
                detail=said,
                facts={"hold": hold_id, "loan": lifted.loan_id, "until": lifted.until.isoformat()},
            )
        return lifted

    def of_reader(self, patron_id: str, *, limit: int = 100) -> Sequence[Hold]:
        """All holds of a reader, the newest first, those that ended too."""
        with self._transaction() as connection:
            return self._of_reader(connection, storable(patron_id), limit=limit)

    def _of_reader(self, connection: Connection, patron_id: str, *, limit: int) -> Sequence[Hold]:
        asked = {"library": self._library, "patron_id": patron_id, "limit": limit}
        return tuple(_hold(row) for row in connection.execute(_OF_READER, asked))

    def decided(self, keys: Sequence[LoanKey]) -> Mapping[LoanKey, frozenset[Stage]]:
        """The stages that were told of each of these loans in this cycle, or are on their way."""
        asked = {
            "library": self._library,
            "loan_id": [one.loan_id for one in keys],
            "due_date": [one.due_date for one in keys],
        }
        found: dict[LoanKey, set[Stage]] = {}
        with self._transaction() as connection:
            for row in connection.execute(_DECIDED, asked):
                found.setdefault(LoanKey(loan_id=row.loan_id, due_date=row.due_date), set()).add(Stage(row.stage))
        return {one: frozenset(stages) for one, stages in found.items()}

    def not_listed(self, heard: Mapping[LoanKey, date], *, first: int, last: int) -> Mapping[LoanKey, date]:
        """The loans that the ILS did not give any more, each with the day of the first run that missed it.

        `heard` says on which day each was in a run last; `first` and `last` are the days after the due date between
        which the stages lie. What is returned or renewed is not given any more.
        """
        asked = {
            "library": self._library,
            "loan_id": [one.loan_id for one in heard],
            "due_date": [one.due_date for one in heard],
            "heard": list(heard.values()),
            "first": first,
            "last": last,
        }
        with self._transaction() as connection:
            rows = connection.execute(_NOT_LISTED, asked)
            return {LoanKey(loan_id=row.loan_id, due_date=row.due_date): row.day for row in rows}

    def in_force(
        self,
        *,
        today: date,
        of_loans: bool | None = None,
        last_first: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[HeldReader]:
        """The holds in force on a day, those that end first first, or last; of loans, of whole readers or of both."""
        asked = {"library": self._library, "today": today, "of_loans": of_loans, "limit": limit, "offset": offset}
        with self._transaction() as connection:
            return tuple(
                HeldReader(hold=_hold(row), reader_number=row.reader_number, name=row.name or "", card=row.card or "")
                for row in connection.execute(_IN_FORCE[last_first], asked)
            )

    def count(self, *, today: date, of_loans: bool | None = None) -> int:
        """How many holds are in force on a day, of single loans, of whole readers or both."""
        asked = {"library": self._library, "today": today, "of_loans": of_loans}
        with self._transaction() as connection:
            return int(connection.execute(_COUNT, asked).scalar_one())


def _hold(row: Row[Any]) -> Hold:
    return Hold(
        hold_id=row.hold_id,
        patron_id=row.patron_id,
        loan_id=row.loan_id,
        until=row.until,
        reason=row.reason,
        at=row.at,
        who=row.who,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        lift_reason=row.lift_reason,
        title=row.title,
    )
