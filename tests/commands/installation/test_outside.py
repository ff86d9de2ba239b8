"""What the doctor finds where servers are wrong, each over its wire."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.scenes.world import closed_port
from tests.simulators.allmysms_server import AllMySmsServer
from tests.simulators.imap_server import ImapServer
from tests.simulators.oracle_server import Faults as OracleFaults
from tests.simulators.smtp_sink import Faults, SmtpSink

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PLAIN = {"disable_ssl": True, "disable_tls": True, "login_in_clear": True}
PASSWORD = "un-Secret-de-serveur"
TOKEN = "jeton-secret-de-vingt-quatre-signes"
ME = "moi@univ.example.org"


@pytest.fixture
def sink(tmp_path, doctor):
    with SmtpSink(tmp_path / "mails", login="relances", password=PASSWORD) as running:
        doctor.connect("mail_relay", conn_type="smtp", host="127.0.0.1", port=running.port, login="relances",
                       password=PASSWORD, extra=PLAIN)  # fmt: skip
        yield running


def test_smtp_is_asked_for_nothing(doctor, sink):
    status, (finding,) = doctor.findings("smtp")
    assert (status, finding["outcome"]) == (0, "fine")
    assert sink.messages() == []


def test_smtp_delivers_one_message_to_ones_own_address_and_does_not_say_it(doctor, sink):
    status, said = doctor("smtp", more=["--to", ME])
    assert status == 0
    (message,) = sink.messages()
    assert message["To"] == ME
    assert message["Auto-Submitted"] == "auto-generated"
    assert ME not in said


def test_what_is_no_address_is_told_before_anything_is_asked(doctor, sink, capsys):
    with pytest.raises(SystemExit) as end:
        doctor("smtp", more=["--to", "moi"])
    assert end.value.code == 2
    assert "une adresse e-mail est attendue, et non « moi »" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "more", "words"),
    [
        ({"mail": "550 5.7.1 Sender rejected"}, ["--to", ME], "refuse l'expéditeur"),
        ({"refuse": "moi@"}, ["--to", ME], "Message d'essai non accepté (refused)"),
        ({"drop_at": "MAIL", "drops": 9}, ["--to", ME], "coupe la connexion"),
    ],
)
def test_smtp_that_does_not_take_the_message(doctor, sink, fault, more, words):
    sink.faults = Faults(**fault)
    status, (finding,) = doctor.findings("smtp", *more)
    assert status == 2
    assert words in finding["what"]
    assert "Nouvel essai" not in finding["what"]


@pytest.mark.parametrize("change", [{"password": "faux"}, {"port": closed_port()}, {"extra": {}}])
def test_smtp_that_cannot_be_entered(doctor, sink, change):
    known = {"conn_type": "smtp", "host": "127.0.0.1", "port": sink.port, "login": "relances", "password": PASSWORD}
    doctor.connect("mail_relay", **{**known, "extra": PLAIN, **change})
    status, said = doctor("smtp")
    assert status == 2
    assert "Le serveur de messagerie 127.0.0.1" in said
    assert PASSWORD not in said


def test_a_connection_that_is_not_there(doctor, airflow_tables):
    status, (finding,) = doctor.findings("smtp")
    assert status == 2
    assert "mail_relay" in finding["what"]
    assert "la base d'Airflow ou le coffre des secrets" in finding["do"]


def test_the_ledgers_connection_is_named_though_the_settings_name_none(doctor, airflow_tables, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER", raising=False)
    assert "« reminders_ledger »" in doctor.findings("start")[1][0]["what"]


@pytest.fixture
def provider(doctor):
    with AllMySmsServer() as running:
        host, port = running.base_url.removeprefix("http://").split(":")
        connection = {"conn_type": "http", "schema": "http", "host": host, "port": int(port),
                      "login": running.provider.login, "extra": {"login_in_clear": True}}  # fmt: skip
        doctor.connect("allmysms", **connection, password=running.provider.api_key)
        yield running, connection


@pytest.mark.parametrize(
    ("segments", "status", "words"), [(5000, 0, "allmysms répond"), (500, 1, "Crédit SMS bas"), (100, 2, "épuisé")]
)
def test_what_is_left_at_allmysms(doctor, provider, segments, status, words):
    provider[0].provider.credit = segments * 15
    found, (finding,) = doctor.findings("allmysms")
    assert (found, provider[0].provider.accepted) == (status, [])
    assert words in finding["what"]


def test_allmysms_that_refuses_the_key_or_is_away(doctor, provider):
    _, connection = provider
    for change in ({"password": PASSWORD}, {"password": PASSWORD, "port": closed_port()}):
        doctor.connect("allmysms", **{**connection, **change})
        status, said = doctor("allmysms")
        assert status == 2
        assert PASSWORD not in said


def test_the_mailbox(doctor, airflow_tables):
    status, (finding,) = doctor.findings("mailbox")
    assert (status, finding["outcome"]) == (1, "warning")
    with ImapServer(password=PASSWORD) as server:
        server.add(b"Subject: retour\r\n\r\n")
        known = {"conn_type": "imap", "host": "127.0.0.1", "port": server.port, "login": "retours"}
        clear = {"use_ssl": False, "login_in_clear": True}
        doctor.connect("bounce_mailbox", **known, password=PASSWORD, extra=clear)
        assert doctor.findings("mailbox")[1][0]["what"] == "Boîte des retours ouverte : 1 message à lire"
        assert not any("FETCH" in command for command in server.commands)
        doctor.connect("bounce_mailbox", **known, password="faux", extra=clear)
        status, said = doctor("mailbox")
    assert status == 2
    assert PASSWORD not in said


def test_the_ils(doctor, server):
    status, found = doctor.findings("ils")
    assert status in (0, 1)
    assert found[0]["what"].startswith("Serveur joint")
    assert not any("…" in finding["what"] for finding in found)
    server.faults = OracleFaults(refuse_login=28000)
    status, (finding,) = doctor.findings("ils")
    assert status == 2
    assert "ORA-28000" in finding["what"]
    assert "déverrouiller" in finding["do"]


def test_storage(doctor, tmp_path, monkeypatch):
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    assert doctor.findings("storage")[0] == 0
    assert list((tmp_path / "letters").iterdir()) == []
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "file"))
    status, (finding,) = doctor.findings("storage")
    assert status == 2
    assert "Le dossier des lettres" in finding["what"]
    monkeypatch.setenv("REMINDERS_STORAGE", "nowhere://x/letters")
    assert doctor.findings("storage")[0] == 2


class Pages(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path.endswith(TOKEN) else 404)
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture
def pages(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_callback_answers(doctor, pages, monkeypatch):
    from loan_reminders.commands.installation import of_outside

    monkeypatch.setattr(of_outside, "_is_this_machine", lambda _: False)  # a public name of this machine
    assert doctor.findings("callback")[0] == 0


def test_a_callback_that_answers_on_this_machine_alone_is_out_of_the_providers_reach(doctor, pages):
    status, (finding,) = doctor.findings("callback")
    assert status == 1
    assert "ne peut pas joindre une telle adresse" in finding["means"]
    assert "AIRFLOW__API__BASE_URL" in finding["do"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"REMINDERS_SMS_CALLBACK_TOKEN": TOKEN + "autre"}, 2),
        ({"REMINDERS_SMS_CALLBACK_TOKEN": TOKEN + "autre", "REMINDERS_SMS_CALLBACK_NETWORKS": "192.0.2.0/24"}, 1),
        ({"AIRFLOW__API__BASE_URL": "http://relances.invalid"}, 2),
        ({"AIRFLOW__API__BASE_URL": ""}, 1),
        ({"REMINDERS_SMS_CALLBACK_TOKEN": "court"}, 2),
        ({"REMINDERS_SMS_CALLBACK_TOKEN": ""}, 0),
    ],
)
def test_the_callback_does_not(doctor, pages, monkeypatch, changes, status):
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    found, said = doctor("callback")
    assert found == status
    assert TOKEN not in said


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_callback_on_this_very_machine_is_no_fault_in_a_container(doctor, pages, monkeypatch, host):
    """In docker-compose.yaml's scheduler, the usual `http://localhost:8080` is the scheduler's own container."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", f"http://{host}:{closed_port()}")
    status, (finding,) = doctor.findings("callback")
    assert (status, host in finding["what"]) == (1, True)
    assert "AIRFLOW_BASE_URL" in finding["do"]


def test_a_token_in_a_file_that_is_too_short_is_told(doctor, pages, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("court\n")
    monkeypatch.delenv("REMINDERS_SMS_CALLBACK_TOKEN")
    monkeypatch.setenv("REMINDERS_SMS_CALLBACK_TOKEN_FILE", str(tmp_path / "token"))
    status, (finding,) = doctor.findings("callback")
    assert status == 2
    assert finding["what"].startswith("REMINDERS_SMS_CALLBACK_TOKEN_FILE")
