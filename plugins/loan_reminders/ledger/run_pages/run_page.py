"""One run for its page: counted now, by the indexes of what belongs to a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import NotReached
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.runs.questions import Question
from loan_reminders.domain.runs.run_page import ALL_NAMES, AnswerGiven, RunBatch, RunNames, RunPage
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.ledger.readers.reader_numbers import number_of
from loan_reminders.ledger.runs.readings import decode_reading
from loan_reminders.ledger.statistics.reached import NO_WAY, OF_LETTERS, OUTCOME, Reached, readers_reached
from loan_reminders.ledger.undelivered import read_not_reached, read_stuck

_FIND = text("""
    SELECT run_id FROM runs WHERE library = :library AND stage = :stage AND dag_run_id = :dag_run_id
    ORDER BY attempt DESC LIMIT 1
""")
_RUN = text("""
    SELECT run.*, (SELECT count(*) FROM notices WHERE run_id = run.run_id) AS notices FROM runs run
    WHERE run.library = :library AND run.run_id = :run_id
""")
_DELIVERIES = text("""
    SELECT channel, state, count(*) AS number FROM deliveries WHERE run_id = :run_id
    GROUP BY channel, state ORDER BY channel, state
""")
_REDIRECTED = text("""
    SELECT count(*) FROM deliveries WHERE run_id = :run_id AND redirected AND state IN ('accepted', 'delivered')
""")
_SKIPPED = text("""
    SELECT reason, count(*) AS number FROM skips WHERE run_id = :run_id AND slot IS NULL
    GROUP BY reason ORDER BY number DESC, reason
""")
_BATCHES = text("""
    SELECT batch_id, state, kind, letters - left_out AS letters, pages FROM letter_batches
    WHERE run_id = :run_id AND state <> 'abandoned' ORDER BY batch_id
""")
# An answer in « Actions requises » is known by what its task did; the one on our page by itself, at once.
_ANSWERS = text("""
    SELECT 'volume' AS question, answer = 'approved' AS agreed, who, at, reading FROM volume_answers
    WHERE run_id = :run_id AND answer IN ('approved', 'refused')
    UNION ALL
    SELECT 'letters', event.act = 'approved', event.who, min(event.at), false
    FROM letter_batches batch JOIN letter_events event USING (batch_id)
    WHERE batch.run_id = :run_id AND event.act IN ('approved', 'not_approved')
    GROUP BY event.act, event.who
    UNION ALL
    SELECT given.question, given.agreed, given.who, given.at, given.question = 'volume' AND EXISTS (
        SELECT FROM volume_answers WHERE run_id = :run_id AND answer = 'asked' AND reading AND at < given.at
    ) FROM question_answers given
    WHERE given.run_id = :run_id AND NOT EXISTS (
        SELECT FROM volume_answers WHERE run_id = :run_id AND given.question = 'volume' AND at > given.at
    ) AND NOT EXISTS (
        SELECT FROM letter_batches batch JOIN letter_events event USING (batch_id)
        WHERE batch.run_id = :run_id AND given.question = 'letters' AND event.at > given.at
          AND event.act IN ('approved', 'not_approved')
    )
    ORDER BY at
""")
# Who was told by another way, or may still be, is not among them.
_NOT_REACHED = text(f"""
    SELECT DISTINCT ON (skip.patron_id) skip.patron_id, skip.reason, skip.detail, run.stage, run.today,
           seen.record->'patron'->>'name' AS name, seen.record->'patron'->>'barcode' AS barcode,
           {number_of("skip.patron_id")}
    FROM runs run JOIN skips skip USING (run_id)
    LEFT JOIN loans_seen seen
      ON seen.run_id = skip.run_id AND seen.loan_id = skip.loan_id AND seen.due_date = skip.due_date
    WHERE run.run_id = :run_id AND {NO_WAY} AND (CAST(:reason AS text) IS NULL OR skip.reason = :reason)
      AND skip.patron_id NOT IN (
        SELECT notice.patron_id FROM deliveries delivery JOIN notices notice USING (notice_id) {OF_LETTERS}
        WHERE delivery.run_id = :run_id
          AND (delivery.state = 'planned' OR {OUTCOME} IN ('told', 'in_doubt', 'waiting', 'redirected'))
    )
    ORDER BY skip.patron_id, skip.skip_id LIMIT :limit OFFSET :not_reached_from
