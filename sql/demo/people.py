"""The readers of the fictional library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from zlib import crc32

from sql.demo.contacts import EMAIL_WIDTH, email, landline, mobile, unusable_phone, worn_email
from sql.demo.oddities import FOR_EVER, LONG_AGO, Oddity
from sql.demo.tables import BOR_LIBRARY, Library
from sql.demo.words import FIRST_NAMES, LANGUAGES, LAST_NAMES, STREETS, TOWNS

BRANCHES = ("BUDRT", "BULET", "BUSCI", "BUMED")
ADDRESS_LINE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Readers alike: their codes, their share of readers and of loans, and who of them has an e-mail address."""

    statuses: tuple[str, ...]
    kind: str
    readers: float
    loans: float
    with_email: float
    domain: str
    lengths: tuple[tuple[int, int], ...]


GROUPS = (
    Group(statuses=("01", "02", "03"), kind="ET", readers=0.87, loans=84, with_email=0.985, domain="etu.example.org",
          lengths=((3, 5), (7, 7), (14, 45), (21, 15), (28, 28))),
    Group(statuses=("10", "11"), kind="EN", readers=0.08, loans=12, with_email=0.96, domain="univ.example.org",
          lengths=((28, 40), (60, 35), (90, 25))),
    Group(statuses=("20",), kind="EX", readers=0.05, loans=4, with_email=0.70, domain="courriel.example",
          lengths=((14, 50), (21, 30), (28, 20))),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a loan needs to know of its reader."""

    key: str
    status: str
    group: Group


def add_readers(library: Library, rng: Random, *, count: int, today: date) -> list[Reader]:
    """Ordinary readers, with the usual wear in their telephones and addresses."""
    readers = []
    groups = rng.choices(GROUPS, [group.readers for group in GROUPS], k=count)
    for number, group in enumerate(groups, start=1):
        key = f"M{number:07d}".ljust(12)
        status = rng.choice(group.statuses)
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        address = email(first, last, number, group.domain) if rng.random() < group.with_email else ""
        if address and rng.random() < 0.03:
            address = worn_email(address, rng)
        language = rng.choices([code for code, _ in LANGUAGES], [share for _, share in LANGUAGES])[0]
        whole = rng.random() < 0.7
        _add_identity(library, key, first, last, f"{last}, {first}", language, today, whole=whole)
        _add_rights(library, key, status, group.kind, f"2{number:09d}", _school_year_end(today))
        phones = _phones(rng)
        lines = _postal_lines(rng)
        name = f"{last} {first}"
        library.add("z304", f"{key}01", _address(name, lines), lines[-1][:5], address, *phones[1:], phones[0], LONG_AGO,
                    FOR_EVER, 1)  # fmt: skip
        if rng.random() < 0.06:
            _add_second_address(library, rng, key, name, today)
        readers.append(Reader(key=key, status=status, group=group))
    return readers


def add_odd_reader(library: Library, oddity: Oddity, key: str, today: date) -> None:
    """The reader of an oddity."""
    full = f"{oddity.last}, {oddity.first}" if oddity.full is None else oddity.full
    barcode = "9" + "".join(f"{ord(letter) % 10}" for letter in key.strip())
    _add_identity(library, key, oddity.first, oddity.last, full, oddity.language, today, whole=True)
    expiry = 20200101 if oddity.expired else _school_year_end(today)
    _add_rights(library, key, oddity.status, oddity.kind, barcode, expiry)
    own = f"{key.strip().lower()}@etu.example.org" if oddity.email is None else oddity.email
    name = f"{oddity.last} {oddity.first}".strip()
    place = len(library.rows["z304"]) % 10_000
    kept = oddity.phones or ("", f"06 00 00 {place // 100:02d} {place % 100:02d}", "", "", "")
    phones = (*kept[1:], kept[0])
    lines = oddity.lines or ()
    address = _address(name, lines) if oddity.lines is not None else ""
    post = oddity.zip if oddity.lines is not None else ""
    library.add("z304", f"{key}01", address, post, own[:EMAIL_WIDTH], *phones, LONG_AGO, oddity.valid_to, 1)
    for place, more in enumerate(oddity.more, start=2):
        library.add("z304", f"{key}{place:02d}", _address(name, more.lines), more.zip, more.email, *more.phones[1:],
                    more.phones[0], more.valid_from, more.valid_to, more.kind)  # fmt: skip


def _add_identity(
    library: Library, key: str, first: str, last: str, full: str, language: str, today: date, *, whole: bool
) -> None:
    parts = (last[:100], first[:100]) if whole else ("", "")
    library.add("z303", key, language, full[:200], *parts, "BULET", _birth_ymd(key, today))


def _birth_ymd(key: str, today: date) -> int:
    """A birth date that the key alone tells: one reader in ten is a minor, of one in twenty the date is none.

    Nobody knows it, or it is the 30th of February, or to come.
    """
    mark = crc32(key.strip().encode())
    of_none = (0, (today.year - 10) * 10_000 + 230, (today.year + 10) * 10_000 + 101)
    if mark % 20 == 0:
        return of_none[mark // 20 % len(of_none)]
    return int(f"{today - timedelta(days=17 * 365 + mark // 20 % 3650):%Y%m%d}")


def _add_rights(library: Library, key: str, status: str, kind: str, barcode: str, expiry: int) -> None:
    library.add("z305", f"{key}{BOR_LIBRARY:5}", status, kind, expiry)
    library.add("z308", f"00{key.strip():20}", key, "AC")
    library.add("z308", f"01{barcode:20}", key, "AC")


def _add_second_address(library: Library, rng: Random, key: str, name: str, today: date) -> None:
    """A mailing address: half of them over since last year."""
    lines = _postal_lines(rng)
    until = FOR_EVER if rng.random() < 0.5 else (today.year - 1) * 10_000 + 630
    library.add("z304", f"{key}02", _address(name, lines), lines[-1][:5], "", "", "", "", "", "", LONG_AGO, until, 2)


def _postal_lines(rng: Random) -> tuple[str, ...]:
    postcode, town = rng.choice(TOWNS)
    street = f"{rng.randrange(1, 120)} {rng.choice(STREETS)}"
    flat = f"Appartement {rng.randrange(1, 60)}"
    last = f"{postcode} {town}"
    return rng.choices(((street, last), (flat, street, last), (street, "", last)), (75, 20, 5))[0]


def _address(name: str, lines: tuple[str, ...]) -> str:
    """Five lines of 200 characters, the name in the first, as Aleph packs them.

    Without NUL, at which SQLite's SUBSTR would end the whole address.
    """
    return "".join(line[:ADDRESS_LINE].ljust(ADDRESS_LINE) for line in (name.replace("\x00", ""), *lines)[:5])


def _phones(rng: Random) -> tuple[str, ...]:
    """The SMS field, then four telephones: 30 % have a mobile in the first, 55 % of the others elsewhere."""
    fields = ["", "", "", "", ""]
    if rng.random() < 0.30:
        fields[0] = mobile(rng)
    elif rng.random() < 0.55:
        fields[rng.choices((1, 2, 3, 4), (55, 30, 10, 5))[0]] = mobile(rng)
    if rng.random() < 0.25 and not fields[1]:
        fields[1] = landline(rng)
    if rng.random() < 0.05:
        fields[rng.choice((0, 1, 2))] = unusable_phone(rng)
    return tuple(fields)


def _school_year_end(today: date) -> int:
    return (today.year + (today.month > 8)) * 10_000 + 930
