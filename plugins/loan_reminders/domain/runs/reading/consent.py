"""What a row of the ILS says of a reader and SMS: a yes or a no, and whether the reader is a minor.

Two columns that no statement must return: `sms_consent`, a code, and `birth_date`. Of the birth date nothing is kept:
it is looked at only where the settings have a rule for minors, and one word, minor or not, goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.loans import SmsChoice

SMS_CONSENT, BIRTH_DATE = "sms_consent", "birth_date"
OPTIONAL_COLUMNS = (SMS_CONSENT, BIRTH_DATE)
"""Columns that a `loans_due.sql` may return beside those of the contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCodes:
    """Which codes of which column say yes and no, and under how many years a reader is a minor (None: not asked).

    `column` is `sms_consent`, or the status or type of the reader where these tell it.
    """

    column: str = SMS_CONSENT
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    minor_under: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The optional columns that a statement must return for these settings to be heard."""
        coded = self.column == SMS_CONSENT and bool(self.yes or self.no)
        asked = ((SMS_CONSENT, coded), (BIRTH_DATE, self.minor_under is not None))
        return tuple(name for name, wanted in asked if wanted)

    def choice(self, code: str) -> SmsChoice | None:
        """What a code says that the reader said; None for nothing, and for a code that is on neither list."""
        if code in self.no:
            return SmsChoice.NO
        return SmsChoice.YES if code in self.yes else None

    def unknown(self, code: str) -> str:
        """The code of the column `sms_consent` that is on neither list, where there is any list; else nothing."""
        if self.column != SMS_CONSENT or not (self.yes or self.no):
            return ""
        return "" if code in self.yes or code in self.no else code

    def minor(self, born: date | None, *, on: date) -> bool:
        """Whether a reader is a minor on a day; without a birth date that can be read, no."""
        if self.minor_under is None or born is None:
            return False
        years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        return 0 <= years < self.minor_under


NO_CODES = ConsentCodes()
"""Nothing is asked of the ILS."""
