"""What the doctor finds of the server of alerts, over its wire."""

from __future__ import annotations

import pytest

from loan_reminders.settings.library_toml import ROOT
from tests.scenes.alerted_team import TEAM, told_to
from tests.scenes.world import closed_port
from tests.simulators.smtp_sink import Faults, SmtpSink

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PASSWORD = "un-Secret-de-serveur"
ME = "moi@univ.example.org"
KNOWN = {
    "conn_type": "smtp",
    "host": "127.0.0.1",
    "login": "alertes",
    "password": PASSWORD,
    "extra": {"disable_ssl": True, "disable_tls": True, "login_in_clear": True},
}


@pytest.fixture
def alerted(tmp_path, monkeypatch):
    """A library whose alerts leave by a server of their own."""
    told_to(tmp_path, [TEAM])
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))
    return tmp_path / "library.toml"


@pytest.fixture
def sink(tmp_path, doctor):
    with SmtpSink(tmp_path / "mails", login="alertes", password=PASSWORD) as running:
        doctor.connect("alert_relay", **KNOWN, port=running.port)
        yield running


def test_the_server_of_alerts_is_asked_for_nothing(doctor, alerted, sink):
    status, (finding,) = doctor.findings("alerts")
    assert (status, finding["outcome"]) == (0, "fine")
    assert sink.messages() == []


def test_it_delivers_one_message_in_the_name_of_the_alerts(doctor, alerted, sink):
    text = alerted.read_text(encoding="utf-8")
    assert 'sender = ""' in text
    alerted.write_text(text.replace('sender = ""', 'sender = "alertes@bu.example.org"'), encoding="utf-8")
    assert doctor.findings("alerts", "--to", ME)[0] == 0
    (message,) = sink.messages()
    assert (message["From"], message["To"]) == ("alertes@bu.example.org", ME)


@pytest.mark.parametrize("change", [{"password": "faux"}, {"port": closed_port()}])
def test_a_server_of_alerts_that_cannot_be_entered(doctor, alerted, sink, change):
    doctor.connect("alert_relay", **{**KNOWN, "port": sink.port, **change})
    status, said = doctor("alerts")
    assert status == 2
    assert PASSWORD not in said


def test_a_server_of_alerts_that_refuses_the_message(doctor, alerted, sink):
    sink.faults = Faults(refuse="moi@")
    status, (finding,) = doctor.findings("alerts", "--to", ME)
    assert status == 2
    assert "Personne ne sera prévenu" in finding["means"]


def test_a_connection_of_alerts_that_is_not_there(doctor, alerted, airflow_tables):
    status, (finding,) = doctor.findings("alerts")
    assert status == 2
    assert "alert_relay" in finding["what"]


def test_alerts_that_reach_nobody_and_alerts_by_the_readers_server(doctor, tmp_path, monkeypatch):
    assert "Personne n'est prévenu" in doctor.findings("alerts")[1][0]["what"]
    text = (ROOT / "library.toml").read_text(encoding="utf-8").replace("recipients = []", f'recipients = ["{TEAM}"]')
    (tmp_path / "library.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("REMINDERS_CONFIG", str(tmp_path / "library.toml"))
    status, (finding,) = doctor.findings("alerts")
    assert status == 0
    assert "par le même serveur" in finding["what"]
