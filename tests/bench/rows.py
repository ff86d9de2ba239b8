"""Rows as the extraction returns them, made by the thousand: every reader reachable, 1.65 loans each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from sql.demo.contacts import email
from sql.demo.people import BRANCHES
from sql.demo.words import CALL_NUMBERS, FIRST_NAMES, LAST_NAMES, STREETS, SUBJECTS, TITLE_PATTERNS, TOWNS

if TYPE_CHECKING:
    from loan_reminders.domain.loans import Loan, RejectedRow
    from loan_reminders.domain.runs.extraction import CodeMapping

LOANS_OF_TWENTY_READERS = (1, 2, 1, 1, 3, 1, 2, 1, 1, 5, 1, 2, 1, 1, 3, 1, 2, 1, 1, 2)
PHONES = ("06 00 {} {} {}", "0600{}{}{}", "06.00.{}.{}.{}", "+336 00 {} {} {}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """By which ways readers can be reached; a mobile for one reader in `mobile_every`, 0 for nobody."""

    email: bool = True
    mobile_every: int = 0


def contract_rows(
    readers: int, *, due: date, reach: Reach, first: int = 0, seed: int = 20260302
) -> list[dict[str, Any]]:
    """The loans of so many readers, in the columns of the contract and the shapes of Aleph."""
    rng = Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(first, first + readers):
        person = _reader(number, rng, reach)
        for _ in range(LOANS_OF_TWENTY_READERS[number % 20]):
            rows.append({**_loan(first * 2 + len(rows), rng, due), **person})
    return rows


def _reader(number: int, rng: Random, reach: Reach) -> dict[str, Any]:
    given, family = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    postcode, town = rng.choice(TOWNS)
    mobile = ""
    if reach.mobile_every and number % reach.mobile_every == 0:
        pairs = f"{number % 1_000_000:06d}"
        mobile = PHONES[number % len(PHONES)].format(pairs[:2], pairs[2:4], pairs[4:])
    return {
        "patron_id": f"B{number:07d}",
        "patron_barcode": f"2{number:09d}",
        "patron_status": "01",
        "patron_type": "ET",
        "last_name": family,
        "first_name": given,
        "full_name": f"{family}, {given}",
        "language": "FRE",
        "email": email(given, family, number, "etu.example.org") if reach.email else None,
        "phone_sms": None,
        "phone_1": "04 65 71 00 00" if number % 4 == 0 else None,
        "phone_2": mobile or None,
        "phone_3": None,
        "phone_4": None,
        "address_1": f"{1 + number % 120} {rng.choice(STREETS)}",
        "address_2": f"{postcode} {town}",
        "address_3": None,
        "address_4": None,
        "postcode": postcode,
        "city": None,
        "country": None,
    }


def _loan(number: int, rng: Random, due: date) -> dict[str, Any]:
    return {
        "loan_key": f"{400_000 + number:09d}000010",
        "loan_number": number + 1,
        "loan_date": _ymd(due - timedelta(days=28)),
        "due_date": _ymd(due),
        "renewal_count": number % 3,
        "title": rng.choice(TITLE_PATTERNS).format(rng.choice(SUBJECTS)),
        "author": f"{rng.choice(LAST_NAMES)}, {rng.choice(FIRST_NAMES)}",
        "call_number": f"$$h{rng.choice(CALL_NUMBERS)} $$i{rng.choice(LAST_NAMES)[:3].upper()}",
        "volume": "t. 2" if number % 12 == 0 else None,
        "item_barcode": f"3{number:011d}",
        "branch": BRANCHES[number % 4],
        "item_status": "01",
        "price_text": "35,00",
    }


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


class StillOpen:
    """An ILS in which nothing was returned: asked only for the ids of what is open."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        from loan_reminders.domain.runs.extraction import loan_id_of

        self._ids = tuple(map(loan_id_of, rows))

    def loan_ids_due(self, due_date: date, *, today: date) -> Iterator[str]:
        """The ids of the open loans."""
        return iter(self._ids)


class ListedRows:
    """An ILS that is a list of rows, where nothing is ever returned; each is read at the door. A LoanSource."""

    def __init__(self, rows: list[dict[str, Any]], codes: CodeMapping) -> None:
        self._rows = rows
        self._codes = codes

    def loans_due(self, due_date: date, *, today: date) -> Iterator[Loan | RejectedRow]:
        """Stream the rows as loans."""
        from loan_reminders.domain.errors import RowError
        from loan_reminders.domain.runs.extraction import parse_row, reject

        for row in self._rows:
            try:
                yield parse_row(row, self._codes)
            except RowError as error:
                yield reject(row, error)

    def loan_ids_due(self, due_date: date, *, today: date) -> Iterator[str]:
        """The ids alone."""
        from loan_reminders.domain.runs.extraction import loan_id_of

        return map(loan_id_of, self._rows)

    def due_dates_now(self, loan_ids: Sequence[str]) -> dict[str, date]:
        """Nothing: every loan asked about is among those due."""
        return {}

    def on_loan_now(self, loan_ids: Sequence[str]) -> dict[str, date]:
        """Nothing, for the same reason."""
        return {}
