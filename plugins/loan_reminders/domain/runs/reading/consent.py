"""What a row of the ILS says of a reader and SMS: a yes or a no, and whether the reader is a minor.

Two columns that a statement returns only where the settings ask for them: `sms_consent`, a code, and `birth_date`. Of
the birth date nothing is kept: one word, minor or not, goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, tzinfo

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.runs.reading.cells import raw_text, read_day

SMS_CONSENT, BIRTH_DATE = "sms_consent", "birth_date"
OPTIONAL_COLUMNS = (SMS_CONSENT, BIRTH_DATE)
"""Columns that a `loans_due.sql` may return beside those of the contract."""
_YEAR = re.compile(r"\d{4}", re.ASCII)


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

    def minor(self, birth: object, *, on: date, zone: tzinfo | None = None) -> bool:
        """Whether a reader is a minor on a day, by the birth date as the ILS holds it; one that is none says no."""
        born = None if self.minor_under is None else _born(birth, on, zone)
        if self.minor_under is None or born is None:
            return False
        years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        return 0 <= years < self.minor_under


NO_CODES = ConsentCodes()
"""Nothing is asked of the ILS."""


def _born(birth: object, on: date, zone: tzinfo | None) -> date | None:
    """The day of birth, None for what is no day.

    Of a year alone, as PMB has it, the last day that it may be, so that nobody is taken for older than he is.
    """
    try:
        text = "" if isinstance(birth, date) else (raw_text(birth, BIRTH_DATE) or "").strip()
        if not _YEAR.fullmatch(text):
            return read_day(birth, BIRTH_DATE, zone=zone)
        last = read_day(f"{text}1231", BIRTH_DATE)
        return min(last, on) if last.year == on.year else last
    except RowError:
        return None
