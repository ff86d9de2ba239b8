"""What the ILS says: a loan, its reader, its document; and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.states import Refusal


class CodeKind(StrEnum):
    """The codes of the ILS that the settings give a meaning to."""

    STATUS = "status"
    TYPE = "type"
    BRANCH = "branch"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRemarks:
    """What was noticed while a row was read, and does not belong to the loan.

    `unknown` are its codes that the settings do not know, empty text for a code that is missing; `repaired` counts
    texts that were in the wrong encoding, `lost` those with signs that were lost before they came to us.
    """

    unknown: tuple[tuple[CodeKind, str], ...] = ()
    repaired: int = 0
    lost: int = 0


NO_REMARKS = RowRemarks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patron:
    """A reader. Each recipient is either usable or the reason why it is not.

    `patron_id` is the ILS's own identifier; `language` an ISO 639-1 code, lower case.
    """

    patron_id: str
    barcode: str
    name: str
    category: PatronCategory
    language: str
    email: EmailAddress | Refusal
    mobile: MobileNumber | Refusal
    address: PostalAddress | Refusal


OF_A_NOTICE = "@"
"""How the id of a `Loan` begins that is none: what a notice of another kind tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """One document on loan. `loan_id` tells this loan from any other of the same item.

    It may stand for something else that readers are told of once: `is_loan` is False then (`domain.notice_rows`).

    Texts are as the ILS holds them, trimmed, never None; an empty title stays empty here and gets words in rendering.
    `remarks` are of the row just read: the ledger counts them and keeps none with the loan.
    """

    loan_id: str
    due_date: date
    loan_date: date
    renewal_count: int
    patron: Patron
    title: str
    author: str
    call_number: str
    volume: str
    item_barcode: str
    branch: str
    item_status: str
    price_text: str
    remarks: RowRemarks = field(default=NO_REMARKS, compare=False, repr=False)

    @property
    def is_loan(self) -> bool:
        """Whether it is one: not a hold that arrived, or what else a notice tells of."""
        return not self.loan_id.startswith(OF_A_NOTICE)

    @property
    def length_days(self) -> int:
        """Days from the loan date to the due date."""
        return (self.due_date - self.loan_date).days


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of the extraction that cannot be read: its reason, the column at fault, and the row as it came."""

    loan_id: str
    patron_id: str
    code: str
    column: str
    raw: Mapping[str, str | int | float | None]
