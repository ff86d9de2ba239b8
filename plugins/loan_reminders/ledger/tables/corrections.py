"""The table of readers' contacts that fail.

`name` is the reader's, for the list to be ordered by it without a look at every reader. A line is open until it ends
(`ended_at`: the contact changed, or its suppression was lifted) or a librarian settles it; one that fails again after
it was settled is open again. Two lines of one reader never tell of the same fault.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, UniqueConstraint, text

from loan_reminders.domain.readers.corrections import ContactFault, CorrectionOutcome
from loan_reminders.ledger.tables.columns import count, library_code, metadata, moment, one_of, words

OPEN = "ended_at IS NULL AND (settled_at IS NULL OR failed_at > settled_at)"
"""In SQL, whether a line waits for a librarian."""

corrections = Table(
    "corrections",
    metadata,
    Column("correction_id", BigInteger, Identity(always=True), primary_key=True),
    library_code(),
    Column("patron_id", Text, nullable=False),
    Column("fault", Text, nullable=False),
    words("contact"),
    words("branch"),
    words("name"),
    moment("since", default=True),
    moment("failed_at", default=True),
    count("notices"),
    Column("suppression_id", BigInteger),
    moment("ended_at"),
    moment("settled_at"),
    words("settled_by"),
    Column("outcome", Text),
    words("because"),
    UniqueConstraint("library", "patron_id", "fault", name="one_fault_each"),
    one_of("fault", ContactFault),
    one_of("outcome", CorrectionOutcome),
    Index("corrections_open", "library", "fault", "branch", postgresql_where=text(OPEN)),
    Index("corrections_of_suppression", "suppression_id", postgresql_where=text("suppression_id IS NOT NULL")),
)
