"""Signs that a catalogue puts around words it does not sort by are never shown to a reader."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.runs.extraction import COLUMNS, CodeMapping, parse_row
from loan_reminders.domain.runs.reading.cells import display_text

SAMPLES = [
    ("<<Les>> misérables", "Les misérables"),
    ("<<Les >>misérables", "Les misérables"),
    ("<<Les>>misérables", "Les misérables"),
    ("<<L'>>étranger", "L'étranger"),
    ("<<L’>>étranger", "L’étranger"),
    ("<<El->>Ahram", "El-Ahram"),
    ("<<The>> Hobbit, or <<The>> way back", "The Hobbit, or The way back"),
    ("Goethe, Johann Wolfgang <<von>>", "Goethe, Johann Wolfgang von"),
    ("Beauvoir, Simone <<de>>, 1908-1986", "Beauvoir, Simone de, 1908-1986"),
    ("¬Les¬ misérables", "Les misérables"),
    ("¬Les ¬misérables", "Les misérables"),
    ("¬L'¬étranger", "L'étranger"),
    ("\x88Les \x89misérables", "Les misérables"),
    ("\x98Les\x9c misérables", "Les misérables"),
    ("<<Les misérables", "Les misérables"),
    ("Lire et écrire en C++ : cout << x", "Lire et écrire en C++ : cout << x"),
    ("1 << 3", "1 << 3"),
    ("Logique : ¬A", "Logique : ¬A"),
    ("<<>>", ""),
    ("A < B > C", "A < B > C"),
]


@pytest.mark.parametrize(("held", "shown"), SAMPLES)
def test_the_signs_go_and_the_words_stay(held: str, shown: str) -> None:
    assert display_text(held, "title") == shown


@pytest.mark.parametrize("column", ["title", "author", "volume", "call_number", "last_name", "first_name", "full_name"])
def test_in_every_field_a_reader_sees(column: str) -> None:
    days = {"loan_date": date(2026, 2, 10), "due_date": date(2026, 3, 3)}
    row = {**dict.fromkeys(COLUMNS), "loan_key": "K", "patron_id": "P", **days, column: "<<La>> Pléiade ¬de¬ Ronsard"}
    loan = parse_row(row, CodeMapping())
    shown = {"title": loan.title, "author": loan.author, "volume": loan.volume, "call_number": loan.call_number}
    assert shown.get(column, loan.patron.name) == "La Pléiade de Ronsard"
