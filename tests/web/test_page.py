"""What all pages share: how they say what went wrong."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RETRIED, TO_MEND
from loan_reminders.web.page import by_hand, with_commands
from tests.web.client import browsing


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
        ("Le SIGB : ConnectionResetError, le réseau ne répond pas.", "Le SIGB : le réseau ne répond pas."),
        ("Le SIGB : 2003, le serveur ne répond pas.", "Le SIGB : le serveur ne répond pas."),
        ("Le SIGB : 08001, la connexion est refusée.", "Le SIGB : la connexion est refusée."),
        ("Le SIGB : ORA-12541, personne n'écoute.", "Le SIGB : personne n'écoute."),
        ("Lecteur : 2003, Martin.", "Lecteur : 2003, Martin."),
        ("Le relais ne répond pas (ConnectionRefusedError).", "Le relais ne répond pas."),
        ("Ce lecteur a deux cartes (Camille, gaierror).", "Ce lecteur a deux cartes (Camille, gaierror)."),
    ],
)
def test_a_person_has_no_task_to_run_again_and_reads_no_code(said, read):
    assert by_hand(said) == read


@pytest.mark.parametrize(
    ("referer", "form"),
    [
        ("http://testserver/lecteurs/7?suite=prets", "/lecteurs/7?suite=prets"),
        ("https://ailleurs.example/lecteurs/7", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_says_what_to_do_and_leads_to_the_log_in(referer, form):
    with browsing("", referer=referer) as client:
        answer = client.post("/bureau/npai", data={"reference": "LET-1"})
    assert answer.status_code == 401
    assert "Rien n'a été changé" in answer.text.replace("&#39;", "'")
    assert 'href="/api/v2/auth/login?next=http%3A%2F%2Ftestserver%2F" target="_blank"' in answer.text
    assert f'<a href="{form}">Revenir' in answer.text
    assert "LET-1" not in answer.text


def test_a_command_is_set_apart_and_nothing_typed_becomes_a_tag():
    assert with_commands("Lancer `python -m x`, puis <b>.") == "Lancer <code>python -m x</code>, puis &lt;b&gt;."
    assert with_commands("Rien à lancer.") == "Rien à lancer."
