"""Who may be written to by SMS: the library's rules, and what each reader said.

A reader who said no is heard before any rule. What was said is kept on a list that librarians keep, or comes from a
code of the ILS; the list outranks the ILS. A stage's own conditions come first: who is not meant by it is not asked
about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from loan_reminders.domain.loans import Patron, SmsChoice
from loan_reminders.domain.stages import Basis, SmsRules
from loan_reminders.domain.states import SkipReason

REASONS = frozenset({SkipReason.DECLINED, SkipReason.NOT_ASKED_FOR, SkipReason.MINOR, SkipReason.NOT_TEXTED})
"""Why readers who could be reached by SMS are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The rules of a library with what its list holds of some readers, by the number that the ILS gives them."""

    rules: SmsRules = field(default_factory=SmsRules)
    said: Mapping[str, SmsChoice] = field(default_factory=lambda: MappingProxyType({}))

    def refuses(self, patron: Patron) -> SkipReason | None:
        """Why this reader gets no SMS, None when he may have one."""
        choice = self.said.get(patron.patron_id) or patron.sms_choice
        if choice is SmsChoice.NO:
            return SkipReason.DECLINED
        for basis, never in (
            (self.rules.minors if patron.minor else None, SkipReason.MINOR),
            (self.rules.basis(patron.category), SkipReason.NOT_TEXTED),
        ):
            if basis is Basis.NEVER:
                return never
            if basis is Basis.OPT_IN and choice is not SmsChoice.YES:
                return SkipReason.NOT_ASKED_FOR
        return None


EVERYBODY = Consent()
"""Nobody was asked, nobody said no: the conditions of the stage alone decide."""
