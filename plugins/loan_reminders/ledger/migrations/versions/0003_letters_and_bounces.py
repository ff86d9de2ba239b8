"""Letters on paper, page by page; the life of registered letters; the words that left; e-mails that came back.

Revision: 0003, after 0002.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OLD_REASONS = (
    "'dry_run', 'returned', 'renewed', 'superseded', 'expired', 'not_approved', 'same_number_today',"
    " 'opted_out', 'dead_number', 'invalid_recipient', 'recipient_refused', 'recipient_deferred',"
    " 'message_refused', 'not_rendered', 'text_too_long', 'no_answer', 'unreadable_answer', 'interrupted',"
    " 'not_sent', 'retries_exhausted'"
)
REASONS = OLD_REASONS.replace("'dead_number'", "'dead_number', 'dead_address', 'taken_out'")
OLD_SKIP_REASONS = (
    "'already_sent', 'superseded', 'expired', 'not_yet_due', 'opted_out', 'dead_number',"
    " 'invalid_recipient', 'no_recipient', 'not_eligible', 'returned', 'renewed', 'invalid_row', 'duplicate_row'"
)
SKIP_REASONS = OLD_SKIP_REASONS.replace("'dead_number'", "'dead_number', 'dead_address'")
OLD_SUPPRESSION_REASONS = "'stop', 'blacklist', 'dead_number', 'by_librarian'"
SUPPRESSION_REASONS = f"{OLD_SUPPRESSION_REASONS}, 'hard_bounce', 'returned_undeliverable'"
OLD_SOURCES = "'reply', 'provider', 'receipts', 'librarian'"
SOURCES = f"{OLD_SOURCES}, 'bounces'"
CLOSED_LISTS = (
    ("deliveries", "reason", REASONS, OLD_REASONS),
    ("receipts", "reason", REASONS, OLD_REASONS),
    ("skips", "reason", SKIP_REASONS, OLD_SKIP_REASONS),
    ("suppressions", "reason", SUPPRESSION_REASONS, OLD_SUPPRESSION_REASONS),
    ("suppressions", "source", SOURCES, OLD_SOURCES),
)
# What the older program has no word for is told by its nearest one, or forgotten where it would do harm.
OLDER_WORDS = (
    "UPDATE deliveries SET reason = 'invalid_recipient' WHERE reason = 'dead_address'",
    "UPDATE deliveries SET reason = 'not_approved' WHERE reason = 'taken_out'",
    "UPDATE receipts SET reason = 'invalid_recipient' WHERE reason = 'dead_address'",
    "UPDATE receipts SET reason = 'not_approved' WHERE reason = 'taken_out'",
    "UPDATE skips SET reason = 'invalid_recipient' WHERE reason = 'dead_address'",
    "DELETE FROM suppressions WHERE reason IN ('hard_bounce', 'returned_undeliverable') OR source = 'bounces'",
)
MAY_MOVE = """
CREATE OR REPLACE FUNCTION reminders_may_move(old_state text, new_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT (old_state, new_state) IN (
    ('planned', 'claimed'), ('planned', 'cancelled'), ('planned', 'refused'), ('planned', 'failed'),
    ('claimed', 'planned'), ('claimed', 'accepted'), ('claimed', 'refused'), ('claimed', 'in_doubt'),
    ('claimed', 'failed'),
    ('in_doubt', 'claimed'), ('in_doubt', 'accepted'), ('in_doubt', 'delivered'), ('in_doubt', 'refused'),
    ('in_doubt', 'bounced'), ('in_doubt', 'cancelled'),
    ('accepted', 'delivered'), ('accepted', 'bounced'){more}
)
$$
"""
BATCH_STATES = "'draft', 'ready', 'printed', 'abandoned'"
REGISTERED_STATES = "'to_print', 'printed', 'numbered', 'posted', 'acknowledged', 'returned'"
RETURN_REASONS = "'unclaimed', 'returned_undeliverable', 'refused_by_reader'"
ACTS = (
    "'drafted', 'approved', 'not_approved', 'closed', 'taken_out', 'left_out', 'printed', 'copied', 'numbered',"
    " 'posted', 'acknowledged', 'returned', 'undone'"
)


def _moment(name: str, *, default: bool = False) -> sa.Column[object]:
    now = sa.text("now()") if default else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not default, server_default=now)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _batch_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("kind", sa.Text(), nullable=False, server_default="letter"),
        _words("branch"),
        sa.Column("state", sa.Text(), nullable=False, server_default="ready"),
        _words("slip"),
        sa.Column("more_pdfs", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("left_out", sa.Integer(), nullable=False, server_default="0"),
        _moment("printed_at"),
        _words("printed_by"),
    )


def _of_delivery(table: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["delivery_id"], ["deliveries.delivery_id"], name=f"{table}_delivery_id_fkey", ondelete=ondelete
    )


def _of_batch(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batch_id"], ["letter_batches.batch_id"], name=f"{table}_batch_id_fkey")


def _one_of(table: str, column: str, allowed: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=op.f(f"{table}_{column}_check"))


def _closed_list(table: str, column: str, allowed: str) -> None:
    op.drop_constraint(op.f(f"{table}_{column}_check"), table, type_="check")
    op.create_check_constraint(op.f(f"{table}_{column}_check"), table, f"{column} IN ({allowed})")


def upgrade() -> None:
    for table, column, allowed, _ in CLOSED_LISTS:
        _closed_list(table, column, allowed)
    op.execute(MAY_MOVE.format(more=", ('accepted', 'cancelled')"))
    for added in _batch_columns():
        op.add_column("letter_batches", added)
    op.create_check_constraint(
        op.f("letter_batches_kind_check"), "letter_batches", "kind IN ('letter', 'registered_letter')"
    )
    op.create_check_constraint(op.f("letter_batches_state_check"), "letter_batches", f"state IN ({BATCH_STATES})")
    # The older program kept a batch's kind nowhere but in the stage of its run.
    op.execute(
        "UPDATE letter_batches SET kind = 'registered_letter' FROM runs"
        " WHERE runs.run_id = letter_batches.run_id AND runs.stage = 'registered_letter'"
    )
    _create_letters()
    _create_registered_letters()
    _create_events_and_words()
    _create_bounces()


def _create_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("first_page", sa.Integer(), nullable=False),
        sa.Column("last_page", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text()),
        sa.PrimaryKeyConstraint("delivery_id", name="letters_pkey"),
        _of_delivery("letters"),
        _of_batch("letters"),
        _one_of("letters", "left_out", "'returned', 'renewed', 'taken_out'"),
    )
    op.create_index("letters_of_batch", "letters", ["batch_id", "position"])
    op.create_index("letters_of_reference", "letters", ["library", "reference"])


def _create_registered_letters() -> None:
    op.create_table(
        "registered_letters",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, server_default="to_print"),
        sa.Column("tracking_number", sa.Text()),
        sa.Column("posted_on", sa.Date()),
        sa.Column("acknowledged_on", sa.Date()),
        sa.Column("returned_on", sa.Date()),
        sa.Column("return_reason", sa.Text()),
        sa.PrimaryKeyConstraint("delivery_id", name="registered_letters_pkey"),
        _of_delivery("registered_letters"),
        _one_of("registered_letters", "state", REGISTERED_STATES),
        _one_of("registered_letters", "return_reason", RETURN_REASONS),
    )
    op.create_index(
        "one_letter_a_number",
        "registered_letters",
        ["library", "tracking_number"],
        unique=True,
        postgresql_where=sa.text("tracking_number IS NOT NULL"),
    )
    op.create_index("registered_letters_by_state", "registered_letters", ["library", "state", "posted_on"])


def _create_events_and_words() -> None:
    op.create_table(
        "letter_events",
        sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("delivery_id", sa.Uuid()),
        _moment("at", default=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        _words("detail"),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.PrimaryKeyConstraint("event_id", name="letter_events_pkey"),
        _of_batch("letter_events"),
        _of_delivery("letter_events"),
        _one_of("letter_events", "act", ACTS),
    )
    op.create_index("letter_events_of_batch", "letter_events", ["batch_id"])
    op.create_index("letter_events_of_letter", "letter_events", ["delivery_id"])
    op.create_table(
        "sent_words",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        _moment("at", default=True),
        _words("subject"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name="sent_words_pkey"),
        _of_delivery("sent_words"),
    )


def _create_bounces() -> None:
    op.create_table(
        "mail_bounces",
        sa.Column("bounce_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Uuid()),
        _words("recipient"),
        _words("status"),
        _words("diagnostic"),
        _words("raw"),
        _moment("received_at"),
        _moment("at", default=True),
        _moment("settled_at"),
        sa.PrimaryKeyConstraint("bounce_id", name="mail_bounces_pkey"),
        _of_delivery("mail_bounces", ondelete="SET NULL"),
        sa.UniqueConstraint("library", "fingerprint", name="one_bounce_each"),
        _one_of("mail_bounces", "kind", "'hard', 'soft', 'delayed'"),
    )
    op.create_index(
        "mail_bounces_to_settle",
        "mail_bounces",
        ["library", "bounce_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("mail_bounces_of_delivery", "mail_bounces", ["delivery_id"])
    op.create_index("mail_bounces_of_recipient", "mail_bounces", ["library", "recipient"])


def downgrade() -> None:
    # Drafts are nobody's letters yet, and the older program would take them for batches to print.
    op.execute("DELETE FROM letter_events")
    for table in ("mail_bounces", "sent_words", "letter_events", "registered_letters", "letters"):
        op.drop_table(table)
    op.execute("DELETE FROM letter_batches WHERE state IN ('draft', 'abandoned')")
    for name in ("kind", "state"):
        op.drop_constraint(op.f(f"letter_batches_{name}_check"), "letter_batches", type_="check")
    for added in _batch_columns():
        op.drop_column("letter_batches", added.name)
    op.execute(MAY_MOVE.format(more=""))
    for statement in OLDER_WORDS:
        op.execute(statement)
    for table, column, _, allowed in CLOSED_LISTS:
        _closed_list(table, column, allowed)
