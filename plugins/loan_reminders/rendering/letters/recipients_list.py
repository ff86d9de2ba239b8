"""The list of recipients beside a batch of letters, for a spreadsheet or a mailing service."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from loan_reminders.domain.letters.batches import PrintedLetter
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.countries import country_code
from loan_reminders.domain.stages import Channel

HEADER = (
    "reference", "ligne1", "ligne2", "ligne3", "ligne4", "ligne5", "ligne6", "pays", "code_pays", "niveau", "ar",
    "nb_pages", "page_debut", "page_fin", "numero_recommande", "fichier",
)  # fmt: skip
"""Column names, the same whatever the service; mailing services map their own onto these."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def recipients_csv(
    letters: Iterable[PrintedLetter], *, kind: Channel, level: str = "R1", files: Sequence[str] = ("lettres.pdf",)
) -> bytes:
    """One line a letter, in the order of the PDF, with its pages (from 1) and its six address lines.

    `level` is the guarantee level of registered letters, `files` the names of the batch's PDFs in order. A hybrid
    mailing service needs nothing else than this list and these PDFs: `fichier`, `page_debut` and `page_fin` say which
    pages are whose.

    UTF-8 with a byte order mark, `;`, CRLF: what a French spreadsheet opens without a question. `pays` is the last
    address line abroad, and then not among the six; `code_pays` its ISO 3166-1 code, empty when nobody knows it.
    `niveau` is the guarantee level and `ar` says `oui` for a registered letter with acknowledgement of receipt; both
    are for the desk to change. `numero_recommande` is left empty for the number of the deposit. A cell that a
    spreadsheet would run as a formula starts with an apostrophe.
    """
    registered = kind is Channel.REGISTERED_LETTER
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for letter in letters:
        lines, country, code = _split(letter.recipient)
        writer.writerow(
            [
                *map(
                    _cell,
                    (
                        letter.reference,
                        *lines,
                        *("",) * (6 - len(lines)),
                        country,
                        code,
                        level if registered else "",
                        "oui" if registered else "non",
                    ),
                ),
                letter.pages,
                letter.first_page,
                letter.last_page,
                "",
                files[letter.volume - 1],
            ]
        )
    return out.getvalue().encode("utf-8-sig")


def _split(address: PostalAddress) -> tuple[tuple[str, ...], str, str]:
    """The lines within the country, the country's name and its code."""
    if address.country:
        return address.lines[:-1], address.country, country_code(address.country)
    if address.lines[-1].startswith("980"):
        return address.lines, "MONACO", "MC"
    return address.lines, "FRANCE", "FR"


def _cell(text: str) -> str:
    text = " ".join(text.splitlines()) if "\n" in text else text
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
