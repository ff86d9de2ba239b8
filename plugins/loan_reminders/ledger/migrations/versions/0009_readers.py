"""Readers as last seen, to be found by name, card, address or number; and indexes of what was said to one reader.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from loan_reminders.domain.readers.names import name_words, trigrams

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = {
    "loans_seen_of_loan": "loans_seen (library, loan_id)",
    "skips_of_patron": "skips (library, patron_id)",
    "emails_of_address": "deliveries (library, lower(left(recipient, 254))) WHERE channel = 'email'",
}
AT_A_TIME = 2_000
# A reader as the newest run that saw one described him; trial runs count for nothing.
NEWEST = """
    SELECT DISTINCT ON (seen.library, seen.patron_id) seen.library, seen.patron_id, seen.record ->> 'branch' AS branch,
           seen.record -> 'patron' AS patron, run.today
    FROM loans_seen seen JOIN runs run USING (run_id)
    WHERE NOT run.dry_run
    ORDER BY seen.library, seen.patron_id, seen.run_id DESC, seen.seq DESC
"""
KEEP = """
    INSERT INTO readers (library, patron_id, card, name, name_words, trigrams, email, mobile, category, branch,
        last_seen_on)
    SELECT * FROM jsonb_to_recordset(CAST(:readers AS jsonb)) AS came(library text, patron_id text, card text,
        name text, name_words text[], trigrams text[], email text, mobile text, category text, branch text,
        last_seen_on date)
"""


def upgrade() -> None:
    # First and by itself, as in 0006: a ledger in use is written to meanwhile.
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
    op.create_table(
        "readers",
        sa.Column("reader_number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False, server_default=""),
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("name_words", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("trigrams", ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("email", sa.Text(), nullable=False, server_default=""),
        sa.Column("mobile", sa.Text(), nullable=False, server_default=""),
        sa.Column("category", sa.Text(), nullable=False, server_default=""),
        sa.Column("branch", sa.Text(), nullable=False, server_default=""),
        sa.Column("last_seen_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("library", "patron_id", name="readers_pkey"),
        sa.UniqueConstraint("reader_number", name="one_reader_a_number"),
    )
    _keep_those_seen()
    # After the rows: an index is made faster than kept up.
    op.create_index("readers_of_card", "readers", ["library", "card"], postgresql_where=sa.text("card <> ''"))
    op.create_index("readers_of_email", "readers", ["library", sa.text("lower(email)")])
    op.create_index("readers_of_mobile", "readers", ["library", "mobile"], postgresql_where=sa.text("mobile <> ''"))
    op.create_index("readers_of_name", "readers", ["trigrams"], postgresql_using="gin")
    op.execute("ANALYZE readers")
    # PostgreSQL does not use what it knows of the expression of a partial index: it would believe that each address is
    # that of thousands of messages.
    op.execute("CREATE STATISTICS emails_of_address_stats ON lower(left(recipient, 254)) FROM deliveries")


def _keep_those_seen() -> None:
    """The readers of the loans that earlier runs saw."""
    connection = op.get_bind()
    found = connection.execute(sa.text(NEWEST).execution_options(yield_per=AT_A_TIME))
    for page in found.partitions():
        connection.execute(sa.text(KEEP), {"readers": json.dumps([_reader(row) for row in page])})


def _reader(row: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    patron = row.patron
    words = name_words(patron["name"])
    return {
        "library": row.library,
        "patron_id": row.patron_id,
        "card": patron["barcode"],
        "name": patron["name"],
        "name_words": words,
        "trigrams": trigrams(words),
        "email": patron["email"].get("value", ""),
        "mobile": patron["mobile"].get("value", ""),
        "category": patron["category"],
        "branch": row.branch or "",
        "last_seen_on": row.today.isoformat(),
    }


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP STATISTICS emails_of_address_stats")
    op.drop_table("readers")
