"""What waits for a person, as the ledger knows it: a few short questions, each by an index of what waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.runs.to_do import (
    MISSED_WITHIN,
    ToDoItem,
    ToDoKind,
    missed_days,
    oldest_first,
)
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger import undelivered
from loan_reminders.ledger.email import held_bounces
from loan_reminders.ledger.marks.marks import open_gap
from loan_reminders.ledger.run_pages.new_codes import new_codes
from loan_reminders.ledger.runs.waiting import ASKS
from loan_reminders.ledger.runs.watch import days_to_watch
from loan_reminders.ledger.sms import credits as sms_credits
from loan_reminders.ledger.sms import replies

MOST_COUNTED = 99
"""Deliveries of one kind are counted up to here."""

# Nobody's answer in a day is a refusal: what was asked longer ago waits for nobody.
_VOLUMES = text("""
    SELECT run.run_id, run.stage, run.reference_date, asked.at, asked.reading, (
        SELECT count(*) FROM deliveries WHERE run_id = run.run_id AND state = 'planned'
    ) AS number
    FROM runs run CROSS JOIN LATERAL (
        SELECT answer, at, reading FROM volume_answers WHERE run_id = run.run_id ORDER BY answer_id DESC LIMIT 1
    ) AS asked
    WHERE run.library = :library AND run.state <> 'closed' AND NOT run.dry_run AND asked.answer = 'asked'
      AND asked.at > CAST(:now AS timestamptz) - interval '25 hours'
      AND NOT EXISTS (
          SELECT FROM question_answers given
          WHERE given.run_id = run.run_id AND given.question = 'volume' AND given.at > asked.at
      )
""")
_BATCHES = text(f"""
    SELECT batch.batch_id, batch.run_id, batch.state, batch.kind, batch.at, batch.letters - batch.left_out AS letters,
           batch.pages, batch.trial, run.stage, run.reference_date
    FROM letter_batches batch JOIN runs run USING (run_id)
    WHERE batch.library = :library AND batch.state IN ('draft', 'ready') AND batch.letters > batch.left_out
      AND (batch.state = 'ready' OR {ASKS})
    ORDER BY batch.batch_id
""")  # noqa: S608 - the piece is this project's own
# A letter of a trial is never posted: once it is printed, nothing more is to be done with it.
_REGISTERED = text("""
    SELECT registered.state, count(*) AS number, min(batch.printed_at) AS since
    FROM registered_letters registered
    JOIN letters letter USING (delivery_id)
    JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    WHERE registered.library = :library AND registered.state IN ('printed', 'numbered') AND letter.left_out IS NULL
      AND NOT batch.trial
    GROUP BY registered.state
""")
# Nobody signs for a letter of a trial: it was never posted.
_OVERDUE = text("""
    SELECT count(*) AS number, min(posted_on) AS since
    FROM registered_letters registered JOIN deliveries delivery USING (delivery_id)
    WHERE registered.library = :library AND registered.state = 'posted' AND registered.posted_on < :posted_before
      AND NOT delivery.redirected
