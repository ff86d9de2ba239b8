"""What stays of loans and readers whose time has come, disputes that keep them longer, and a journal that can forget.

Revision: 0018. No table is written anew; indexes are made while the ledger is in use. Going back forgets which cycles
were removed: should the ILS give one of them again, it would be told.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEXES = {
    "deliveries_of_batch": "deliveries (batch_id) WHERE batch_id IS NOT NULL",
    "readers_by_day": "readers (library, last_seen_on, patron_id)",
    "sms_replies_by_age": "sms_replies (library, at)",
}
ACTS = ("dispute_noted", "dispute_closed", "data_erased")
COUNTS = ("loans", "messages", "readers", "batches", "folders", "contacts", "others")

# A line is never removed, and nothing of it is ever changed. It may only lose what says which reader it was about, and
# only where the transaction says that it forgets: who did what, and when, stays.
FORGETS = """
    CREATE FUNCTION journal_only_forgets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('loan_reminders.forgetting', true) IS DISTINCT FROM 'on'
           OR (NEW.entry_id, NEW.library, NEW.at, NEW.who, NEW.act, NEW.batch_id, NEW.run_id)
              IS DISTINCT FROM (OLD.entry_id, OLD.library, OLD.at, OLD.who, OLD.act, OLD.batch_id, OLD.run_id)
           OR NEW.patron_id NOT IN ('', OLD.patron_id) OR NEW.detail NOT IN ('', OLD.detail)
           OR NEW.delivery_id IS NOT NULL AND NEW.delivery_id IS DISTINCT FROM OLD.delivery_id
           OR NOT OLD.facts @> NEW.facts
        THEN
            RAISE EXCEPTION 'the journal is append-only';
        END IF;
        RETURN NEW;
    END $$
"""
NO_REMOVAL = """
    CREATE TRIGGER journal_is_append_only BEFORE DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
"""
NO_CHANGE = """
    CREATE TRIGGER journal_only_forgets BEFORE UPDATE ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_only_forgets()
"""
NOTHING_AT_ALL = """
    CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
    now = sa.text("now()")
    op.add_column("counted_runs", sa.Column("frozen", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_table(
        "erased_cycles",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("library", "hash", name="erased_cycles_pkey"),
    )
    op.create_table(
        "retention_state",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("latest_due_date", sa.Date()),
        sa.Column("ended_until", sa.Date()),
        sa.Column("runs_until", sa.Date()),
        sa.Column("journal_until", sa.DateTime(timezone=True)),
        sa.Column("hides_contacts", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.PrimaryKeyConstraint("library", name="retention_state_pkey"),
    )
    op.create_table(
        "erasures",
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in COUNTS),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("library", "day", name="erasures_pkey"),
    )
    op.create_table(
        "disputes",
        sa.Column("dispute_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("loan_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("closed_by", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("dispute_id", name="disputes_pkey"),
    )
    op.create_index(
        "one_dispute_each",
        "disputes",
        ["library", "patron_id", "loan_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "disputes_of_loan", "disputes", ["library", "loan_id"], postgresql_where=sa.text("closed_at IS NULL")
    )
    _journal_knows(ACTS)
    op.execute("DROP TRIGGER journal_is_append_only ON journal")
    op.execute(FORGETS)
    op.execute(NO_REMOVAL)
    op.execute(NO_CHANGE)


def _journal_knows(more: tuple[str, ...]) -> None:
    """Let the journal hold these acts besides those that it holds already, whichever they are."""
    connection = op.get_bind()
    known = connection.execute(
        sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'journal_act_check'")
    ).scalar_one()
    acts = [act for act in known.split("'")[1::2] if act not in ACTS]
    allowed = ", ".join(f"'{act}'" for act in [*acts, *more])
    # Lines that are there hold acts that are allowed: they need not be read again while nobody may write.
    op.execute("ALTER TABLE journal DROP CONSTRAINT journal_act_check")
    op.execute(f"ALTER TABLE journal ADD CONSTRAINT journal_act_check CHECK (act IN ({allowed})) NOT VALID")
    op.execute("ALTER TABLE journal VALIDATE CONSTRAINT journal_act_check")


def downgrade() -> None:
    # First, since it ends a transaction in the middle: whoever is cut short begins again with all that follows.
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute("DROP TRIGGER journal_only_forgets ON journal")
    op.execute("DROP TRIGGER journal_is_append_only ON journal")
    op.execute("DROP FUNCTION journal_only_forgets()")
    op.execute("DELETE FROM journal WHERE act IN ('dispute_noted', 'dispute_closed', 'data_erased')")
    op.execute(NOTHING_AT_ALL)
    _journal_knows(())
    for table in ("disputes", "erasures", "retention_state", "erased_cycles"):
        op.drop_table(table)
    op.drop_column("counted_runs", "frozen")
