"""A test installation: every message goes to one recipient and says whom it was for."""

from __future__ import annotations

from dataclasses import dataclass

from loan_reminders.domain.recipients import EmailAddress, MobileNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Where everything goes; `allow` holds the recipients who get their own messages all the same."""

    email: EmailAddress
    mobile: MobileNumber
    allow: frozenset[EmailAddress | MobileNumber] = frozenset()
