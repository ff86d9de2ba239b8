"""The tables of what SMS do: nobody is in them, and they stay when loans and readers are removed.

Each month has its counts by group of readers: a keyed hash puts every reader into one of 64 `bucket`s for good, since
what one reader does is not independent of what he did before; figures about buckets say how sure a difference is, and
from a bucket nobody can be told. `effect_overdues` follows the loans that fell due in a month and were not returned
then; `effect_returns` the loans that a stage told of in a month; `overdue_ages` is what was overdue on the last look of
a month, and for how long. `holdbacks` are the periods in which SMS were held back at random, as the planner met them;
`effect_findings` what was concluded each night.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Identity,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from loan_reminders.domain.stages import PatronCategory, Stage
from loan_reminders.domain.statistics.effect import Age, Length, ToldBy
from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, one_of

holdbacks = Table(
    "holdbacks",
    metadata,
    Column("holdback_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("share", Float, nullable=False),
    Column("seed", Text, nullable=False),
    Column("ended_on", Date),
    moment("at", default=True),
    UniqueConstraint("library", "first_day", "last_day", "share", "seed", name="one_holdback"),
)
"""`ended_on`: the first evening on which `library.toml` said otherwise, though the last day had not come."""

effect_overdues = Table(
    "effect_overdues",
    metadata,
    library_code(),
    Column("month", Date, nullable=False),
    Column("category", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    count("overdue"),
    count("long_overdue"),
    PrimaryKeyConstraint("library", "month", "category", "bucket"),
    one_of("category", PatronCategory),
)
"""By the month of the due date."""

effect_returns = Table(
    "effect_returns",
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
    one_of("stage", Stage),
    one_of("category", PatronCategory),
    one_of("length", Length),
    one_of("told_by", ToldBy),
)
"""By the month of the run. `holdback_id` 0: of no reader who might have been held back; `control`: held back."""

overdue_ages = Table(
    "overdue_ages",
    metadata,
    library_code(),
    Column("month", Date, nullable=False),
    Column("day", Date, nullable=False),
    Column("category", Text, nullable=False),
    Column("age", Text, nullable=False),
    count("loans"),
    PrimaryKeyConstraint("library", "month", "category", "age"),
    one_of("category", PatronCategory),
    one_of("age", Age),
)

effect_findings = Table(
    "effect_findings",
    metadata,
    library_code(),
    Column("day", Date, nullable=False),
    moment("at", default=True),
    Column("findings", JSONB, nullable=False),
    PrimaryKeyConstraint("library", "day"),
)
