"""What a row of the ILS says of a reader and SMS: a yes or a no, and whether the reader is a minor.

Two columns that no statement must return: `sms_consent`, a code, and `birth_date`. Of the birth date nothing is kept:
it is looked at only where the settings have a rule for minors, and one word, minor or not, goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.runs.reading.cells import clean_text, read_day

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

    def choice(self, row: Mapping[str, object]) -> SmsChoice | None:
        """What the row says that the reader said; None for nothing, and for a code that is on neither list."""
        code = self._code(row)
        if code in self.no:
            return SmsChoice.NO
        return SmsChoice.YES if code in self.yes else None

    def unknown(self, row: Mapping[str, object]) -> str:
        """The code of the column `sms_consent` that is on neither list, where there is any list; else nothing."""
        if self.column != SMS_CONSENT or not (self.yes or self.no):
            return ""
        code = self._code(row)
        return "" if code in self.yes or code in self.no else code

    def minor(self, row: Mapping[str, object], *, on: date, zone: tzinfo | None) -> bool:
        """Whether the reader is a minor on a day; without a birth date that can be read, no."""
        if self.minor_under is None or row.get(BIRTH_DATE) is None:
            return False
        try:
            born = read_day(row.get(BIRTH_DATE), BIRTH_DATE, zone=zone)
        except RowError:
            return False
        years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        return 0 <= years < self.minor_under

    def _code(self, row: Mapping[str, object]) -> str:
        try:
            return clean_text(row.get(self.column), self.column)
        except RowError:
            return ""


NO_CODES = ConsentCodes()
"""Nothing is asked of the ILS."""
