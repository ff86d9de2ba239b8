"""Readers whom one would know again in any writing, and a search of bytes for all writings at once.

Every text of theirs holds one word that exists nowhere else, every number seven digits that no other does. Both are
looked for as they are, in capitals, in UTF-16, and in base64 at each of its three alignments. Accents, percent signs,
JSON's and HTML's escapes leave the word as it is: it has only plain letters.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.states import Refusal
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_address, an_email

WORD, DIGITS = "qxzvkw", "6000098"
MANY = 50
_SPACED = re.compile(rb"(?:0|33)[ .\-]?6[ .\-]?00[ .\-]?00[ .\-]?98[ .\-]?\d\d")


def _writings() -> Iterator[bytes]:
    for text in (WORD, WORD.upper(), WORD.capitalize(), DIGITS):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            coded = text.encode(encoding)
            yield coded
            for before in range(3):
                # Of the signs of base64 those alone that do not depend on what stands before or behind.
                signs = base64.b64encode(b"\0" * before + coded).rstrip(b"=")
                first = (before * 8 + 5) // 6
                yield signs[first : (before + len(coded)) * 8 // 6]


WRITINGS = tuple(dict.fromkeys(_writings()))


def found(content: bytes) -> set[bytes]:
    """Which writings of these readers are in some bytes."""
    return {one for one in WRITINGS if one in content} | set(_SPACED.findall(content))


def reader(number: int, **changes: Any) -> Any:
    """One of them."""
    values = {
        "patron_id": f"QXZVKWID{number}",
        "barcode": f"QXZVKWCARTE{number}",
        "name": f"Zoé Qxzvkwnom-{number}",
        "email": an_email(f"qxzvkw{number}@etu.example.org"),
        "mobile": a_mobile(f"33{DIGITS}{number:02d}"),
        "address": an_address(f"ZOE QXZVKWNOM {number}", f"{number} RUE QXZVKW", "06000 NICE"),
    }
    return a_patron(**{**values, **changes})


def loan(number: int, due: date, **changes: Any) -> Loan:
    """A loan of his, every text of which is his alone."""
    return a_loan(
        loan_id=f"QXZVKWPRET{number}",
        due_date=due,
        patron=reader(number, **changes),
        title=f"L'été Qxzvkwtitre {number}",
        author=f"Qxzvkwauteur, É{number}",
        call_number=f"QXZVKW {number}",
        item_barcode=f"QXZVKWCODE{number}",
    )


def requests(stage: Stage, day: date) -> list[Loan | RejectedRow]:
    """What a notice that is not about loans tells them of on a day, one row of which cannot be read."""
    return [replace(one, loan_id=f"@{stage}:{one.loan_id}") for one in loans(day)]


def loans(due: date) -> list[Loan | RejectedRow]:
    """All of them, due on a day: some without an e-mail, some without any contact, one row that cannot be read."""
    some: list[Loan | RejectedRow] = []
    for number in range(1, MANY):
        changes: dict[str, Any] = {}
        if number % 5 == 0:
            changes["email"] = Refusal.NOT_AN_ADDRESS
        if number % 10 == 0:
            changes |= {"address": Refusal.TOO_FEW_LINES, "mobile": Refusal.NOT_A_NUMBER}
        some.append(loan(number, due, **changes))
    raw: dict[str, Any] = {"DUE_DATE": "Qxzvkw 31/02", "PATRON_NAME": "Zoé Qxzvkwnom-50", "PHONE": f"0{DIGITS}50"}
    some.append(
        RejectedRow(loan_id="QXZVKWPRET50", patron_id="QXZVKWID50", code="not_a_date", column="due_date", raw=raw)
    )
    return some
