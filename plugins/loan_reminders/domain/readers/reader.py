"""A reader as the ledger knows one: how the ILS last described them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from loan_reminders.domain.loans import OF_A_NOTICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader. `number` is the neutral one of the pages' addresses; `patron_id` the ILS's own.

    `email` and `mobile` are empty when there is none that can be used; `branch` is that of the loan seen last;
    `last_seen_on` is true to a week; `category` is a code of `PatronCategory`, or what an older program wrote.
    """

    number: int
    patron_id: str
    card: str
    name: str
    email: str
    mobile: str
    category: str
    branch: str
    last_seen_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLoan:
    """A loan, or what else a notice is about, of a reader; `title` is None when its description is not kept."""

    loan_id: str
    due_date: date | None
    title: str | None

    @property
    def is_loan(self) -> bool:
        """Whether it is a loan."""
        return not self.loan_id.startswith(OF_A_NOTICE)
