"""The tables of the ledger, as SQLAlchemy sees them; the migrations make them.

Here are `runs` (one passage of a stage), `volume_answers` (is it usual, or approved?), `loans_seen` and `skips`
(what the ILS gave and what was left out), `notices`, `deliveries` and `delivery_loans` (the outbox and its claims on
loans), `receipts` (every answer, never changed). A claim is a row of `delivery_loans` with `live`: the index
`one_live_claim` lets one live claim exist per loan, due date, stage and slot.

In the modules beside: letters on paper in `letters`, receipts and replies of SMS in `sms`, bounces in `email`, who is
not written to any more in `suppressions`, what librarians see to by hand in `desk`, who did what in `journal`, readers
as last seen in `readers`, what readers asked for in `reader_rights`, figures in `statistics` and `effect`, what stays
of what was removed in `retention`, the high-water mark of what left in `marks`.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Slot
from loan_reminders.domain.states import DeliveryState, Reason, SkipReason
from loan_reminders.ledger.tables.columns import count, library_code, moment, of_run, one_of, stage_name, words
from loan_reminders.ledger.tables.columns import metadata as metadata
from loan_reminders.ledger.tables.corrections import corrections as corrections
from loan_reminders.ledger.tables.desk import desk_settlements as desk_settlements
from loan_reminders.ledger.tables.desk import put_aside as put_aside
from loan_reminders.ledger.tables.desk import question_answers as question_answers
from loan_reminders.ledger.tables.effect import effect_findings as effect_findings
from loan_reminders.ledger.tables.effect import effect_overdues as effect_overdues
from loan_reminders.ledger.tables.effect import effect_returns as effect_returns
from loan_reminders.ledger.tables.effect import holdbacks as holdbacks
from loan_reminders.ledger.tables.effect import overdue_ages as overdue_ages
from loan_reminders.ledger.tables.email import mail_bounces as mail_bounces
from loan_reminders.ledger.tables.holds import holds as holds
from loan_reminders.ledger.tables.holds import resends as resends
from loan_reminders.ledger.tables.journal import form_keys as form_keys
from loan_reminders.ledger.tables.journal import journal as journal
from loan_reminders.ledger.tables.letters import letter_batches as letter_batches
from loan_reminders.ledger.tables.letters import letter_events as letter_events
from loan_reminders.ledger.tables.letters import letters as letters
from loan_reminders.ledger.tables.letters import print_checks as print_checks
from loan_reminders.ledger.tables.letters import registered_letters as registered_letters
from loan_reminders.ledger.tables.letters import sent_words as sent_words
from loan_reminders.ledger.tables.marks import gaps as gaps
from loan_reminders.ledger.tables.marks import marks as marks
from loan_reminders.ledger.tables.reader_rights import amendments as amendments
from loan_reminders.ledger.tables.reader_rights import objections as objections
from loan_reminders.ledger.tables.readers import readers as readers
from loan_reminders.ledger.tables.retention import disputes as disputes
from loan_reminders.ledger.tables.retention import erased_cycles as erased_cycles
from loan_reminders.ledger.tables.retention import erasures as erasures
from loan_reminders.ledger.tables.retention import retention_state as retention_state
from loan_reminders.ledger.tables.sms import numbers_known as numbers_known
from loan_reminders.ledger.tables.sms import sms_acks as sms_acks
from loan_reminders.ledger.tables.sms import sms_choices as sms_choices
from loan_reminders.ledger.tables.sms import sms_credits as sms_credits
from loan_reminders.ledger.tables.sms import sms_replies as sms_replies
from loan_reminders.ledger.tables.statistics import counted_runs as counted_runs
from loan_reminders.ledger.tables.statistics import letter_counters as letter_counters
from loan_reminders.ledger.tables.statistics import loan_ends as loan_ends
from loan_reminders.ledger.tables.statistics import loan_looks as loan_looks
from loan_reminders.ledger.tables.statistics import message_counters as message_counters
from loan_reminders.ledger.tables.statistics import overdue_counters as overdue_counters
from loan_reminders.ledger.tables.statistics import return_counters as return_counters
from loan_reminders.ledger.tables.statistics import spared_counters as spared_counters
from loan_reminders.ledger.tables.suppressions import suppressions as suppressions

SCHEMA_REVISION = "0033"
"""The migration these tables stand for."""


class RunKind(StrEnum):
    """What a run is. `DAILY`: a stage passes over a day; `RESEND`: a librarian sends one reader's message again."""

    DAILY = "daily"
    RESEND = "resend"


class RunState(StrEnum):
    """How far a run is."""

    EXTRACTING = "extracting"
    EXTRACTED = "extracted"
    PLANNED = "planned"
    CLOSED = "closed"


