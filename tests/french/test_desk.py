"""What the to-do page says of readers who were not reached."""

from __future__ import annotations

import pytest

from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.french.desk import not_reached_words


@pytest.mark.parametrize(
    ("reason", "detail", "words"),
    [
        ("invalid_recipient", "letter:homeless", "coordonnées inutilisables (adresse postale : sans domicile fixe)"),
        ("no_recipient", "email:missing,letter:missing",
         "coordonnées absentes (e-mail : absent ; adresse postale : absente)"),
        ("dead_address", "registered_letter:suppressed",
         "adresse d'où tout revient (adresse postale : tout en revient, ou le lecteur n'en veut plus)"),
        ("invalid_recipient", "letter:no_postcode,registered_letter:no_postcode",
         "coordonnées inutilisables (adresse postale : sans code postal)"),
        ("invalid_recipient", "", "coordonnées inutilisables"),
        ("invalid_recipient", "pigeon:lost", "coordonnées inutilisables (pigeon : lost)"),
    ],
)  # fmt: skip
def test_why_a_reader_is_not_reached_is_told_in_french(reason, detail, words):
    assert not_reached_words(SkipReason(reason), detail) == words


def test_every_refusal_has_words_for_the_desk():
    for refusal in Refusal:
        assert refusal.value not in not_reached_words(SkipReason.INVALID_RECIPIENT, f"letter:{refusal}")
