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
LETTERS = """
    SELECT letter.delivery_id FROM letters letter JOIN letter_batches batch USING (batch_id)
    WHERE batch.trial AND batch.state IN ('ready', 'printed')
"""
FOUND = """
    UPDATE deliveries SET redirected = true
    WHERE delivery_id = ANY(CAST(:found AS uuid[])) AND state NOT IN ('planned', 'cancelled')
    RETURNING run_id
"""
WORDS = """
    SELECT delivery_id, subject LIKE '[Essai, pour %' AS is_trial, CASE WHEN subject = '' THEN body END AS of_sms
    FROM sent_words WHERE delivery_id > :after ORDER BY delivery_id LIMIT :page
"""
UNCOUNTED = "DELETE FROM counted_runs WHERE NOT frozen AND run_id = ANY(CAST(:runs AS bigint[]))"


def upgrade() -> None:
    # Each statement is a transaction of its own, so that no table is held while all words are read. Whoever is cut
    # short begins again and finds the same messages, and so all runs to count.
    runs: set[int] = set()
    with op.get_context().autocommit_block():
        for table, name in (("deliveries", "redirected"), ("letter_batches", "trial")):
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} boolean NOT NULL DEFAULT false")
        op.execute("UPDATE letter_batches SET trial = true WHERE name LIKE 'essai/%' OR name LIKE 'a-valider/essai/%'")
        connection = op.get_bind()
        for found in _found(connection):
            runs.update(connection.execute(sa.text(FOUND), {"found": found}).scalars())
    op.get_bind().execute(sa.text(UNCOUNTED), {"runs": sorted(runs)})


def _found(connection: sa.Connection) -> Iterator[list[uuid.UUID]]:
    """The letters of trial batches, then the e-mails and SMS that say first that they are a trial, page by page."""
    letters = connection.execute(sa.text(LETTERS)).scalars().all()
    yield from (list(letters[first : first + PAGE]) for first in range(0, len(letters), PAGE))
    after = uuid.UUID(int=0)
    while rows := connection.execute(sa.text(WORDS), {"after": after, "page": PAGE}).all():
        after = rows[-1].delivery_id
        found = [row.delivery_id for row in rows if row.is_trial or _beginning(row.of_sms or b"").startswith(TRIAL)]
        if found:
            yield found


def _beginning(body: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, len(TRIAL))
    except zlib.error:  # damaged words tell nothing
        return b""


def downgrade() -> None:
    op.execute("DELETE FROM removed_books WHERE measure = 'redirected'")  # the program before stumbles over it
    op.drop_column("letter_batches", "trial")
    op.drop_column("deliveries", "redirected")
