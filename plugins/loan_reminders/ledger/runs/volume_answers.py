"""Answers about the volume of each run: usual, asked about, approved or refused; the newest answer counts."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.runs.volume import NOBODY, VolumeAnswer
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.tables import runs, volume_answers

_ACTS = {VolumeAnswer.APPROVED: JournalAct.VOLUME_APPROVED, VolumeAnswer.REFUSED: JournalAct.VOLUME_REFUSED}


def record(
    connection: Connection, library: str, run_id: int, answer: VolumeAnswer, who: str, *, reading: bool = False
) -> None:
    """Keep one more answer about a run; the earlier answers stay. A person's is in the journal.

    `reading`: it is about what was read of the ILS, and not about the volume alone.
    """
    values = {"library": library, "run_id": run_id, "answer": answer.value, "who": storable(who), "reading": reading}
    connection.execute(insert(volume_answers).values(**values))
    if answer in _ACTS and who not in ("", NOBODY):
        stage, day = connection.execute(
            select(runs.c.stage, runs.c.reference_date).where(runs.c.run_id == run_id)
        ).one()
        facts = {"stage": stage, "day": day.isoformat()}
        keep(connection, library, who=who, act=_ACTS[answer], run_id=run_id, facts=facts)


def newest(connection: Connection, library: str, run_id: int) -> VolumeAnswer | None:
    """The newest answer about a run's volume, None when nobody looked at it yet."""
    query = (
        select(volume_answers.c.answer)
        .where(volume_answers.c.library == library, volume_answers.c.run_id == run_id)
        .order_by(volume_answers.c.answer_id.desc())
        .limit(1)
    )
    found = connection.execute(query).scalar()
    return None if found is None else VolumeAnswer(found)
