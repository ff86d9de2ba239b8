"""The questions that runs ask of a person: which run asks, and what was answered on our pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, text

from loan_reminders.domain.runs.questions import AskingRun, Question
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.json_codecs import storable

# The newest question of a run; an answer that was given before it was given to an earlier one.
_ASKED = text("""
    SELECT run.run_id, run.dag_run_id, run.stage, run.reference_date, run.due_date,
           run.closed_at IS NOT NULL AS closed, asked.at AS asked_at, given.agreed, given.who, given.at AS given_at
    FROM runs run
    LEFT JOIN LATERAL (
        SELECT newest.at FROM (
            SELECT answer, at FROM volume_answers WHERE run_id = run.run_id ORDER BY answer_id DESC LIMIT 1
        ) AS newest
        WHERE :question = 'volume' AND newest.answer = 'asked'
        UNION ALL
        SELECT min(at) FROM letter_batches
        WHERE :question = 'letters' AND run_id = run.run_id AND state = 'draft' HAVING count(*) > 0
    ) AS asked ON true
    LEFT JOIN LATERAL (
        SELECT agreed, who, at FROM question_answers
        WHERE run_id = run.run_id AND question = :question AND at > coalesce(asked.at, '-infinity')
        ORDER BY at DESC LIMIT 1
    ) AS given ON true
    WHERE run.library = :library AND run.run_id = :run_id AND NOT run.dry_run
""")
_ANSWERED = text("""
    INSERT INTO question_answers (library, run_id, question, agreed, who)
    SELECT library, run_id, :question, :agreed, :who FROM runs WHERE library = :library AND run_id = :run_id
""")


class PostgresQuestions:
    """The questions of one library's runs."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def asking(self, run_id: int, question: Question) -> AskingRun | None:
        """A run and its question, None when there is no such run or it was a dry one."""
        asked = {"library": self._library, "run_id": run_id, "question": question.value}
        with self._transaction() as connection:
            row = connection.execute(_ASKED, asked).first()
        if row is None:
            return None
        return AskingRun(
            run_id=row.run_id,
            dag_run_id=row.dag_run_id,
            stage=Stage(row.stage),
            reference_date=row.reference_date,
            due_date=row.due_date,
            closed=row.closed,
            asked_at=row.asked_at,
            answered=row.agreed,
            answered_by=row.who or "",
            answered_at=row.given_at,
        )

    def answered(self, run_id: int, question: Question, *, agreed: bool, who: str) -> None:
        """Keep that somebody answered on our pages: the run's task acts upon it, and writes it in the journal then."""
        asked = {"library": self._library, "run_id": run_id, "question": question.value}
        with self._transaction() as connection:
            connection.execute(_ANSWERED, {**asked, "agreed": agreed, "who": storable(who)})