runs = Table(
    "runs",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("stage", Text, nullable=False),
    Column("reference_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("today", Date, nullable=False),
    Column("dag_run_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default="extracting"),
    count("rows_read"),
    Column("loans_extracted", Integer),
    count("deliveries_planned"),
    Column("books", JSONB),
    Column("balanced", Boolean),
    moment("started_at", default=True),
    moment("planned_at"),
    moment("closed_at"),
    Column("kind", Text, nullable=False, server_default="daily"),
    Column("reading", JSONB(none_as_null=True)),
    UniqueConstraint("library", "stage", "dag_run_id", "attempt", name="one_attempt"),
    stage_name(),
    one_of("kind", RunKind),
    one_of("state", RunState),
    Index("runs_of_day", "library", "reference_date"),
    Index("runs_open", "library", "run_id", postgresql_where=text("state <> 'closed'")),
)

volume_answers = Table(
    "volume_answers",
    metadata,
    Column("answer_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    of_run(),
    moment("at", default=True),
    Column("answer", Text, nullable=False),
    words("who"),
    Column("reading", Boolean, nullable=False, server_default=text("false")),
    one_of("answer", VolumeAnswer),
    Index("volume_answers_of_run", "run_id", "answer_id"),
)

loans_seen = Table(
    "loans_seen",
    metadata,
    of_run(),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    library_code(),
    Column("patron_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("record", JSONB, nullable=False),
    PrimaryKeyConstraint("run_id", "loan_id", "due_date"),
    Index(
        "loans_seen_of_barcode",
        "library",
        text("(record ->> 'item_barcode')"),
        postgresql_where=text("record ->> 'item_barcode' <> ''"),
    ),
    Index("loans_seen_of_card", "library", text("(record #>> '{patron,barcode}')")),
    Index("loans_seen_of_loan", "library", "loan_id"),
)

skips = Table(
    "skips",
    metadata,
    Column("skip_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    of_run(),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date),
    Column("patron_id", Text, nullable=False),
    Column("slot", Text),
    Column("reason", Text, nullable=False),
    words("detail"),
    Column("raw", JSONB),
    one_of("slot", Slot),
    one_of("reason", SkipReason),
    Index("skips_of_run", "run_id", "loan_id"),
    Index("skips_of_patron", "library", "patron_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    library_code(),
    of_run(),
    Column("stage", Text, nullable=False),
    Column("patron_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    Column("language", Text, nullable=False),
    Column("loan_ids", ARRAY(Text), nullable=False),
    Column("branch", Text),
    Column("category", Text),
    stage_name(),
    Index("notices_of_run", "run_id"),
    Index("notices_of_patron", "library", "patron_id"),
)
"""`branch` and `category` are those of its first loan, once that one is removed: its messages are counted by them."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    library_code(),
    of_run(),
    Column("notice_id", Uuid, ForeignKey("notices.notice_id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="planned"),
    Column("reason", Text),
    count("attempts"),
    Column("resent_in_doubt", Boolean, nullable=False, server_default=text("false")),
    Column("claimed_by", Text),
    moment("claimed_at"),
    moment("answered_at"),
    words("provider_id"),
    words("campaign_id"),
    words("raw"),
    count("segments"),
    Column("cost", Numeric(12, 5, asdecimal=False), nullable=False, server_default="0"),
    Column("batch_id", BigInteger, ForeignKey("letter_batches.batch_id")),
    Column("redirected", Boolean, nullable=False, server_default=text("false")),
    stage_name(),
    one_of("channel", Channel),
    one_of("slot", Slot),
    one_of("state", DeliveryState),
    one_of("reason", Reason),
    Index("deliveries_of_run", "run_id", "channel", "delivery_id"),
    Index("deliveries_of_notice", "notice_id"),
    Index("deliveries_not_arrived", "run_id", postgresql_where=text("state NOT IN ('accepted', 'delivered')")),
    Index("sms_of_number", "library", "recipient", postgresql_where=text("channel = 'sms'")),
    Index(
        "emails_of_address", "library", text("lower(left(recipient, 254))"), postgresql_where=text("channel = 'email'")
    ),
    Index("claimed_sms", "library", "claimed_at", postgresql_where=text("channel = 'sms' AND claimed_at IS NOT NULL")),
    Index("deliveries_of_batch", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
)
"""`cost` is in euros, as the provider of SMS told them; 0 where it told none."""

delivery_loans = Table(
    "delivery_loans",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    Column("loan_id", Text, nullable=False),
    Column("due_date", Date, nullable=False),
    library_code(),
    Column("stage", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("dropped", Text),
    PrimaryKeyConstraint("delivery_id", "loan_id", "due_date"),
    stage_name(),
    one_of("slot", Slot),
    one_of("dropped", (Reason.RETURNED, Reason.RENEWED, Reason.HELD, Reason.NOT_TOLD)),
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
    library_code(),
    Column("delivery_id", Uuid, ForeignKey("deliveries.delivery_id", ondelete="CASCADE"), nullable=False),
    moment("at", default=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    words("provider_id"),
    words("raw"),
    Column("applied", Boolean, nullable=False),
    one_of("state", DeliveryState),
    one_of("reason", Reason),
    Index("receipts_of_delivery", "delivery_id"),
    Index("receipts_of_provider", "provider_id", postgresql_where=text("provider_id <> ''")),
)
