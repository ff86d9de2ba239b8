"""What is said of a field of an Oracle connection that cannot be used, before anything is connected."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.settings.library_toml import ROOT
from tests.scenes.oracle_accounts import CONNECTION, account

SECRET = "a-Secret"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"extra": {"service": "X"}}, r"extra inconnu : service ; extras permis : cclass, config_dir"),
        ({"extra": {"service_name": "X", "Tcp_connect_timeout": 3}}, r"extra inconnu : Tcp_connect_timeout"),
        ({"extra": "service_name=X"}, "le champ Extra n'est pas du JSON"),
        ({"extra": '["service_name"]'}, "le champ Extra n'est pas du JSON"),
        ({"extra": {"service_name": "X", "call_timeout": 60000}}, r"call_timeout ne .* ils\.call_timeout_seconds"),
        ({"extra": {"service_name": "X", "mode": "sysdba"}}, "un compte de lecture se connecte sans privilège"),
        ({"extra": {"service_name": "X", "password": SECRET}}, "c'est le champ Password"),
        ({"extra": {"service_name": "X", "sid": "Y"}}, "ne garder qu'un de ces extras : service_name, sid"),
        ({"extra": {"service_name": "X", "dsn": "Y"}}, "ne garder qu'un de ces extras : service_name, dsn"),
        ({"extra": {}}, "il manque le service"),
        ({"host": "", "extra": {"service_name": "X"}}, "il manque l'adresse"),
        ({"host": None, "extra": {}}, "il manque l'adresse"),
        ({"login": ""}, r"il manque l'identifiant \(Login\) ou le mot de passe"),
        ({"password": None}, r"il manque l'identifiant \(Login\) ou le mot de passe"),
        ({"schema": "UNS50; DROP"}, "le champ Schema n'est pas un nom de schéma"),
        ({"extra": {"dsn": "(DESCRIPTION=(ADDRESS=(HOST=h))"}}, "parenthèses"),
        ({"host": "(DESCRIPTION=(ADDRESS=(HOST=h))", "extra": {}}, "parenthèses"),
        ({"extra": {"service_name": 12}}, "l'extra service_name doit être un texte"),
        ({"extra": {"service_name": "X", "protocol": "ssl"}}, "l'extra protocol doit être l'un de : tcp, tcps"),
        ({"extra": {"service_name": "X", "purity": "clean"}}, "l'extra purity doit être l'un de : default, new, self"),
        ({"extra": {"service_name": "X", "tcp_connect_timeout": "10 s"}}, "un nombre entier de 1 à 300"),
        (
            {"extra": {"service_name": "X", "retry_count": 50}},
            "retry_count doit être un nombre entier de 0 à 5",
        ),
        ({"extra": {"service_name": "X", "thick_mode": "oui"}}, "l'extra thick_mode doit être true ou false"),
        ({"extra": {"service_name": "X", "config_dir": "/nowhere"}}, "config_dir nomme un dossier qui n'existe pas"),
        ({"extra": {"service_name": "X", "wallet_location": "/nowhere"}}, "wallet_location nomme un dossier qui n'ex"),
        (
            {"extra": {"service_name": "X", "wallet_location": "/tmp"}},
            "/tmp n'a pas de fichier ewallet",
        ),
        (
            {"extra": {"service_name": "X", "wallet_location": "/tmp", "thick_mode": True}},
            "le portefeuille /tmp n'a pas de fichier cwallet",
        ),
        (
            {"extra": {"service_name": "X", "thick_mode": True, "thick_mode_lib_dir": "/tmp"}},
            r"/tmp n'a pas de client Oracle \(libclntsh\) : y installer Instant Client 19",
        ),
        (
            {"extra": {"service_name": "X", "thick_mode": True, "thick_mode_lib_dir": "/nowhere"}},
            "thick_mode_lib_dir nomme un dossier qui n'existe pas",
        ),
        ({"extra": {"service_name": "X", "thick_mode_lib_dir": "/tmp"}}, "ne sert qu'avec thick_mode = true"),
    ],
)
def test_a_field_that_cannot_be_used_is_told_before_anything_is_connected(fields, told):
    with pytest.raises(IlsRejected, match=told) as error:
        account(**{"password": SECRET, **fields})
    assert str(error.value).startswith(f"Connexion {CONNECTION} : ")
    assert "La corriger dans Airflow (Administration, Connexions)" in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.cause
    assert error.value.remedy


def test_thick_mode_without_a_client_on_the_machine_is_told_with_what_to_install():
    """In a process of its own: the first connection of a process decides its mode."""
    script = """
from loan_reminders.domain.errors import IlsRejected
from loan_reminders.gateways.runs.oracle_connection import OracleAccount
from loan_reminders.gateways.runs.oracle_database import OracleDatabase
account = OracleAccount(name="ils_oracle", host="db", port=None, login="ILS", password="ils", schema=None,
                        extra={"service_name": "X", "thick_mode": True}, zone=None)
try:
    with OracleDatabase(account.connect).session():
        pass
except IlsRejected as error:
    print(error)
"""
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "DPI-1047, le client Oracle du mode « thick » est introuvable ou incomplet" in told
    assert "Remède : mettre la connexion en mode « thick » avec Instant Client 19" in told
