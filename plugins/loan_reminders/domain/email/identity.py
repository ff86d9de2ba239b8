"""Who signs the library's e-mails."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loan_reminders.domain.email.survey import Survey
from loan_reminders.domain.library import LibraryIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailIdentity:
    """What each e-mail says of its sender.

    `list_unsubscribe` is the https or mailto address of a List-Unsubscribe header, empty for none. `survey` is the line
    that invites readers to the library's own form, None when there is no survey.
    """

    library: LibraryIdentity
    sender_name: str
    sender_address: str
    reply_to: str
    list_unsubscribe: str = ""
    survey: Survey | None = None

    def for_a_look(self) -> EmailIdentity:
        """The same, with the line of the survey whatever the day and the reader."""
        return self if self.survey is None else replace(self, survey=self.survey.for_a_look())
