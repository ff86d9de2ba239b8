"""The journal of who did what, which nobody can change, and the keys of forms that were sent.

What the tables before it know of the acts of persons is copied into it once, so that it begins complete.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTS = [
    "reader_seen",
    "contacts_shown",
    "dispute_file_made",
    "real_loan_previewed",
    "list_downloaded",
    "message_resent",
    "held",
    "hold_lifted",
    "suppressed",
    "suppression_lifted",
    "contact_corrected",
    "contact_ignored",
    "delivery_settled",
    "aside_settled",
    "bounces_believed",
    "bounces_not_believed",
    "volume_approved",
    "volume_refused",
    "day_caught_up",
    "letters_approved",
    "letters_refused",
    "letter_taken_out",
    "batch_printed",
    "batch_exported",
    "batch_given_again",
    "batch_copied",
    "letter_copied",
    "letter_returned",
    "letter_numbered",
    "letter_posted",
    "letter_acknowledged",
    "step_undone",
    "counters_rebuilt",
]

# What the program did by itself (`relances`, `échéance`, `remplacé`, `autre retour`) is nobody's act. When the held
# bounces of a domain were decided is known by when they were settled, right after.
COPY = """
    INSERT INTO journal (library, at, who, act, patron_id, delivery_id, batch_id, run_id, detail, facts)
    SELECT library, at, who, act, coalesce(patron_id, ''), delivery_id, batch_id, run_id, detail, facts
    FROM (
        SELECT event.library, event.at, event.who,
               CASE event.act
                   WHEN 'approved' THEN 'letters_approved' WHEN 'not_approved' THEN 'letters_refused'
                   WHEN 'taken_out' THEN 'letter_taken_out' WHEN 'printed' THEN 'batch_printed'
                   WHEN 'copied' THEN CASE WHEN event.delivery_id IS NULL THEN 'batch_copied' ELSE 'letter_copied' END
                   WHEN 'undone' THEN 'step_undone' ELSE 'letter_' || event.act
               END AS act,
               notice.patron_id, event.delivery_id, event.batch_id, batch.run_id, event.detail,
               jsonb_strip_nulls(jsonb_build_object(
                   'number', event.after -> 'tracking_number', 'why', event.after -> 'return_reason'
               )) AS facts
        FROM letter_events event
        LEFT JOIN letter_batches batch ON batch.batch_id = event.batch_id
        LEFT JOIN deliveries delivery ON delivery.delivery_id = event.delivery_id
        LEFT JOIN notices notice ON notice.notice_id = delivery.notice_id
        WHERE event.who NOT IN ('', 'relances') AND event.act IN (
            'approved', 'not_approved', 'taken_out', 'printed', 'copied', 'numbered', 'posted', 'acknowledged',
            'returned', 'undone'
        )
        UNION ALL
        SELECT library, at, split_part(detail, ' : ', 1), 'suppressed', NULL, NULL, NULL, NULL,
               substr(detail, length(split_part(detail, ' : ', 1)) + 4),
               jsonb_build_object('line', suppression_id, 'channel', channel)
        FROM suppressions WHERE reason = 'by_librarian' AND detail <> ''
        UNION ALL
        SELECT library, lifted_at, lifted_by, 'suppression_lifted', NULL, NULL, NULL, NULL, '',
               jsonb_build_object('line', suppression_id, 'channel', channel, 'reason', reason)
        FROM suppressions WHERE lifted_at IS NOT NULL AND lifted_by NOT IN ('', 'échéance', 'remplacé')
        UNION ALL
        SELECT settled.library, settled.at, settled.who, 'delivery_settled', notice.patron_id, settled.delivery_id,
               NULL, delivery.run_id, '', jsonb_build_object('channel', delivery.channel, 'stage', delivery.stage)
        FROM desk_settlements settled JOIN deliveries delivery USING (delivery_id) JOIN notices notice USING (notice_id)
        UNION ALL
        SELECT answer.library, answer.at, answer.who, 'volume_' || answer.answer, NULL, NULL, NULL, answer.run_id, '',
               jsonb_build_object('stage', run.stage, 'day', run.reference_date)
        FROM volume_answers answer JOIN runs run USING (run_id)
        WHERE answer.answer IN ('approved', 'refused') AND answer.who <> ''
        UNION ALL
        SELECT library, max(coalesce(settled_at, at)), decided_by,
               CASE kind WHEN 'hard' THEN 'bounces_believed' ELSE 'bounces_not_believed' END, NULL, NULL, NULL, NULL,
               lower(split_part(recipient, '@', 2)), jsonb_build_object('bounces', count(*))
        FROM mail_bounces WHERE decided_by NOT IN ('', 'autre retour')
        GROUP BY library, decided_by, kind, lower(split_part(recipient, '@', 2)), date_trunc('minute', settled_at)
    ) AS acts
    ORDER BY at
"""


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "journal",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("patron_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("delivery_id", sa.Uuid()),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("facts", JSONB(), nullable=False, server_default="{}"),
        sa.PrimaryKeyConstraint("entry_id", name="journal_pkey"),
        sa.CheckConstraint("act IN ({})".format(", ".join(f"'{act}'" for act in ACTS)), name="act"),
    )
    op.execute(COPY)
    op.create_index("journal_by_age", "journal", ["library", "at", "entry_id"])
    op.create_index("journal_of_person", "journal", ["library", "who", "at", "entry_id"])
    op.create_index("journal_of_act", "journal", ["library", "act", "at", "entry_id"])
    op.create_index(
        "journal_of_patron",
        "journal",
        ["library", "patron_id", "at", "entry_id"],
        postgresql_where=sa.text("patron_id <> ''"),
    )
    op.execute("""
        CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the journal is append-only';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
    """)
    op.create_table(
        "form_keys",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("library", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("led_to", sa.Text()),
        sa.PrimaryKeyConstraint("library", "key", name="form_keys_pkey"),
    )
    op.create_index("form_keys_by_age", "form_keys", ["at"])


def downgrade() -> None:
    op.drop_table("form_keys")
    op.drop_table("journal")
    op.execute("DROP FUNCTION journal_is_append_only()")
