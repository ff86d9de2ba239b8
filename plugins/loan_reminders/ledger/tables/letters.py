"""The tables of letters on paper.

`letter_batches` are the files for the printer, `letters` where each letter is in them; `registered_letters` is how far
each registered letter is, and `letter_events` the trace of every step, with what was before and after it, never
changed. `print_checks` is how far the ILS has been asked about a batch that somebody wants to print. `sent_words` keeps
what a message said, compressed, from the moment it was about to leave.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from loan_reminders.domain.letters.batches import BatchState, LetterAct, RegisteredState, ReturnReason
from loan_reminders.domain.letters.print_checks import CheckState
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, of_run, one_of, words

letter_batches = Table(
    "letter_batches",
    metadata,
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    of_run(),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="letter"),
    words("branch"),
    Column("state", Text, nullable=False, server_default="ready"),
    Column("pdf", Text, nullable=False),
    Column("csv", Text, nullable=False),
    words("slip"),
    Column("more_pdfs", ARRAY(Text), nullable=False, server_default="{}"),
    Column("letters", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    count("left_out"),
    Column("sha256", Text, nullable=False),
    moment("at", default=True),
    moment("printed_at"),
    words("printed_by"),
    Column("trial", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("library", "name", name="one_batch_of_a_name"),
    one_of("kind", (Channel.LETTER, Channel.REGISTERED_LETTER)),
    one_of("state", BatchState),
    Index("letter_batches_of_run", "run_id"),
    Index("letter_batches_waiting", "library", "batch_id", postgresql_where=text("state IN ('draft', 'ready')")),
)

letters = Table(
    "letters",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    Column("batch_id", BigInteger, ForeignKey("letter_batches.batch_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("volume", Integer, nullable=False, server_default="1"),
    Column("first_page", Integer, nullable=False),
    Column("last_page", Integer, nullable=False),
    Column("reference", Text, nullable=False),
    Column("left_out", Text),
    one_of(
        "left_out",
        (
            Reason.RETURNED,
            Reason.RENEWED,
            Reason.TAKEN_OUT,
            Reason.HELD,
            Reason.SUPERSEDED,
            Reason.DEAD_ADDRESS,
            Reason.NOT_TOLD,
        ),
    ),
    Index("letters_of_batch", "batch_id", "position"),
    Index("letters_of_reference", "library", "reference"),
)

registered_letters = Table(
    "registered_letters",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    Column("state", Text, nullable=False, server_default="to_print"),
    Column("tracking_number", Text),
    Column("posted_on", Date),
    Column("acknowledged_on", Date),
    Column("returned_on", Date),
    Column("return_reason", Text),
    one_of("state", RegisteredState),
    one_of("return_reason", ReturnReason),
    Index(
        "one_letter_a_number",
        "library",
        "tracking_number",
        unique=True,
        postgresql_where=text("tracking_number IS NOT NULL"),
    ),
    Index("registered_letters_by_state", "library", "state", "posted_on"),
)

letter_events = Table(
    "letter_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("batch_id", BigInteger, ForeignKey("letter_batches.batch_id")),
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE")),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    Column("act", Text, nullable=False),
    words("detail"),
    Column("before", JSONB),
    Column("after", JSONB),
    one_of("act", LetterAct),
    Index("letter_events_of_batch", "batch_id"),
    Index("letter_events_of_letter", "delivery_id"),
)

print_checks = Table(
    "print_checks",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("letter_batches.batch_id"), primary_key=True),
    library_code(),
    Column("check_id", Uuid, nullable=False),
    Column("who", Text, nullable=False),
    Column("state", Text, nullable=False),
    count("asked"),
    Column("loans", Integer, nullable=False),
    moment("started_at", default=True),
    moment("seen_at", default=True),
    count("returned"),
    count("renewed"),
    Column("partly", ARRAY(Text), nullable=False, server_default="{}"),
    count("held"),
    Column("held_with_others", ARRAY(Text), nullable=False, server_default="{}"),
    words("problem"),
    count("superseded"),
    count("dead_address"),
    one_of("state", CheckState),
)

sent_words = Table(
    "sent_words",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), primary_key=True),
    library_code(),
    moment("at", default=True),
    words("subject"),
    Column("body", LargeBinary, nullable=False),
)
