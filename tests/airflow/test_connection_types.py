"""*Test* of our types of connection, asked as Airflow asks: which settings it takes, and what it says of a fault."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from loan_reminders.domain.errors import SettingsError
from loan_reminders.hooks.extras import flag, seconds
from loan_reminders.settings.library_toml import ROOT, settings
from tests.simulators.allmysms_server import AllMySmsServer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

EXAMPLE = (ROOT / "library.toml").read_text(encoding="utf-8")


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """A folder of libraries, each written with changes to the example; its files are read anew."""

    def written(**files):
        for code, changes in files.items():
            text = EXAMPLE.replace('code = "montclar"', f'code = "{code}"', 1)
            for old, new in changes.items():
                assert old in text
                text = text.replace(old, new, 1)
            (tmp_path / f"{code}.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path))
        settings.cache_clear()

    yield written
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def tried(monkeypatch):
    """What *Test* says of a connection to the simulated provider, under an id."""
    from loan_reminders.hooks.connection_types.allmysms import AllMySmsConnection

    def asked(conn_id, server):
        fields = {
            "conn_type": "allmysms",
            "host": "127.0.0.1",
            "port": urlsplit(server.base_url).port,
            "schema": "http",
        }
        account = {"login": server.provider.login, "password": server.provider.api_key}
        connection = {**fields, **account, "extra": {"login_in_clear": True}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        return AllMySmsConnection(conn_id).test_connection()

    return asked


def test_of_several_libraries_the_one_whose_connection_it_is_says_which_api(libraries, tried):
    libraries(
        alpha={"[sms]\n": '[sms]\nconnection = "sms_alpha"\n'},
        beta={"[sms]\n": '[sms]\nconnection = "sms_beta"\n', 'api = "legacy"': 'api = "rest"'},
    )
    with AllMySmsServer() as server:
        for conn_id, by_rest in (("sms_alpha", False), ("sms_beta", True), ("not_saved", False)):
            server.provider.requests.clear()
            fine, said = tried(conn_id, server)
            assert fine, said
            assert re.match(r"allmysms répond : il reste [\d\u202f]+ SMS", said)
            assert ["path" in request for request in server.provider.requests] == [by_rest]


def test_settings_that_cannot_be_read_are_told(libraries, tried, tmp_path):
    with AllMySmsServer() as server:
        libraries(alpha={"[sms]\n": "[sms]\nnope = 1\n"})
        fine, said = tried("essai", server)
        assert (fine, "nope" in said) == (False, True)
        (tmp_path / "alpha.toml").unlink()
        settings.cache_clear()
        fine, said = tried("essai", server)
        assert (fine, "aucun fichier de bibliothèque" in said) == (False, True)


def test_what_nobody_foresaw_is_red_without_its_words(monkeypatch):
    from loan_reminders.hooks.connection_types.allmysms import AllMySmsConnection

    def broken(self):
        raise KeyError("Dupont")

    monkeypatch.setattr(AllMySmsConnection, "try_out", broken)
    fine, said = AllMySmsConnection("essai").test_connection()
    assert not fine
    assert said.startswith("Erreur inattendue : KeyError")
    assert "Dupont" not in said


@pytest.mark.parametrize(
    ("extra", "found"), [({}, 30), ({"t": None}, 30), ({"t": ""}, 30), ({"t": 5}, 5), ({"t": "2.5"}, 2.5)]
)
def test_a_time_of_a_connection(extra, found):
    assert seconds("c", extra, "t", 30.0) == found


@pytest.mark.parametrize("told", ["demain", 0, -1, "nan", "inf", [1], 1e9])
def test_a_time_that_is_none(told):
    with pytest.raises(SettingsError, match=r"Connexion Airflow c : extra t = .* un nombre de secondes est attendu"):
        seconds("c", {"t": told}, "t", 30.0)


@pytest.mark.parametrize(
    ("told", "found"), [(True, True), ("true", True), ("Oui", False), ("1", True), (None, False), ("", False)]
)
def test_a_flag_of_a_connection(told, found):
    assert flag(told) is found
