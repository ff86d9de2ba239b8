"""Which drafts still ask a librarian: pieces of SQL for whatever looks at what waits.

One that was approved stays a draft until it is printed, minutes later when all goes well.
"""

from __future__ import annotations

_ASKS = """(
    batch.state = 'draft'
    AND NOT EXISTS (
        SELECT FROM letter_events given WHERE given.batch_id = batch.batch_id AND given.act = 'approved'{before}
    )
    AND NOT EXISTS (
        SELECT FROM question_answers given
        WHERE given.run_id = batch.run_id AND given.question = 'letters' AND given.at > batch.at{before}
    )
)"""
ASKS = _ASKS.format(before="")
"""Of `letter_batches batch`: a draft that nobody has answered."""

ASKS_OR_PRINTS = _ASKS.format(before=" AND given.at < now() - interval '2 hours'")
"""Of `letter_batches batch`: a draft that nobody has answered, or whose printing has had no time yet to be in trouble,
as long as a task is tried again."""
