"""Telephones and e-mail addresses as readers and librarians type them. What is wrong is wrong on purpose.

E-mail domains are `example.org` and `.example`, kept for examples by RFC 2606; landlines lie in 04 65 71, which the
French regulator (Arcep) keeps for works of fiction. Its mobile range for fiction, 06 39 98, is no valid number for
libphonenumber, hence none for this project: mobiles begin with 06 00 00 instead. That block is not reserved, so the
fictional library must never be joined to a real SMS account.
"""

from __future__ import annotations

import unicodedata
from random import Random

MOBILE_BLOCK = "060000"
LANDLINE_BLOCK = "046571"
PHONE_WIDTH = 30
EMAIL_WIDTH = 60

_USABLE = (
    "{0}{1}{2}{3}{4}", "{0} {1} {2} {3} {4}", "{0}.{1}.{2}.{3}.{4}", "{0}-{1}-{2}-{3}-{4}", "+33{0:.1}{1}{2}{3}{4}",
    "+33 {0:.1} {1} {2} {3} {4}", "0033{0:.1}{1}{2}{3}{4}", "33{0:.1}{1}{2}{3}{4}", "+33 (0){0:.1} {1} {2} {3} {4}",
    "{0:.1}{1}{2}{3}{4}", "{0}\u00a0{1}\u00a0{2}\u00a0{3}\u00a0{4}", "{0} {1} {2} {3} {4}\t", "{0}/{1}/{2}/{3}/{4}",
    "{0} {1} {2} {3} {4} (mère)",
)  # fmt: skip
"""Shapes of one mobile number; `{0:.1}` is its first pair without the leading zero."""
_USUAL = (30, 30, 12, 3, 6, 3, 2, 2, 2, 4, 1, 1, 1, 2)
_UNUSABLE = (
    "neant", "x", "0600000000", "0000000000", "06 00 00 12", "06 00 00 12 34 5", "O6 00 00", "voir mail", "?",
    "04 65 71", "+377 6 00", "+39 3", "0690", "06 39 98 12 34", "portable", "00000", "1234567890123456789",
)  # fmt: skip


def mobile(rng: Random) -> str:
    """A fictional mobile number in one of the shapes that can still be understood."""
    pairs = _pairs(MOBILE_BLOCK, rng)
    shape = rng.choices(_USABLE, _USUAL)[0]
    parts = (pairs[0][1:], *pairs[1:]) if "{0:.1}" in shape else pairs
    return shape.format(*parts)[:PHONE_WIDTH]


def landline(rng: Random) -> str:
    """A fictional landline number."""
    return " ".join(_pairs(LANDLINE_BLOCK, rng))


def unusable_phone(rng: Random) -> str:
    """What stands in a phone field without being a number anybody could call."""
    return rng.choice(_UNUSABLE)


def email(first: str, last: str, number: int, domain: str) -> str:
    """A tidy address; `number` tells namesakes apart."""
    name = f"{_plain(first)}.{_plain(last)}{number}"
    return f"{name}@{domain}"[:EMAIL_WIDTH]


def worn_email(address: str, rng: Random) -> str:
    """The same address the way it sometimes is: some of these can be understood, others not."""
    local, _, domain = address.partition("@")
    worn = rng.choice(
        (
            address.upper(),
            f"{address}.",
            f" {address} ",
            address.replace(".", ",", 1),
            f"{address};{local}@courriel.example",
            f"{local}@{domain.rpartition('.')[0]}",
            local,
            f"{local} @{domain}",
            f"{local}@@{domain}",
            "sans@mail",
            "néant",
            f"élève.{local}@{domain}",
        )
    )
    return worn[:EMAIL_WIDTH]


def _pairs(block: str, rng: Random) -> tuple[str, ...]:
    digits = f"{block}{rng.randrange(10_000):04d}"
    return tuple(digits[i : i + 2] for i in range(0, 10, 2))


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter if letter.isalnum() else "-" for letter in letters if not unicodedata.combining(letter))
