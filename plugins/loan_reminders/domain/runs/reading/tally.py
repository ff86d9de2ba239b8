"""What one run read of the ILS, in a few numbers that name nobody, counted row by row."""

from __future__ import annotations

from dataclasses import dataclass, field

from loan_reminders.domain.loans import CodeKind, Loan, RejectedRow
from loan_reminders.domain.recipients import EmailAddress, MobileNumber

MOST_CODES = 20
"""Unknown codes of one kind that are told apart. With more, the column holds something else than codes."""

LONGEST_CODE = 20
MOST_DIGITS = 7
"""A code with more signs, or more digits, may be a card number or a telephone: it is counted and not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCode:
    """A code that the settings do not know, and on how many loans.

    `code` is "" where the ILS gives none, and None for those that are not told apart: too many, or perhaps a reader's
    name or number.
    """

    kind: CodeKind
    code: str | None
    loans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading: the loans that the ILS gave and that could be read, and how many of them can be written to.

    `rejected` are rows that could not be read; `repaired` are texts that were in the wrong encoding, `lost` those with
    signs that nobody can bring back; `unknown_loans` counts the loans with any unknown code once.
    """

    loans: int = 0
    rejected: int = 0
    with_email: int = 0
    with_mobile: int = 0
    repaired: int = 0
    lost: int = 0
    unknown_loans: int = 0
    unknown: tuple[UnknownCode, ...] = ()

    def figures(self, most: int = 5) -> dict[str, int]:
        """The unknown codes on most loans as numbers by name, for the note of a run in Airflow."""
        return {
            f"{UNKNOWN} {one.kind}{'' if one.code is None else f' {one.code}'}": one.loans
            for one in self.unknown[:most]
        }


UNKNOWN = "unknown"
"""How the name of a figure about an unknown code begins; its kind and the code follow."""


@dataclass(slots=True)
class Tally:
    """Counts rows as they come; its size does not grow with them."""

    loans: int = 0
    rejected: int = 0
    with_email: int = 0
    with_mobile: int = 0
    repaired: int = 0
    lost: int = 0
    unknown_loans: int = 0
    _unknown: dict[CodeKind, dict[str | None, int]] = field(default_factory=dict)
    _mixed: set[CodeKind] = field(default_factory=set)

    def count(self, row: Loan | RejectedRow) -> None:
        """Count one row of the ILS."""
        if isinstance(row, RejectedRow):
            self.rejected += 1
            return
        self.loans += 1
        self.with_email += isinstance(row.patron.email, EmailAddress)
        self.with_mobile += isinstance(row.patron.mobile, MobileNumber)
        self.repaired += row.remarks.repaired
        self.lost += row.remarks.lost
        self.unknown_loans += bool(row.remarks.unknown)
        for kind, code in row.remarks.unknown:
            self._count_code(kind, code if _may_be_shown(code, row) else None)

    def _count_code(self, kind: CodeKind, code: str | None) -> None:
        codes = self._unknown.setdefault(kind, {})
        told = None if kind in self._mixed else code
        codes[told] = codes.get(told, 0) + 1
        if len(codes) > MOST_CODES:
            self._mixed.add(kind)
            self._unknown[kind] = {None: sum(codes.values())}

    def reading(self) -> Reading:
        """What was counted; the unknown codes by kind, those on most loans first."""
        unknown = [
            UnknownCode(kind=kind, code=code, loans=loans)
            for kind in CodeKind
            for code, loans in sorted(
                self._unknown.get(kind, {}).items(), key=lambda one: (-one[1], one[0] is None, one[0] or "")
            )
        ]
        return Reading(
            loans=self.loans,
            rejected=self.rejected,
            with_email=self.with_email,
            with_mobile=self.with_mobile,
            repaired=self.repaired,
            lost=self.lost,
            unknown_loans=self.unknown_loans,
            unknown=tuple(unknown),
        )


def _may_be_shown(code: str, loan: Loan) -> bool:
    """Whether a code is one, and not something about the reader in the wrong column."""
    if len(code) > LONGEST_CODE or "@" in code or sum(map(str.isdigit, code)) > MOST_DIGITS:
        return False
    patron, said = loan.patron, code.casefold()
    return not said or (
        said not in (patron.patron_id.casefold(), patron.barcode.casefold())
        and (len(said) < 4 or said not in patron.name.casefold())
    )
