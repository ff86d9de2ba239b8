"""The tables of what librarians see to by hand, on the desk page.

`desk_settlements` keeps who saw to the reader of a delivery that did not arrive. `put_aside` keeps the receipts,
replies and bounces that could not be kept or settled. `question_answers` keeps what a person answered on our pages to a
question that a run asked in Airflow, whose task acts upon it a moment later.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.runs.questions import Question
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, of_run, one_of, words

desk_settlements = Table(
    "desk_settlements",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    moment("at", default=True),
    Column("who", Text, nullable=False),
)

put_aside = Table(
    "put_aside",
    metadata,
    Column("put_aside_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("kind", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    words("about"),
    words("said"),
    words("why"),
    moment("at", default=True),
    moment("settled_at"),
    words("settled_by"),
    UniqueConstraint("library", "kind", "fingerprint", name="one_put_aside_each"),
    one_of("kind", AsideKind),
    Index("put_aside_of_late", "library", "at"),
    Index("put_aside_about", "library", text("left(about, 320)")),
)

question_answers = Table(
    "question_answers",
    metadata,
    Column("answer_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    of_run(),
    Column("question", Text, nullable=False),
    Column("agreed", Boolean, nullable=False),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    one_of("question", Question),
    Index("question_answers_of_run", "run_id", "question", "at"),
)
