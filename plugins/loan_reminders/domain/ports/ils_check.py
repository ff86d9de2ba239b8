"""What the check of an installation asks of the ILS's database, whatever its engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from loan_reminders.domain.errors import IlsRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that reads, as the database knows it; `expires` is the last day of its password, None: never."""

    name: str
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRead:
    """A table that the plan of a statement reads whole; `rows` as the database estimates them, None: unknown."""

    table: str
    rows: int | None


class IlsInspection(Protocol):
    """One database of an ILS, asked about itself; each question opens a session of its own and closes it.

    Raises IlsUnavailable or IlsRejected.
    """

    def version(self) -> str:
        """The engine and its version, once a session is open."""
        ...

    def account(self) -> Account:
        """The account that reads."""
        ...

    def could_write(self) -> Sequence[str]:
        """What the account could change, each in a few words (`UPDATE sur UNS50.Z36`); empty when it can only read."""
        ...

    def tables(self) -> Sequence[str]:
        """The tables and views that the two statements read."""
        ...

    def refused_tables(self) -> Mapping[str, IlsRejected]:
        """Those of them that the account may not read, or that there are not, each with what the database says."""
        ...

    def columns(self) -> Sequence[str]:
        """The columns that `loans_due.sql` returns, in lower case; no row is fetched."""
        ...

    def ask_about_no_loan(self) -> None:
        """Run `loan_now.sql` for a loan that there is not."""
        ...

    def whole_reads(self, due_date: date, *, today: date) -> Sequence[WholeRead]:
        """What the plan of `loans_due.sql` reads whole."""
        ...
