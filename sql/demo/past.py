"""What the fictional library lent in the months before today and has back since, and what its open loans went through.

The readers and the titles are those of `make_library` with the same seed, the copies are others. A loan that is open
today and was renewed had an earlier due date: a reader's page then tells one story, from the first notice to today.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

from sql.demo.generator import LOANS, PATRONS, SEED, STAGE_LOANS, make_library
from sql.demo.loans import TITLES, add_loan, readers_of_loans
from sql.demo.people import add_readers
from sql.demo.tables import Library

FIRST_COPY = 500
"""Copies from this number on are of loans of the past, so that no item is on loan twice."""
STILL_OPEN: tuple[tuple[int, float], ...] = (
    (-2, 1.0), (-1, 0.87), (0, 0.62), (1, 0.40), (8, 0.122), (15, 0.049), (21, 0.017), (60, 0.0024), (150, 0.0001),
)  # fmt: skip
"""The share of loans still open so many days after their due date, as today's loans thin out."""
RENEWED = 0.09
OTHERS = 0.1
"""Of the readers who have nothing at home today, the share that borrowed in the last months."""
RENEWED_FOR = timedelta(days=21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What became of one loan: when it was renewed, from which due date, and when it came back.

    `back_on` is None for a loan that is open today.
    """

    first_due: date
    renewed_on: date | None = None
    back_on: date | None = None


def with_the_past(
    *, today: date, days: int, seed: int = SEED, patrons: int = PATRONS, loans: int = LOANS, busy: float = 1.0
) -> tuple[Library, dict[str, Past]]:
    """Today's library with every loan that fell due in the last `days`, and what became of these, by loan id.

    Rows of the past stand as open loans with their last due date: who reads them asks `Past` what was so on which day.
    `busy` is how much was lent three months ago, as a share of today: it grows to 1.
    """
    library = make_library(today=today, seed=seed, patrons=patrons, loans=loans)
    open_today = Counter(str(row[6]) for row in library.rows["z36"])
    rng = Random(seed + 1)
    at_home = {str(row[1]) for row in library.rows["z36"]}
    readers = add_readers(Library(), Random(seed), count=patrons, today=today)
    borrowers = readers_of_loans([one for one in readers if one.key in at_home or rng.random() < OTHERS])
    fates: dict[str, Past] = {}
    copies: Counter[int] = Counter()
    for day in range(-days, 2):
        due = today + timedelta(days=day)
        usual = STAGE_LOANS[2] * loans / LOANS
        left = round(usual * _busy(due, -day / days, busy) * rng.uniform(0.85, 1.1)) - open_today[f"{due:%Y%m%d}"]
        while left > 0:
            reader, size = borrowers(rng)
            size = min(size, left)
            left -= size
            back = _back_after(rng, before=-day)
            for _ in range(size):
                title = rng.randrange(1, TITLES + 1)
                copies[title] += 1
                fate = _fate(rng, due, due + timedelta(days=back), today)
                renewed = fate.renewed_on is not None
                loan_id = add_loan(
                    library,
                    rng,
                    reader,
                    title,
                    FIRST_COPY + copies[title],
                    due + RENEWED_FOR if renewed else due,
                    lent_before=RENEWED_FOR.days + 3 if renewed else 0,
                )
                fates[loan_id] = fate
    return library, fates


def earlier_due(*, due: date, loan_date: date, renewals: int) -> date | None:
    """The due date that a loan open today had before its last renewal; None when it had no other."""
    before = due - RENEWED_FOR
    return before if renewals and loan_date <= before - timedelta(days=3) else None


def _busy(due: date, age: float, at_first: float) -> float:
    """How much falls due on a day: little on Sundays, less in the first weeks."""
    weekday = {5: 0.6, 6: 0.35}.get(due.weekday(), 1.0)
    return weekday * (at_first + (1 - at_first) * (1 - age))


def _fate(rng: Random, due: date, back: date, today: date) -> Past:
    yesterday = today - timedelta(days=1)
    renewed_on = due - timedelta(days=rng.choice((0, 1)))
    if rng.random() < RENEWED and due + RENEWED_FOR < yesterday:
        stays = timedelta(days=rng.randrange(2, RENEWED_FOR.days - 2))
        return Past(first_due=due, renewed_on=renewed_on, back_on=min(due + stays, yesterday))
    return Past(first_due=due, back_on=min(back, yesterday))


def _back_after(rng: Random, *, before: int) -> int:
    """Days from the due date to the return, so that it is back `before` so many days; they thin out as `STILL_OPEN`.

    Long ago readers kept what they had longer: the library had no reminders yet.
    """
    slower = 1.5 if before > 70 else 1.25 if before > 40 else 1.0
    share = rng.uniform(_still_open(before), 1.0)
    for (near, more), (far, fewer) in pairwise(STILL_OPEN):
        if share >= fewer:
            passed = math.log(share / more) / math.log(fewer / more)
            days = near + passed * (far - near)
            return min(math.ceil(days * slower if days > 1 else days), max(before - 1, near))
    return before - 1


def _still_open(day: int) -> float:
    for (near, more), (far, fewer) in pairwise(STILL_OPEN):
        if near <= day <= far:
            return more * math.pow(fewer / more, (day - near) / (far - near))
    return 1.0 if day < 0 else 0.0
