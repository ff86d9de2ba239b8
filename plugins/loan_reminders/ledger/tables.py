"""The tables of the ledger, as SQLAlchemy sees them; the migrations make them.

`runs` (one passage of a stage), `loans_seen` and `skips` (what the ILS gave and what was left out), `notices`,
`deliveries` and `delivery_loans` (the outbox and its claims on loans), `receipts` (every answer, never changed) and
`letter_batches`. A claim is a row of `delivery_loans` with `live`: the index `one_live_claim` lets one live claim
exist per loan, due date, stage and slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason

SCHEMA_REVISION = "0001"
"""The migration these tables stand for."""


class RunState(StrEnum):
    """How far a run is."""

    EXTRACTING = "extracting"
    EXTRACTED = "extracted"
    PLANNED = "planned"
    CLOSED = "closed"


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def _one_of(column: str, values: Iterable[StrEnum]) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)


def _library() -> Column[str]:
    return Column("library", Text, nullable=False)


def _moment(name: str, *, default: bool = False) -> Column[object]:
    now = text("now()") if default else None
    return Column(name, DateTime(timezone=True), nullable=not default, server_default=now)


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _of_run() -> Column[int]:
    return Column("run_id", BigInteger, ForeignKey("runs.run_id"), nullable=False)


runs = Table(
    "runs",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    _library(),
    Column("stage", Text, nullable=False),
    Column("reference_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("today", Date, nullable=False),
    Column("dag_run_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default="extracting"),
    _count("rows_read"),
    Column("loans_extracted", Integer),
    _count("deliveries_planned"),
    Column("books", JSONB),
    Column("balanced", Boolean),
    _moment("started_at", default=True),
    _moment("planned_at"),
    _moment("closed_at"),
    UniqueConstraint("library", "stage", "dag_run_id", "attempt", name="one_attempt"),
    _one_of("stage", Stage),
    _one_of("state", RunState),
)

loans_seen = Table(
    "loans_seen",
    metadata,
    _of_run(),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    _library(),
    Column("patron_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("record", JSONB, nullable=False),
    PrimaryKeyConstraint("run_id", "loan_id", "due_date"),
)

skips = Table(
    "skips",
    metadata,
    Column("skip_id", BigInteger, Identity(always=True), primary_key=True),
    _library(),
    _of_run(),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date),
    Column("patron_id", Text, nullable=False),
    Column("slot", Text),
    Column("reason", Text, nullable=False),
    _words("detail"),
    Column("raw", JSONB),
    _one_of("slot", Slot),
    _one_of("reason", SkipReason),
    Index("skips_of_run", "run_id", "loan_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    _library(),
    _of_run(),
    Column("stage", Text, nullable=False),
    Column("patron_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("language", Text, nullable=False),
    Column("loan_ids", ARRAY(Text), nullable=False),
    _one_of("stage", Stage),
    Index("notices_of_run", "run_id"),
    Index("notices_of_patron", "library", "patron_id"),
)

letter_batches = Table(
    "letter_batches",
    metadata,
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    _library(),
    _of_run(),
    Column("name", Text, nullable=False),
    Column("pdf", Text, nullable=False),
    Column("csv", Text, nullable=False),
    Column("letters", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    _moment("at", default=True),
    UniqueConstraint("library", "name", name="one_batch_of_a_name"),
    Index("letter_batches_of_run", "run_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    _library(),
    _of_run(),
    Column("notice_id", Uuid, ForeignKey("notices.notice_id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="planned"),
    Column("reason", Text),
    _count("attempts"),
    Column("resent_in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("claimed_by", Text),
    _moment("claimed_at"),
    _moment("answered_at"),
    _words("provider_id"),
    _words("raw"),
    _count("segments"),
    Column("cost", Numeric(12, 5, asdecimal=False), nullable=False, server_default="0"),
    Column("batch_id", BigInteger, ForeignKey("letter_batches.batch_id")),
    _one_of("stage", Stage),
    _one_of("channel", Channel),
    _one_of("slot", Slot),
    _one_of("state", DeliveryState),
    _one_of("reason", Reason),
    Index("deliveries_of_run", "run_id", "channel", "delivery_id"),
    Index("deliveries_of_notice", "notice_id"),
)

delivery_loans = Table(
    "delivery_loans",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    _library(),
    Column("stage", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("dropped", Text),
    PrimaryKeyConstraint("delivery_id", "loan_id", "due_date"),
    _one_of("stage", Stage),
    _one_of("slot", Slot),
    _one_of("dropped", (Reason.RETURNED, Reason.RENEWED)),
    Index(
        "one_live_claim",
        "library",
        "loan_id",
        "due_date",
        "stage",
        "slot",
        unique=True,
        postgresql_where=text("live"),
    ),
    Index("freed_claims", "library", "loan_id", "due_date", postgresql_where=text("NOT live")),
)

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", BigInteger, Identity(always=True), primary_key=True),
    _library(),
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    _moment("at", default=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    _words("provider_id"),
    _words("raw"),
    Column("applied", Boolean, nullable=False),
    _one_of("state", DeliveryState),
    _one_of("reason", Reason),
    Index("receipts_of_delivery", "delivery_id"),
)
