"""What all pages share: how they say what went wrong."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RETRIED, TO_MEND
from loan_reminders.web.page import by_hand, with_commands


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            "Airflow n'a pas de connexion ils_oracle : la créer, puis relancer la tâche.",
            "Airflow n'a pas de connexion ils_oracle : la créer, puis recommencer.",
        ),
        ("Aucun SMS. Ensuite, relancer la tâche (Effacer).", "Aucun SMS. Ensuite, recommencer."),
        (TO_MEND, "Prévenir l'administrateur, puis recommencer."),
        (
            f"Le SIGB ne répond pas. {RETRIED}",
            "Le SIGB ne répond pas. Réessayer ; si cela dure, prévenir l'administrateur.",
        ),
        ("Le registre a refusé (SQLSTATE 54000).", "Le registre a refusé."),
        ("Le relais ne répond pas (ConnectionRefusedError).", "Le relais ne répond pas."),
        ("Ce lecteur a deux cartes (Camille, gaierror).", "Ce lecteur a deux cartes (Camille, gaierror)."),
    ],
)
def test_a_person_has_no_task_to_run_again_and_reads_no_code(said, read):
    assert by_hand(said) == read


def test_a_command_is_set_apart_and_nothing_typed_becomes_a_tag():
    assert with_commands("Lancer `python -m x`, puis <b>.") == "Lancer <code>python -m x</code>, puis &lt;b&gt;."
    assert with_commands("Rien à lancer.") == "Rien à lancer."
