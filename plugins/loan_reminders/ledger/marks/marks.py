"""Marks of what left, and gaps, in PostgreSQL.

A mark is a row with a random number, committed by itself: a ledger brought back to an earlier moment cannot have it.
The row also says on which server and timeline it was written: a standby that took over while a step was sending may
lack that step's last seconds, though it has its mark.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.marks.high_water import BrokenStep, Gap, Mark, MarkedRun, RememberedRun, facts, gap_of
from loan_reminders.domain.ports.marks import OpenGap
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.ledger import journal, sender_sql
from loan_reminders.ledger.runs import waiting
from loan_reminders.ledger.runs.outbox import offered_states

# The timeline grows when a standby takes over, or when a server is brought back to an earlier moment.
_SERVER = text("""
    SELECT CAST((SELECT system_identifier FROM pg_control_system()) AS text)
        || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
""")
_MAKE = text("""
    INSERT INTO marks (mark_id, library, server, run_id, channel, ends)
    VALUES (:mark_id, :library, :server, :run_id, :channel, :ends)
    RETURNING at
""")
_KNOWS = text("SELECT EXISTS (SELECT FROM marks WHERE mark_id = :mark_id AND library = :library)")
_RUNS = text("""
    SELECT run.run_id, run.stage, run.reference_date, run.started_at, delivery.channel,
           count(*) FILTER (WHERE delivery.attempts > 0) AS attempted
    FROM runs run LEFT JOIN deliveries delivery USING (run_id)
    WHERE run.library = :library AND run.run_id = ANY(CAST(:run_ids AS bigint[]))
    GROUP BY run.run_id, run.stage, run.reference_date, run.started_at, delivery.channel
""")
_ACCEPTED_AT = "(SELECT max(answered_at) FROM gaps WHERE library = :library AND answer = 'go_on')"
_IS_OPEN = "(answer IS NULL OR answer = 'send_nothing')"
# What a person is asked about does not grow too old for it while nobody answers.
_ASKED_SINCE = f"least(now(), (SELECT found_at FROM gaps WHERE library = :library AND {_IS_OPEN}))"  # noqa: S608
_BROKEN = text(f"""
    SELECT DISTINCT run.stage, run.reference_date, mark.channel
    FROM marks mark JOIN runs run USING (run_id)
    WHERE mark.library = :library AND mark.at > {_ASKED_SINCE} - interval '2 days' AND mark.ends IS NULL
      AND mark.channel IS NOT NULL AND mark.server <> '' AND mark.server <> :server
      AND mark.at > coalesce({_ACCEPTED_AT}, '-infinity')
      AND NOT EXISTS (SELECT FROM marks done WHERE done.ends = mark.mark_id)
    ORDER BY run.reference_date, run.stage
""")  # noqa: S608 - the moments are this module's own
# A restored ledger gives its numbers again; of a run of Airflow's it may have an earlier attempt, or a beginning alone.
# A run that was closed and planned again since is under way, and has its closing all the same.
_LACKS = text(f"""
    SELECT NOT EXISTS (
        SELECT FROM runs
        WHERE library = :library AND run_id = :run_id AND stage = :stage AND dag_run_id = :dag_run_id
          AND (closed_at >= CAST(:closed_at AS timestamptz) OR CAST(:closed_at AS timestamptz) IS NULL)
    ) AND CAST(:started_at AS timestamptz) > coalesce({_ACCEPTED_AT}, '-infinity')
""")  # noqa: S608 - the moment is this module's own
_FIND = text(f"""
    INSERT INTO gaps (library, facts) VALUES (:library, CAST(:facts AS jsonb))
    ON CONFLICT (library) WHERE {_IS_OPEN} DO UPDATE SET facts = excluded.facts WHERE gaps.facts <> excluded.facts
""")  # noqa: S608 - the condition is this module's own
_OPEN = text(f"""
    SELECT facts, found_at, answer, who, answered_at FROM gaps WHERE library = :library AND {_IS_OPEN}
""")  # noqa: S608 - the condition is this module's own
_ANSWER = text(f"""
    UPDATE gaps SET answer = :answer, who = :who, answered_at = now()
    WHERE library = :library AND {_IS_OPEN} RETURNING facts
""")  # noqa: S608 - the condition is this module's own
# A message sent once more is offered to no sender.
_OPEN_RUNS = text("""
    SELECT run_id FROM runs WHERE library = :library AND state <> 'closed' AND NOT dry_run AND kind = 'daily'
