"""What a reader answered to SMS, on his page: word for word, with what was done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loan_reminders.domain.dispute.loan_file import Dispute
from loan_reminders.domain.sms.stop_words import is_stop
from loan_reminders.french.pages.readers import MessageWords
from loan_reminders.web.readers.contacts import lines_of, masked


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLine:
    """One answer; `became` says what was done about it, empty for nothing."""

    text: str
    when: str
    number: str
    became: str
    to_read: bool


def replies_shown(disputes: Iterable[Dispute], *, shown: bool, words: MessageWords) -> tuple[ReplyLine, ...]:
    """The answers from all numbers of a reader, each once, the newest first."""
    replies = {reply for dispute in disputes for reply in dispute.replies}
    lines = []
    for reply in sorted(replies, key=lambda one: one.at, reverse=True):
        became = "STOP" if is_stop(reply.text) else ""
        if reply.read_at is not None:
            became = f"réglée {words.when(reply.read_at)} par {reply.read_by}"
        lines.append(
            ReplyLine(
                text=reply.text,
                when=words.when(reply.at),
                number=(lines_of(reply.number) if shown else masked(reply.number))[0],
                became=became,
                to_read=reply.to_read,
            )
        )
    return tuple(lines)
