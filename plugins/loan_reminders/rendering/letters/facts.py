"""What a page template receives: what all letters of a library share, and what each letter says."""

from __future__ import annotations

from datetime import date
from typing import Any

from loan_reminders.domain.letters.batches import EnvelopeWindow, LetterLayout
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.rendering.letters.fonts import FontSet
from loan_reminders.rendering.letters.text import breakable, french_date, one_line, town_of

WINDOWS = {
    EnvelopeWindow.DL_45: 45,
    EnvelopeWindow.DL_35: 55,
    EnvelopeWindow.C65_45: 49,
    EnvelopeWindow.C65_35: 59,
}
"""Where the zone that a window always shows begins, in mm from the top of an A4 sheet folded in three.

The sheet slips in its envelope by what the envelope is larger: 10 × 11 mm in a DL (110 × 220), 19 × 15 in a C6/5
(114 × 229), with a window 100 mm wide that ends 20 mm from the right edge and from the bottom. Whatever the window the
zone ends at x = 190, y = 79; it begins at x = 100 in a DL, 109 in a C6/5.
"""


def shared_facts(
    *, title: str, today: date, fonts: FontSet, library: LibraryIdentity, layout: LetterLayout, logo: str
) -> dict[str, Any]:
    """What every letter of a batch says alike; `logo` is the picture's path below the template's root, or empty."""

    def text(value: str) -> str:
        return fonts.drawable(one_line(value, 300))

    return {
        "title": title,
        "date": french_date(today),
        "fonts": fonts.families,
        "library": {
            "name": text(library.name),
            "address": [text(line) for line in library.address_lines],
            "place": text(town_of(library.address_lines)),
            "phone": text(library.phone),
            "email": text(library.email),
            "website": text(library.website),
            "account_url": text(library.account_url),
            "account_label": text(library.account_label),
        },
        "layout": {
            "window_top": WINDOWS[layout.window],
            "logo": logo,
            "recto_start": layout.recto_start,
            "signature": [text(line) for line in layout.signature],
            "deadline_days": layout.deadline_days,
            "rules_reference": text(layout.rules_reference),
        },
    }


def letter_facts(letter: RenderedLetter, address: tuple[str, ...], fonts: FontSet) -> dict[str, Any]:
    """What one letter says; characters no font holds are replaced, long words get breaks."""

    def text(value: str, longest: int) -> str:
        return breakable(fonts.drawable(value), longest)

    return {
        "reference": letter.reference,
        "name": text(letter.patron_name, 30),
        "barcode": text(letter.patron_barcode, 24),
        "due_date": letter.due_date,
        "address": address,
        "lines": [
            {
                "title": text(line.title, 20),
                "author": text(line.author, 20),
                "call_number": text(line.call_number, 12),
                "branch": text(line.branch, 16),
                "item_barcode": text(line.item_barcode, 14),
                "due_date": line.due_date,
                "price": line.price,
            }
            for line in letter.lines
        ],
        "total": letter.total,
        "unpriced": sum(not line.price for line in letter.lines),
        "branches": [
            {
                "name": text(branch.name, 30),
                "address": fonts.drawable(branch.address),
                "hours": fonts.drawable(branch.hours),
            }
            for branch in letter.branches
        ],
        "earlier": letter.earlier,
    }