""")  # noqa: S608 - the pieces are this project's own
_LOST = text(f"""
    SELECT delivery.delivery_id, delivery.state, delivery.reason, delivery.stage, delivery.channel, delivery.claimed_at,
           notice.patron_id, run.today,
           seen.record->'patron'->>'name' AS name, seen.record->'patron'->>'barcode' AS barcode,
           {number_of("notice.patron_id")}
    FROM runs run JOIN deliveries delivery USING (run_id) JOIN notices notice USING (notice_id)
    LEFT JOIN loans_seen seen
      ON seen.run_id = notice.run_id AND seen.loan_id = notice.loan_ids[1] AND seen.due_date = notice.due_date
    WHERE run.run_id = :run_id AND delivery.state NOT IN ('accepted', 'delivered')
      AND (CAST(:channel AS text) IS NULL OR delivery.channel = :channel)
      AND (delivery.state IN ('refused', 'failed', 'bounced', 'in_doubt')
           OR delivery.state = 'cancelled' AND delivery.reason = 'dead_address')
    ORDER BY delivery.channel, delivery.delivery_id LIMIT :limit OFFSET :lost_from
""")  # noqa: S608 - the piece is this project's own


class PostgresRunPages:
    """The runs of one library, one at a time."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def number_of(self, stage: Stage, dag_run_id: str) -> int | None:
        """The ledger's number of a run of Airflow, its newest attempt; None before it began to read the ILS."""
        asked = {"library": self._library, "stage": stage.value, "dag_run_id": dag_run_id}
        with self._transaction() as connection:
            found: int | None = connection.execute(_FIND, asked).scalar()
        return found

    def run(self, run_id: int, *, names: bool, lines: int = 50, wanted: RunNames = ALL_NAMES) -> RunPage | None:
        """One run, with whom it did not reach when `names` are asked for; None when there is none of that number.

        Of these lists those `wanted` are read, so many `lines`, and one more when there are more.
        """
        asked = {
            "library": self._library,
            "run_id": run_id,
            "limit": lines + 1,
            "reason": wanted.reason,
            "not_reached_from": wanted.not_reached_from,
            "channel": wanted.channel,
            "lost_from": wanted.lost_from,
        }
        with self._transaction() as connection:
            row = connection.execute(_RUN, asked).first()
            if row is None:
                return None
            books: Mapping[str, Any] = row.books or {}
            reached = readers_reached(connection, [run_id]).get(row.stage, Reached())
            return RunPage(
                run_id=row.run_id,
                stage=Stage(row.stage),
                dag_run_id=row.dag_run_id,
                reference_date=row.reference_date,
                due_date=row.due_date,
                dry_run=row.dry_run,
                started_at=row.started_at,
                closed_at=row.closed_at,
                balanced=row.balanced,
                problems=tuple(books.get("problems", ())),
                loans=row.loans_extracted,
                notices=row.notices,
                told=reached.told,
                unreached=reached.not_reached,
                deliveries=_deliveries(connection, asked),
                redirected=connection.execute(_REDIRECTED, asked).scalar_one(),
                skipped={SkipReason(one.reason): one.number for one in connection.execute(_SKIPPED, asked)},
                reading=decode_reading(row.reading),
                batches=_batches(connection, asked),
                answers=_answers(connection, asked),
                not_reached=_not_reached(connection, asked) if names else (),
                lost=read_stuck(connection, _LOST, asked) if names else (),
            )


def _deliveries(connection: Connection, asked: Mapping[str, Any]) -> Mapping[Channel, Mapping[DeliveryState, int]]:
    found: dict[Channel, dict[DeliveryState, int]] = {}
    for row in connection.execute(_DELIVERIES, asked):
        found.setdefault(Channel(row.channel), {})[DeliveryState(row.state)] = row.number
    return found


def _batches(connection: Connection, asked: Mapping[str, Any]) -> Sequence[RunBatch]:
    return tuple(
        RunBatch(
            batch_id=row.batch_id,
            state=BatchState(row.state),
            channel=Channel(row.kind),
            letters=row.letters,
            pages=row.pages,
        )
        for row in connection.execute(_BATCHES, asked)
    )


def _answers(connection: Connection, asked: Mapping[str, Any]) -> Sequence[AnswerGiven]:
    return tuple(
        AnswerGiven(question=Question(row.question), agreed=row.agreed, who=row.who, at=row.at, reading=row.reading)
        for row in connection.execute(_ANSWERS, asked)
    )


def _not_reached(connection: Connection, asked: Mapping[str, Any]) -> Sequence[NotReached]:
    return tuple(map(read_not_reached, connection.execute(_NOT_REACHED, asked)))
