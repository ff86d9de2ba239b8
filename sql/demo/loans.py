"""The books and loans of the fictional library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random

from sql.demo.oddities import ODDITIES, STAGE_DAYS, Oddity
from sql.demo.people import BRANCHES, GROUPS, Reader, add_odd_reader
from sql.demo.tables import ADM_LIBRARY, BIB_LIBRARY, Library
from sql.demo.words import CALL_NUMBERS, FIRST_NAMES, LAST_NAMES, PRICES, SUBJECTS, TITLE_PATTERNS

TITLES = 5_000
_FIRST_ADM = 400_000
_FIRST_ODD_BIB = 900_000
_LOANS_A_READER = ((1, 60), (2, 22), (3, 10), (4, 4), (5, 2), (7, 2))
_TITLE_WIDTH, _AUTHOR_WIDTH = 400, 100


def add_loans(library: Library, rng: Random, readers: list[Reader], *, today: date, by_day: Mapping[int, int]) -> None:
    """Titles, items and the loans of each due day (days from today), several to a reader now and then."""
    _add_titles(library, rng)
    borrower = readers_of_loans(readers)
    copies: Counter[int] = Counter()
    for day, count in by_day.items():
        due = today + timedelta(days=day)
        left = count
        while left > 0:
            reader, size = borrower(rng)
            size = min(size, left)
            left -= size
            for _ in range(size):
                title = rng.randrange(1, TITLES + 1)
                copies[title] += 1
                add_loan(library, rng, reader, title, copies[title], due, lent_before=day)


def readers_of_loans(readers: list[Reader]) -> Callable[[Random], tuple[Reader, int]]:
    """What picks who borrows, each group by its share of the loans, and how many documents at once."""
    pools = [(group, [reader for reader in readers if reader.group is group]) for group in GROUPS]
    pools = [(group, pool) for group, pool in pools if pool]
    weights = [group.loans for group, _ in pools]
    sizes, size_weights = zip(*_LOANS_A_READER, strict=True)

    def borrower(rng: Random) -> tuple[Reader, int]:
        reader = rng.choice(rng.choices(pools, weights)[0][1])
        return reader, rng.choices(sizes, size_weights)[0]

    return borrower


def add_oddities(library: Library, *, today: date) -> Counter[int]:
    """Every oddity on its due days; returns the loans that the extraction will list, by days from today."""
    listed: Counter[int] = Counter()
    bib = _FIRST_ODD_BIB
    for oddity in ODDITIES:
        for stage in oddity.on:
            day = STAGE_DAYS[stage]
            key = oddity.patron_id(stage).ljust(12)
            if oddity.with_reader:
                add_odd_reader(library, oddity, key, today)
            for copy in range(1, oddity.loans + 1):
                bib += 2
                _add_odd_loan(library, oddity, key, bib, copy, today + timedelta(days=day))
            listed[day] += oddity.loans if oddity.listed else 0
    return listed


def _add_titles(library: Library, rng: Random) -> None:
    for bib in range(1, TITLES + 1):
        subject = rng.choice(SUBJECTS)
        title = rng.choice(TITLE_PATTERNS).format(subject).replace("à le ", "au ").replace("de le ", "du ")
        author = f"{rng.choice(LAST_NAMES)}, {rng.choice(FIRST_NAMES)}" if rng.random() < 0.9 else ""
        _add_title(library, bib, bib, title[0].upper() + title[1:], author)


def _add_title(library: Library, adm: int, bib: int, title: str, author: str) -> None:
    library.add("z13", f"{bib:09d}", title[:_TITLE_WIDTH], author[:_AUTHOR_WIDTH])
    _link(library, adm, bib, 1)


def _link(library: Library, adm: int, bib: int, place: int) -> None:
    library.add("z103", f"{ADM_LIBRARY}{_FIRST_ADM + adm:09d}{place:04d}", f"{BIB_LIBRARY}{bib:09d}0000")


def add_loan(
    library: Library, rng: Random, reader: Reader, title: int, copy: int, due: date, *, lent_before: int
) -> str:
    """A loan that is open today: it began before, so one due in 20 days was made for more. Returns the loan's id."""
    lengths = [pair for pair in reader.group.lengths if pair[0] > lent_before] or [(max(lent_before + 1, 28), 1)]
    length = rng.choices([days for days, _ in lengths], [share for _, share in lengths])[0]
    item = f"{_FIRST_ADM + title:09d}{copy:06d}"
    author = f"{chr(65 + title % 26)}{chr(65 + title % 7)}{chr(65 + title % 19)}"
    volume = f"t. {rng.randrange(1, 5)}" if rng.random() < 0.08 else ""
    library.add("z30", item, f"3{title:05d}{copy:06d}", f"$$h{rng.choice(CALL_NUMBERS)} $$i{author}", volume, "01",
                rng.choice(PRICES))  # fmt: skip
    renewals = rng.choices((0, 1, 2), (78, 17, 5))[0]
    loan_ymd = _ymd(due - timedelta(days=length))
    branch = BRANCHES[title % 4]
    _add_z36(library, item, reader.key, branch, _ymd(due), loan_ymd, reader.status, renewals=renewals)
    return f"{item}-{len(library.rows['z36'])}"


def _add_odd_loan(library: Library, oddity: Oddity, key: str, bib: int, copy: int, due: date) -> None:
    item = f"{_FIRST_ADM + bib:09d}{1:06d}"
    numbered = f"{oddity.title} ({copy})" if oddity.loans > 1 else oddity.title
    for place, title in enumerate(oddity.bibs, start=1):
        if place == 1:
            _add_title(library, bib, bib, title or numbered, oddity.author)
        else:
            library.add("z13", f"{bib + 1:09d}", title, oddity.author)
            _link(library, bib, bib + 1, place)
    if oddity.with_item:
        library.add("z30", item, f"4{bib:011d}", oddity.call_number, oddity.volume, "01", oddity.price)
    loan_ymd = _ymd(due - timedelta(days=oddity.length)) if oddity.loan_ymd is None else oddity.loan_ymd
    due_ymd = _ymd(due) if oddity.due_ymd is None else oddity.due_ymd
    _add_z36(library, item, key, BRANCHES[bib // 2 % 4], due_ymd, loan_ymd, oddity.status, status=oddity.loan_status,
             returned=_ymd(due) if oddity.returned else 0, proxy="M0000001" if oddity.proxy else "")  # fmt: skip


def _add_z36(
    library: Library,
    item: str,
    key: str,
    branch: str,
    due_ymd: int,
    loan_ymd: int,
    bor_status: str,
    *,
    status: str = "A",
    returned: int = 0,
    renewals: int = 0,
    proxy: str = "",
) -> None:
    number = len(library.rows["z36"]) + 1
    library.add("z36", item, key, number, branch, status, loan_ymd, due_ymd, returned, "01", bor_status, renewals,
                f"{proxy:12}" if proxy else "", due_ymd)  # fmt: skip


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