""")


class PostgresToDo:
    """The list of what waits in one library's ledger."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def items(
        self,
        *,
        now: datetime,
        starts: Mapping[Stage, time],
        one_at_a_time: Collection[Stage] = (),
        posted_before: date,
        sent_since: datetime,
        sms_floor: int | None = None,
    ) -> Sequence[ToDoItem]:
        """Everything that waits at `now`, aware and in the library's zone, the oldest first.

        `starts` is each stage's hour, `one_at_a_time` the stages of which a day waits for the one before,
        `posted_before` the day before which an acknowledgement is overdue, `sent_since` how far back deliveries that
        did not arrive are looked for, `sms_floor` the credit below which no SMS leaves, None for a library that sends
        none.
        """
        asked = {"library": self._library, "now": now, "posted_before": posted_before}
        with self._transaction() as connection:
            return oldest_first(
                (
                    *self._gap(connection),
                    *self._credit(connection, sms_floor),
                    *map(_volume, connection.execute(_VOLUMES, asked)),
                    *_batches(connection.execute(_BATCHES, asked).all()),
                    *_registered(connection, asked, now),
                    *self._deliveries(connection, now, sent_since),
                    *self._bounces(connection),
                    *self._replies(connection),
                    *self._missed(connection, now, starts, one_at_a_time),
                    *new_codes(connection, self._library, now),
                )
            )

    def _gap(self, connection: Connection) -> Iterator[ToDoItem]:
        gap = open_gap(connection, self._library)
        if gap is not None:
            yield ToDoItem(
                kind=ToDoKind.LEDGER_GAP, since=gap.found_at, detail=f"non : {gap.who}" if gap.refused else ""
            )

    def _credit(self, connection: Connection, floor: int | None) -> Iterator[ToDoItem]:
        known = None if floor is None else sms_credits.newest(connection, self._library)
        if known is not None and floor is not None and known.left <= floor:
            yield ToDoItem(kind=ToDoKind.NO_CREDIT, number=known.left)

    def _deliveries(self, connection: Connection, now: datetime, since: datetime) -> Iterator[ToDoItem]:
        asked = {
            "library": self._library,
            "since": since,
            "doubtful_before": now - timedelta(days=1),
            "limit": MOST_COUNTED + 1,
        }
        for kind, count in (
            (ToDoKind.IN_DOUBT, undelivered.count_in_doubt),
            (ToDoKind.NOT_ARRIVED, undelivered.count_not_arrived),
        ):
            number, oldest = count(connection, asked)
            if number:
                many = number > MOST_COUNTED
                yield ToDoItem(kind=kind, number=min(number, MOST_COUNTED), many=many, since=oldest)

    def _bounces(self, connection: Connection) -> Iterator[ToDoItem]:
        for held in held_bounces.held(connection, self._library):
            yield ToDoItem(kind=ToDoKind.BOUNCES, number=held.addresses, since=held.since, detail=held.domain)

    def _replies(self, connection: Connection) -> Iterator[ToDoItem]:
        number, oldest = replies.count(connection, self._library, limit=MOST_COUNTED + 1)
        if number:
            many = number > MOST_COUNTED
            yield ToDoItem(kind=ToDoKind.REPLIES, number=min(number, MOST_COUNTED), many=many, since=oldest)

    def _missed(
        self, connection: Connection, now: datetime, starts: Mapping[Stage, time], one_at_a_time: Collection[Stage]
    ) -> Iterator[ToDoItem]:
        watched = days_to_watch(connection, self._library, now.date() - MISSED_WITHIN, now.date(), tuple(starts))
        found = missed_days(watched, starts=starts, one_at_a_time=one_at_a_time, now=now)
        by_stage = sorted(found, key=lambda one: (one[1].stage.place, one[0], one[1].day))
        for (stage, kind), some in groupby(by_stage, key=lambda one: (one[1].stage, one[0])):
            group = [day for _, day in some]
            yield ToDoItem(
                kind=kind,
                stage=stage,
                run_id=group[0].run_id,
                days=tuple(day.day for day in group),
                number=len(group),
                since=datetime.combine(group[0].day, starts[stage], now.tzinfo),
            )


def _volume(row: Row[Any]) -> ToDoItem:
    return ToDoItem(
        kind=ToDoKind.READING if row.reading else ToDoKind.VOLUME,
        run_id=row.run_id,
        stage=Stage(row.stage),
        days=(row.reference_date,),
        number=row.number,
        since=row.at,
    )


def _batches(rows: Sequence[Row[Any]]) -> Iterator[ToDoItem]:
    """A line a batch to print, and a line for all drafts of a run: they are approved together."""
    drafts: dict[int, list[Row[Any]]] = {}
    for row in rows:
        if row.state == "draft":
            drafts.setdefault(row.run_id, []).append(row)
        else:
            yield ToDoItem(kind=ToDoKind.PRINT, **_of_batches([row]))
    for some in drafts.values():
        yield ToDoItem(kind=ToDoKind.APPROVAL, **_of_batches(some))


def _of_batches(rows: Sequence[Row[Any]]) -> dict[str, Any]:
    first = rows[0]
    return {
        "run_id": first.run_id,
        "batch_id": first.batch_id,
        "stage": Stage(first.stage),
        "channel": Channel(first.kind),
        "days": (first.reference_date,),
        "number": sum(row.letters for row in rows),
        "pages": sum(row.pages for row in rows),
        "since": min(row.at for row in rows),
        "trial": any(row.trial for row in rows),
    }


def _registered(connection: Connection, asked: Mapping[str, Any], now: datetime) -> Iterator[ToDoItem]:
    kinds = {"printed": ToDoKind.NUMBER, "numbered": ToDoKind.POST}
    for row in connection.execute(_REGISTERED, asked):
        yield ToDoItem(kind=kinds[row.state], number=row.number, since=row.since)
    overdue = connection.execute(_OVERDUE, asked).one()
    if overdue.number:
        since = datetime.combine(overdue.since, time(12), now.tzinfo)
        yield ToDoItem(kind=ToDoKind.ACKNOWLEDGEMENT, number=overdue.number, since=since)
