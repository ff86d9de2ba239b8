"""Who signs the library's e-mails."""

from __future__ import annotations

from dataclasses import dataclass

from loan_reminders.domain.library import LibraryIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailIdentity:
    """What each e-mail says of its sender.

    `list_unsubscribe` is the https or mailto address of a List-Unsubscribe header, empty for none.
    """

    library: LibraryIdentity
    sender_name: str
    sender_address: str
    reply_to: str
    list_unsubscribe: str = ""
