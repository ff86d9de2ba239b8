"""Contacts of readers that fail, with what was done about each; and why a suppression was lifted.

Revision: 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FAULTS = "'no_contact', 'unusable_address', 'returned_letter', 'bounced_email', 'unusable_email', 'dead_number', 'stop'"
OPEN = "ended_at IS NULL AND (settled_at IS NULL OR failed_at > settled_at)"
FAULT_OF = """CASE reason
    WHEN 'stop' THEN 'stop' WHEN 'blacklist' THEN 'stop' WHEN 'dead_number' THEN 'dead_number'
    WHEN 'hard_bounce' THEN 'bounced_email' WHEN 'returned_undeliverable' THEN 'returned_letter' END"""

# A line whose suppression is lifted, whoever lifts it, has nothing left to correct.
LIFTED = """
    CREATE FUNCTION corrections_end_lifted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE corrections SET ended_at = NEW.lifted_at
        WHERE suppression_id = NEW.suppression_id AND ended_at IS NULL;
        RETURN NULL;
    END $$
"""
LIFTED_TRIGGER = """
    CREATE TRIGGER corrections_end_lifted AFTER UPDATE OF lifted_at ON suppressions
    FOR EACH ROW WHEN (OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL)
    EXECUTE FUNCTION corrections_end_lifted()
"""

# What the ledger knows already. A reader is where the newest run saw him; of the numbers and addresses on the list of
# suppressions, those that he has still are his.
OF_NUMBERS = f"""
    INSERT INTO corrections (library, patron_id, fault, contact, branch, name, since, failed_at, suppression_id)
    SELECT DISTINCT ON (library, patron_id, fault) * FROM (
        SELECT line.library, reader.patron_id, {FAULT_OF} AS fault, line.recipient, reader.branch, reader.name,
               line.since, line.since AS failed_at, line.suppression_id
        FROM suppressions line JOIN readers reader ON reader.library = line.library
         AND (line.channel = 'sms' AND reader.mobile = line.recipient AND reader.mobile <> ''
              OR line.channel = 'email' AND lower(reader.email) = lower(line.recipient) AND reader.email <> '')
        WHERE line.lifted_at IS NULL AND (line.until IS NULL OR line.until > now()) AND line.reason <> 'by_librarian'
    ) AS found
    ORDER BY library, patron_id, fault, since DESC
"""  # noqa: S608 - the piece is this module's own
OF_LETTERS = """
    INSERT INTO corrections (library, patron_id, fault, contact, branch, name, since, failed_at, suppression_id)
    SELECT DISTINCT ON (line.library, notice.patron_id)
           line.library, notice.patron_id, 'returned_letter', line.recipient, coalesce(reader.branch, ''),
           coalesce(reader.name, ''), line.since, line.since, line.suppression_id
    FROM suppressions line
    JOIN letter_events event ON event.act = 'returned'
     AND CAST(event.after ->> 'suppression_id' AS bigint) = line.suppression_id
    JOIN deliveries delivery ON delivery.delivery_id = event.delivery_id
    JOIN notices notice ON notice.notice_id = delivery.notice_id
    LEFT JOIN readers reader ON reader.library = line.library AND reader.patron_id = notice.patron_id
    WHERE line.channel = 'letter' AND line.lifted_at IS NULL AND (line.until IS NULL OR line.until > now())
    ORDER BY line.library, notice.patron_id, line.since DESC
"""
# What the newest run that could not write to a reader, within a year, saw of his contacts; a later run that could write
# to him shows that he is reached.
OF_SKIPS = """
    INSERT INTO corrections (library, patron_id, fault, contact, branch, name, since, failed_at, notices)
    SELECT library, patron_id, fault,
           CASE fault WHEN 'unusable_email' THEN email ELSE address END, branch, name, first, last, number
    FROM (
        SELECT failed.*, seen.record #>> '{patron,email,refusal}' AS email,
               seen.record #>> '{patron,address,refusal}' AS address, coalesce(seen.record ->> 'branch', '') AS branch,
               coalesce(seen.record #>> '{patron,name}', '') AS name,
               CASE WHEN seen.record #>> '{patron,address,refusal}' = 'missing'
                     AND seen.record #>> '{patron,email,refusal}' IS NOT NULL
                     AND seen.record #>> '{patron,mobile,refusal}' IS NOT NULL THEN 'no_contact'
                    WHEN failed.detail LIKE '%letter:%' AND seen.record #>> '{patron,address,refusal}' IS NOT NULL
                    THEN 'unusable_address'
                    WHEN seen.record #>> '{patron,email,refusal}' <> 'missing' THEN 'unusable_email' END AS fault
        FROM (
            SELECT DISTINCT ON (skip.library, skip.patron_id) skip.*,
                   min(run.started_at) OVER everything AS first, max(run.started_at) OVER everything AS last,
                   dense_rank() OVER (PARTITION BY skip.library, skip.patron_id ORDER BY skip.run_id) AS number
            FROM skips skip JOIN runs run USING (run_id)
            WHERE NOT run.dry_run AND run.started_at > now() - interval '1 year'
              AND skip.reason IN ('invalid_recipient', 'no_recipient') AND coalesce(skip.slot, 'written') = 'written'
            WINDOW everything AS (PARTITION BY skip.library, skip.patron_id)
            ORDER BY skip.library, skip.patron_id, skip.run_id DESC, skip.skip_id
        ) AS failed
        JOIN loans_seen seen ON seen.run_id = failed.run_id AND seen.loan_id = failed.loan_id
         AND seen.due_date = failed.due_date
        WHERE NOT EXISTS (
            SELECT FROM notices notice
            WHERE notice.library = failed.library AND notice.patron_id = failed.patron_id
              AND notice.run_id > failed.run_id
        )
    ) AS found
    WHERE fault IS NOT NULL
"""


def upgrade() -> None:
    now = sa.text("now()")
    op.add_column("suppressions", sa.Column("lifted_because", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "corrections",
        sa.Column("correction_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False, server_default=""),
        sa.Column("branch", sa.Text(), nullable=False, server_default=""),
        sa.Column("name", sa.Text(), nullable=False, server_default=""),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("notices", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("suppression_id", sa.BigInteger()),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("settled_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("outcome", sa.Text()),
        sa.Column("because", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("correction_id", name="corrections_pkey"),
        sa.UniqueConstraint("library", "patron_id", "fault", name="one_fault_each"),
        sa.CheckConstraint(f"fault IN ({FAULTS})", name=op.f("corrections_fault_check")),
        sa.CheckConstraint("outcome IN ('corrected', 'ignored')", name=op.f("corrections_outcome_check")),
    )
    for statement in (OF_NUMBERS, OF_LETTERS, OF_SKIPS):
        op.execute(statement)
    op.create_index("corrections_open", "corrections", ["library", "fault", "branch"], postgresql_where=sa.text(OPEN))
    op.create_index(
        "corrections_of_suppression",
        "corrections",
        ["suppression_id"],
        postgresql_where=sa.text("suppression_id IS NOT NULL"),
    )
    op.execute(LIFTED)
    op.execute(LIFTED_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER corrections_end_lifted ON suppressions")
    op.execute("DROP FUNCTION corrections_end_lifted()")
    op.drop_table("corrections")
    op.drop_column("suppressions", "lifted_because")
