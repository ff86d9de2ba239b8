"""What went to a test address, and the letters made meanwhile: they told nobody, and are never for the post.

Revision: 0029. What was redirected before is found again: batches by the folder they are in, e-mails and SMS by how
their words begin, as far as these are kept. Its runs are counted anew by the next count of what is not counted yet.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

PAGE = 1000
TRIAL = b"(Essai, pour "
FOUND = """
    UPDATE deliveries SET redirected = true
    WHERE delivery_id = ANY(CAST(:found AS uuid[])) AND state NOT IN ('planned', 'cancelled')
"""


def upgrade() -> None:
    for table, name in (("deliveries", "redirected"), ("letter_batches", "trial")):
        op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute("UPDATE letter_batches SET trial = true WHERE name LIKE 'essai/%' OR name LIKE 'a-valider/essai/%'")
    op.execute("""
        UPDATE deliveries SET redirected = true WHERE state NOT IN ('planned', 'cancelled') AND delivery_id IN (
            SELECT letter.delivery_id FROM letters letter JOIN letter_batches batch USING (batch_id)
            WHERE batch.trial AND batch.state IN ('ready', 'printed')
        )
    """)
    op.execute("""
        UPDATE deliveries SET redirected = true WHERE state NOT IN ('planned', 'cancelled') AND delivery_id IN (
            SELECT delivery_id FROM sent_words WHERE subject LIKE '[Essai, pour %'
        )
    """)
    connection = op.get_bind()
    for found in _texts(connection):
        connection.execute(sa.text(FOUND), {"found": found})
    op.execute("""
        DELETE FROM counted_runs WHERE NOT frozen AND run_id IN (SELECT run_id FROM deliveries WHERE redirected)
    """)


def _texts(connection: sa.Connection) -> Iterator[list[uuid.UUID]]:
    """The SMS that say in their first words that they are a trial, page by page."""
    after = uuid.UUID(int=0)
    page = sa.text("""
        SELECT delivery_id, body FROM sent_words WHERE subject = '' AND delivery_id > :after
        ORDER BY delivery_id LIMIT :page
    """)
    while rows := connection.execute(page, {"after": after, "page": PAGE}).all():
        after = rows[-1].delivery_id
        found = [row.delivery_id for row in rows if _beginning(row.body).startswith(TRIAL)]
        if found:
            yield found


def _beginning(body: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, len(TRIAL))
    except zlib.error:  # damaged words tell nothing
        return b""


def downgrade() -> None:
    op.drop_column("letter_batches", "trial")
    op.drop_column("deliveries", "redirected")
