"""One mailbox for the bounces of several libraries: whose e-mail each is about."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection, text

from loan_reminders.domain.email.feedback import Bounce
from loan_reminders.ledger.email.feedback import PostgresMailFeedback

_OWNERS = text("""
    SELECT delivery_id, library FROM deliveries
    WHERE delivery_id = ANY(CAST(:deliveries AS uuid[])) AND library = ANY(:others)
""")


class PostgresSharedMailbox:
    """The other libraries of a mailbox, in the same ledger. Fulfils `SharedMailbox`."""

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str, others: Sequence[str]
    ) -> None:
        self._transaction = transaction
        self._others = [other for other in others if other != library]

    def keep_theirs(self, bounces: Sequence[Bounce]) -> Sequence[Bounce]:
        """Keep what is about an e-mail of another library, for that one to settle; returns what is about none."""
        owners = self._owners([bounce.delivery_id for bounce in bounces if bounce.delivery_id is not None])
        for library in sorted(set(owners.values())):
            theirs = [bounce for bounce in bounces if owners.get(bounce.delivery_id) == library]
            PostgresMailFeedback(self._transaction, library=library).keep(theirs)
        return [bounce for bounce in bounces if bounce.delivery_id not in owners]

    def _owners(self, deliveries: Sequence[uuid.UUID]) -> dict[uuid.UUID | None, str]:
        if not deliveries:
            return {}
        asked = {"deliveries": [str(one) for one in deliveries], "others": self._others}
        with self._transaction() as connection:
            return {row.delivery_id: row.library for row in connection.execute(_OWNERS, asked)}