""")
_STOP_IN_DOUBT = text("""
    WITH stopped AS (
        UPDATE deliveries SET reason = 'ledger_incomplete'
        WHERE library = :library AND run_id = :run_id AND channel = :channel AND state = 'in_doubt'
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'in_doubt', 'ledger_incomplete', true FROM stopped
""")
_ACCEPT_MARK = text("""
    INSERT INTO marks (mark_id, library) VALUES (:mark_id, :library) ON CONFLICT (mark_id) DO NOTHING
""")


class PostgresMarks:
    """The marks of one library. Fulfils `Marks`; each method is one transaction."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library
        self._asked = {"library": library}

    def make(self, *, run_id: int | None, channel: Channel | None, ends: uuid.UUID | None = None) -> Mark:
        """Make a mark, committed on return: a step begins or, with the mark that began it, `ends`."""
        mark_id = uuid.uuid4()
        row = {
            "mark_id": mark_id,
            "run_id": run_id,
            "channel": None if channel is None else channel.value,
            "ends": ends,
        }
        server = self._server()
        with self._transaction() as connection:
            at: datetime = connection.execute(_MAKE, {**self._asked, **row, "server": server}).scalar_one()
        return Mark(mark_id=mark_id, at=at)

    def _server(self) -> str:
        """The server and its timeline; empty where it does not say (a cloud may keep that to itself)."""
        with self._transaction() as connection:
            try:
                with connection.begin_nested():
                    return str(connection.execute(_SERVER).scalar_one() or "")
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                return ""

    def knows(self, mark_id: uuid.UUID) -> bool:
        """Whether the ledger has this mark."""
        with self._transaction() as connection:
            return bool(connection.execute(_KNOWS, {**self._asked, "mark_id": mark_id}).scalar_one())

    def runs(self, run_ids: Sequence[int]) -> Mapping[int, MarkedRun]:
        """These runs as the ledger knows them, by number, each with what was attempted by each channel."""
        counts: dict[int, dict[Channel, int]] = {}
        found: dict[int, MarkedRun] = {}
        with self._transaction() as connection:
            rows = connection.execute(_RUNS, {**self._asked, "run_ids": list(run_ids)}).all()
        for row in rows:
            if row.channel is not None and row.attempted:
                counts.setdefault(row.run_id, {})[Channel(row.channel)] = row.attempted
        for row in rows:
            found[row.run_id] = MarkedRun(
                run_id=row.run_id,
                stage=Stage(row.stage),
                day=row.reference_date,
                started_at=row.started_at,
                attempted=counts.get(row.run_id, {}),
            )
        return found

    def broken_steps(self) -> Sequence[BrokenStep]:
        """Steps that began on another server and never ended, unless a person accepted that.

        They are those of the last two days or, while a person is asked, of the two days before the question.
        """
        server = self._server()
        if not server:
            return ()
        with self._transaction() as connection:
            rows = connection.execute(_BROKEN, {**self._asked, "server": server}).all()
        return tuple(
            BrokenStep(stage=Stage(row.stage), day=row.reference_date, channel=Channel(row.channel)) for row in rows
        )

    def lacks(self, run: RememberedRun) -> bool:
        """Whether the ledger lacks a run that Airflow remembers, or its end, and no person accepted that since."""
        row = {
            "run_id": run.run_id,
            "stage": run.stage.value,
            "dag_run_id": run.dag_run_id,
            "closed_at": run.closed_at,
            "started_at": run.started_at,
        }
        with self._transaction() as connection:
            return bool(connection.execute(_LACKS, {**self._asked, **row}).scalar_one())

    def find(self, gap: Gap) -> None:
        """Keep that a gap was found, for a person to be asked; once, however often it is found again."""
        with self._transaction() as connection:
            connection.execute(_FIND, {**self._asked, "facts": json.dumps(facts(gap))})

    def settle(self) -> None:
        """There is no gap any more: nobody is to be asked."""
        with self._transaction() as connection:
            if connection.execute(_OPEN, self._asked).first() is not None:
                connection.execute(_ANSWER, {**self._asked, "answer": "settled", "who": ""})

    def open_gap(self) -> OpenGap | None:
        """The gap that a person is asked about."""
        with self._transaction() as connection:
            return open_gap(connection, self._library)

    def accept(self, *, who: str, mark_id: uuid.UUID | None) -> bool:
        """A person accepts the gap: messages may leave. The mark of the file counts as known from now on."""
        with self._transaction() as connection:
            said = connection.execute(_ANSWER, {**self._asked, "answer": "go_on", "who": who}).first()
            if said is None:
                return False
            for accepted in {mark_id, gap_of(said.facts).mark_id} - {None}:
                connection.execute(_ACCEPT_MARK, {**self._asked, "mark_id": accepted})
            journal.keep(connection, self._library, who=who, act=JournalAct.GAP_ACCEPTED, facts=said.facts)
            return True

    def refuse(self, *, who: str) -> int | None:
        """A person says that nothing is to leave: what a sender would be offered is cancelled.

        What a dead sender had in hand becomes in doubt first. An e-mail in doubt may have left: it stays in doubt, and
        is offered to no sender any more; no SMS in doubt is. Drafts of registered letters stay for the librarian who is
        asked to approve them: without an answer their run never ends.
        """
        with self._transaction() as connection:
            said = connection.execute(_ANSWER, {**self._asked, "answer": "send_nothing", "who": who}).first()
            if said is None:
                return None
            cancelled = 0
            for run_id in connection.execute(_OPEN_RUNS, self._asked).scalars().all():
                cancelled += sum(self._cancel(connection, run_id, channel) for channel in Channel)
            noted = {**said.facts, "cancelled": cancelled}
            journal.keep(connection, self._library, who=who, act=JournalAct.GAP_REFUSED, facts=noted)
            return cancelled

    def _cancel(self, connection: Connection, run_id: int, channel: Channel) -> int:
        scope = {**self._asked, "run_id": run_id, "channel": channel.value, "offered": list(offered_states(channel))}
        connection.execute(sender_sql.RECOVER, scope)
        if channel is Channel.EMAIL:
            connection.execute(_STOP_IN_DOUBT, scope)
        return waiting.cancel_waiting(connection, scope, [channel.value], Reason.LEDGER_INCOMPLETE)


def open_gap(connection: Connection, library: str) -> OpenGap | None:
    """The gap that a person is asked about, in the caller's transaction."""
    row = connection.execute(_OPEN, {"library": library}).first()
    if row is None:
        return None
    answered: datetime | None = row.answered_at
    return OpenGap(
        gap=gap_of(row.facts),
        found_at=row.found_at,
        refused=row.answer is not None,
        who=row.who,
        answered_at=answered,
    )
