"""What readers answered to SMS, from the numbers that a loan's messages went to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from loan_reminders.domain.dispute.loan_file import ReplyRecord
from loan_reminders.domain.recipients import MobileNumber, Recipient
from loan_reminders.ledger.dispute.queries import REPLIES


def replies_of(
    connection: Connection, library: str, recipients: Iterable[Recipient], *, patron_ids: Collection[str]
) -> list[ReplyRecord]:
    """All that came from these numbers, the oldest first; what is kept of a number that is another reader's now is not.

    `patron_ids` are the readers whom it is about.
    """
    numbers = sorted({one.value for one in recipients if isinstance(one, MobileNumber)})
    if not numbers:
        return []
    asked = {"library": library, "numbers": numbers, "patron_ids": sorted(patron_ids)}
    return [
        ReplyRecord(
            reply_number=row.reply_number,
            number=MobileNumber(value=row.phone_number),
            at=row.since,
            text=row.text,
            to_read=row.to_read,
            read_at=row.read_at,
            read_by=row.read_by,
        )
        for row in connection.execute(REPLIES, asked)
    ]
