"""The tables of what stays when loans and readers are removed, and of what must not be removed yet.

`erased_cycles` keeps a keyed hash of each loan cycle that was removed, so that it is never told again; the key and how
far the removal got are in `retention_state`. `erasures` counts what was removed, by day and by who did it. `disputes`
are the loans and readers that a librarian wants kept, with the reason, who, and until when.

The tables `removed_*` have what removed loans counted for, so that the rest can still be counted anew and the sums stay
right: a recount is what the rows say that are still there, and this. Each has the columns of the counters it belongs to
(`statistics`, `effect`), and no more: numbers by run or month, never who or which loan. `removed_books` has the same of
the books of a run, by what they count (`measure`) and of which kind.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, of_run, words

erased_cycles = Table(
    "erased_cycles",
    metadata,
    library_code(),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("library", "hash"),
)

retention_state = Table(
    "retention_state",
    metadata,
    Column("library", Text, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("latest_due_date", Date),
    Column("ended_until", Date),
    Column("runs_until", Date),
    Column("journal_until", DateTime(timezone=True)),
    Column("hides_contacts", Boolean, nullable=False, server_default=text("false")),
)
"""`latest_due_date` is the latest of all removed cycles: no later one needs to be looked for. Of loans that ended until
`ended_until` some were removed by a program that did not keep yet what they counted for (see below). Runs up to
`runs_until` and lines of the journal up to `journal_until` need no second look."""

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("day", Date, nullable=False),
    words("who"),
    count("loans"),
    count("messages"),
    count("readers"),
    count("batches"),
    count("folders"),
    count("contacts"),
    count("others"),
    moment("at", default=True),
    moment("told_at"),
    Index("erasures_to_tell", "library", "day", "who", unique=True, postgresql_where=text("told_at IS NULL")),
)
"""`told_at` is when the row was written to the journal: it never changes after that."""

disputes = Table(
    "disputes",
    metadata,
    Column("dispute_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    words("loan_id"),
    words("title"),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    moment("at", default=True),
    Column("until", Date, nullable=False),
    moment("closed_at"),
    words("closed_by"),
    Index(
        "one_dispute_each",
        "library",
        "patron_id",
        "loan_id",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("disputes_of_loan", "library", "loan_id", postgresql_where=text("closed_at IS NULL")),
)

removed_messages = Table(
    "removed_messages",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("told"),
    count("not_reached"),
    count("failed"),
    count("in_doubt"),
    count("waiting"),
    count("segments"),
    count("sms"),
    Column("cost", Numeric(14, 5, asdecimal=False), nullable=False, server_default="0"),
    count("unpriced"),
    PrimaryKeyConstraint("run_id", "moment", "channel", "branch", "category"),
)
"""`sms` are those that are paid for, whatever they counted for: what was redirected, or sent once more, too."""

removed_returns = Table(
    "removed_returns",
    metadata,
    library_code(),
    of_run(),
    Column("day", Date, nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("loans"),
    count("known_1"),
    count("known_3"),
    count("known_7"),
    count("returned_1"),
    count("returned_3"),
    count("returned_7"),
    count("renewed_7"),
    PrimaryKeyConstraint("run_id", "channel", "branch", "category"),
)

removed_letters = Table(
    "removed_letters",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    count("printed"),
    count("posted"),
    PrimaryKeyConstraint("run_id", "moment", "channel", "pages"),
)

removed_spared = Table(
    "removed_spared",
    metadata,
    library_code(),
    of_run(),
    Column("moment", DateTime(timezone=True), nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    count("sms"),
    PrimaryKeyConstraint("run_id", "reason"),
)

removed_overdue = Table(
    "removed_overdue",
    metadata,
    library_code(),
    Column("day", Date, nullable=False),
    Column("branch", Text, nullable=False),
    Column("category", Text, nullable=False),
    count("overdue"),
    count("long_overdue"),
    PrimaryKeyConstraint("library", "day", "branch", "category"),
)

removed_effect_overdues = Table(
    "removed_effect_overdues",
    metadata,
    library_code(),
    Column("month", Date, nullable=False),
    Column("category", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    count("overdue"),
    count("long_overdue"),
    PrimaryKeyConstraint("library", "month", "category", "bucket"),
)

removed_effect_returns = Table(
    "removed_effect_returns",
    metadata,
    library_code(),
    Column("month", Date, nullable=False),
    Column("stage", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("length", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("told_by", Text, nullable=False),
    Column("holdback_id", BigInteger, nullable=False),
    Column("control", Boolean, nullable=False),
    count("loans"),
    count("known_1"),
    count("known_3"),
    count("known_7"),
    count("returned_1"),
    count("returned_3"),
    count("returned_7"),
    PrimaryKeyConstraint(
        "library", "month", "stage", "category", "length", "bucket", "told_by", "holdback_id", "control"
    ),
)

removed_books = Table(
    "removed_books",
    metadata,
    library_code(),
    of_run(),
    Column("measure", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Numeric(14, 5, asdecimal=False), nullable=False),
    PrimaryKeyConstraint("run_id", "measure", "kind"),
)
"""`kind` is a reason of skips, or a channel and a state with a space between; empty where a measure has no kinds."""
