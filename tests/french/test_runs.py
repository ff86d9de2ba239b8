"""What is said of a run when it ends."""

from __future__ import annotations

import pytest

from loan_reminders.domain.runs.books import Books
from loan_reminders.french.runs import books_words


@pytest.mark.parametrize(
    ("told", "unpriced", "words"),
    [
        (0.0, 3, "SMS : 3 segments"),
        (0.135, 0, "SMS : 3 segments, coût dit par le prestataire : 0,135\N{NO-BREAK SPACE}€"),
        (0.09, 1, "SMS : 3 segments, coût dit par le prestataire : 0,09\N{NO-BREAK SPACE}€ et 1 segment sans prix"),
    ],
)
def test_sms_cost_what_the_provider_told_of_them_and_segments_are_never_its_credits(told, unpriced, words):
    books = Books(
        loans_extracted=3, loans_in_notices=3, skipped={}, slots_skipped={}, notices=3, deliveries_planned=3,
        deliveries={}, segments=3, cost=told, unpriced=unpriced,
    )  # fmt: skip
    assert books_words(books)[-1] == words
