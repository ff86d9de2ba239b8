"""What the to-do page says of readers who were not reached."""

from __future__ import annotations

import pytest

from loan_reminders.domain.states import SkipReason
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
        ("invalid_recipient", "pigeon:lost", "coordonnées inutilisables"),
        ("opted_out", "objection:email", "désinscrit (le lecteur s'oppose aux e-mails)"),
        ("invalid_row", "not_a_date:due_date", "ligne du SIGB illisible (une date n'en est pas une)"),
    ],
)  # fmt: skip
def test_why_a_reader_is_not_reached_is_told_in_french(reason, detail, words):
    assert not_reached_words(SkipReason(reason), detail) == words
