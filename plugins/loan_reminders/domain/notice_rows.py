"""What a statement gives for a notice that is not about loans, and how a row of it becomes what all runs work on.

A hold that arrived, a purchase suggestion that is on the shelf: one row a request. It is kept as a `Loan` whose due
date is the day of what happened and whose id says of which notice it is, so that it is nobody's loan (`Loan.is_loan`):
it is claimed, told once, counted and removed like one, and no page takes it for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loan_reminders.domain.errors import RowError
from loan_reminders.domain.loans import OF_A_NOTICE, Loan, RejectedRow
from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, loan_id_of, parse_row, reject
from loan_reminders.domain.stages import Stage

KEY, DAY = "notice_key", "notice_date"

_OF_LOANS_OR_LETTERS = frozenset({
    "loan_key", "loan_number", "loan_date", "due_date", "renewal_count", "item_status", "price_text", "address_1",
    "address_2", "address_3", "address_4", "postcode", "city", "country",
})  # fmt: skip

NOTICE_COLUMNS: tuple[str, ...] = (KEY, DAY, *(name for name in COLUMNS if name not in _OF_LOANS_OR_LETTERS))
"""Every column that the statement of such a notice returns, in lower case; `sql/README.md` says what each holds."""

_NAMES = {"loan_key": KEY, "due_date": DAY, "loan_date": DAY}


def parse_notice_row(row: Mapping[str, object], codes: CodeMapping, *, stage: Stage) -> Loan:
    """Read one row of the notice's statement; keys are `NOTICE_COLUMNS`, an absent one counts as NULL.

    Raises RowError like `parse_row`, with the name of the column at fault.
    """
    try:
        loan = parse_row(_as_loan(row), codes)
    except RowError as error:
        raise RowError(error.code, _NAMES.get(error.column, error.column)) from None
    return replace(loan, loan_id=_id(stage, loan.loan_id))


def reject_notice_row(row: Mapping[str, object], error: RowError, *, stage: Stage) -> RejectedRow:
    """Keep a row that cannot be read."""
    rejected = reject(_as_loan(row), error)
    raw = {name: value for name, value in rejected.raw.items() if name not in _NAMES}
    return replace(rejected, loan_id=_id(stage, rejected.loan_id), raw=raw)


def notice_id_of(row: Mapping[str, object], *, stage: Stage) -> str:
    """What the row is about, as `parse_notice_row` names it, or as `reject_notice_row` does."""
    return _id(stage, loan_id_of(_as_loan(row)))


def _as_loan(row: Mapping[str, object]) -> dict[str, object]:
    return {**row, **{name: row.get(ours) for name, ours in _NAMES.items()}}


def _id(stage: Stage, key: str) -> str:
    """Nothing for a row without a key, like a loan's."""
    return f"{OF_A_NOTICE}{stage.value}:{key}" if key else ""
