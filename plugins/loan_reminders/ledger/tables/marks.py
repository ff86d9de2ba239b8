"""The tables of the high-water mark.

`marks` has a row for each beginning and each end of a step that sends; a file beside the letters names the newest one.
`server` is the PostgreSQL server and its timeline at that moment, empty where it does not say. `gaps` are the times
when the file, or Airflow, knew of something that this ledger lacks, and what a person answered.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words


class GapAnswer(StrEnum):
    """What became of a gap: accepted, refused (it stays open), or gone by itself."""

    GO_ON = "go_on"
    SEND_NOTHING = "send_nothing"
    SETTLED = "settled"


marks = Table(
    "marks",
    metadata,
    Column("mark_id", Uuid, primary_key=True),
    library_code(),
    moment("at", default=True),
    words("server"),
    Column("run_id", BigInteger, ForeignKey("runs.run_id", ondelete="SET NULL")),
    Column("channel", Text),
    Column("ends", Uuid),
    one_of("channel", Channel),
    Index("marks_by_moment", "library", "at"),
    Index("marks_that_end", "ends", postgresql_where=text("ends IS NOT NULL")),
)

gaps = Table(
    "gaps",
    metadata,
    Column("gap_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    moment("found_at", default=True),
    Column("facts", JSONB, nullable=False),
    Column("answer", Text),
    moment("answered_at"),
    words("who"),
    one_of("answer", GapAnswer),
    Index(
        "one_open_gap",
        "library",
        unique=True,
        postgresql_where=text("answer IS NULL OR answer = 'send_nothing'"),
    ),
)
