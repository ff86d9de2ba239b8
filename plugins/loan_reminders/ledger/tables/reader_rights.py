"""The tables of what readers asked for about themselves.

`objections` are the channels by which a reader is not written to; a line that is lifted stays. When the reader goes,
one in force keeps but a keyed hash of his number in `patron_id`: he is not written to when he comes back.
`amendments` are what was put right of what the ILS tells, with what it told then (`instead_of`, NULL until a run has
read it).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from loan_reminders.domain.readers.amendments import AmendedField, AmendmentEnd
from loan_reminders.domain.suppressions.objections import MAY_OBJECT
from loan_reminders.ledger.tables.columns import library_code, metadata, moment, one_of, words

objections = Table(
    "objections",
    metadata,
    Column("objection_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    words("reason"),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    moment("lifted_at"),
    words("lifted_by"),
    words("lift_reason"),
    one_of("channel", MAY_OBJECT),
    Index(
        "one_objection_each",
        "library",
        "patron_id",
        "channel",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
    Index("objections_of_patron", "library", "patron_id"),
    Index("objections_by_age", "library", "at", postgresql_where=text("lifted_at IS NULL")),
)

amendments = Table(
    "amendments",
    metadata,
    Column("amendment_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("instead_of", JSONB(none_as_null=True)),
    words("reason"),
    moment("at", default=True),
    Column("who", Text, nullable=False),
    moment("ended_at"),
    Column("how", Text),
    words("ended_by"),
    one_of("field", AmendedField),
    one_of("how", AmendmentEnd),
    Index(
        "one_amendment_each",
        "library",
        "patron_id",
        "field",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("amendments_of_patron", "library", "patron_id"),
)
