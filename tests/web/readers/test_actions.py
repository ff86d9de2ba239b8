"""The column « Faire » of a reader's page: send again, not to write, lift; with a real ILS, mail server and ledger."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.holds import hold as held
from tests.scenes.ledger_runs import answer, ids, planned, rows
from tests.scenes.redirected import redirecting
from tests.simulators.oracle_server import SERVICE, OracleServer
from tests.simulators.smtp_sink import SmtpSink
from tests.web.client import browsing, said_once

S = DeliveryState
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    from sql.demo.generator import build_library
    from tests.scenes.aleph import TODAY

    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    return path


@pytest.fixture
def desk(installed, monkeypatch, tmp_path, ledger, library):
    """A reader with one loan of the ILS, told by e-mail and SMS yesterday."""
    from loan_reminders.domain.loans import Loan
    from loan_reminders.domain.recipients import EmailAddress, MobileNumber
    from loan_reminders.hooks.ils import loan_source
    from tests.scenes.aleph import CODES, TODAY, due_day

    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    (tmp_path / "mail").mkdir()
    with OracleServer(library) as server, SmtpSink(tmp_path / "mail") as mail:
        extra = {"service_name": SERVICE}
        values = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
        monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({"conn_type": "oracle", **values, "extra": extra}))
        plain = {"disable_ssl": True, "disable_tls": True, "timeout": 5}
        smtp = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.port, "extra": plain}
        monkeypatch.setenv("AIRFLOW_CONN_MAIL_RELAY", json.dumps(smtp))
        source = loan_source(settings().ils, codes=CODES)
        loan = next(
            row
            for row in source.loans_due(due_day("C"), today=TODAY)
            if isinstance(row, Loan)
            and isinstance(row.patron.email, EmailAddress)
            and isinstance(row.patron.mobile, MobileNumber)
        )
        notice = a_notice(loans=(loan,))
        told = [a_delivery(notice=notice, channel=channel) for channel in (Channel.EMAIL, Channel.SMS)]
        run = planned(ledger, told, due_date=loan.due_date)
        for one in told:
            with ledger.sender(run.run_id, one.channel) as sender:
                sender.claim(ids([one]), [SentWords(delivery_id=one.delivery_id, subject="s", body="b")])
                sender.record([answer(one, S.ACCEPTED)])
        ledger.close_run(run.run_id)
        number = ledger.part(PostgresReaders).number_of(loan.patron.patron_id)
        yield SimpleNamespace(
            ledger=ledger, loan=loan, patron=loan.patron.patron_id, page=f"/lecteurs/{number}", mail=mail
        )


def in_days(days):
    return (datetime.now(settings().zone).date() + timedelta(days=days)).isoformat()


def text_of(answered):
    return re.sub(r"\s+", " ", answered.text.replace("&#39;", "'"))


def hold(client, desk, **changes):
    form = {"lecteur": desk.patron, "jusqu_au": in_days(3), "motif": "conteste le prêt", **changes}
    return client.post("/lecteurs/suspension", data=form)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"motif": " "}, 400, "Il manque le motif"),
        ({"jusqu_au": ""}, 400, "Il manque la date"),
        ({"jusqu_au": "demain"}, 400, "Il manque la date"),
        ({"jusqu_au": "2001-01-01"}, 400, "déjà passée"),
        ({"jusqu_au": "2999-01-01"}, 400, "plus d'un an"),
        ({"pret": "L-inconnu"}, 404, "ne connaît pas ce prêt"),
        ({"lecteur": "P-inconnu"}, 404, "ne connaît pas, ou plus, ce lecteur"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_in_words(desk, changes, status, words):
    with browsing() as client:
        refused = hold(client, desk, **changes)
    assert (refused.status_code, words in text_of(refused)) == (status, True)
    assert rows(desk.ledger, "SELECT 1 FROM holds") == []


def test_a_hold_is_placed_seen_listed_and_lifted_with_its_reasons(desk):
    with browsing("zoé") as client:
        placed = hold(client, desk)
        assert placed.headers["location"] == desk.page
        page, listed = text_of(client.get(placed.headers["location"])), text_of(client.get("/lecteurs/suspendus"))
    for seen in (page, listed):
        assert "conteste le prêt" in seen
        assert "par zoé" in seen
    assert "C'est noté" in page
    assert "Ne rien écrire à ce lecteur" in page
    assert desk.page in listed
    [(hold_id,)] = rows(desk.ledger, "SELECT hold_id FROM holds")
    with browsing("chloé") as client:
        for_nothing = client.post("/lecteurs/levee", data={"suspension": hold_id, "ici": "quoi=prets&tri=fin"})
        back = client.post("/lecteurs/levee", data={"suspension": hold_id, "motif": "retrouvé"})
        again = client.post("/lecteurs/levee", data={"suspension": hold_id, "motif": "retrouvé"})
        empty = text_of(client.get(back.headers["location"]))
    assert (for_nothing.status_code, again.status_code) == (400, 409)
    assert "Aucune suspension ne répond à ce choix" in text_of(for_nothing), "the list again, as it was"
    assert "La suspension est levée" in empty
    assert "Personne n'est suspendu" in empty
    kept = rows(desk.ledger, "SELECT who, act, detail FROM journal WHERE act LIKE 'h%' ORDER BY entry_id")
    assert kept == [("zoé", "held", "conteste le prêt"), ("chloé", "hold_lifted", "retrouvé")]
    assert rows(desk.ledger, "SELECT lifted_by, lift_reason FROM holds") == [("chloé", "retrouvé")]


def test_a_hold_that_cannot_be_lifted_from_the_readers_page_is_said_on_that_page(desk):
    with browsing() as client:
        hold(client, desk)
        [(hold_id,)] = rows(desk.ledger, "SELECT hold_id FROM holds")
        form = {"lecteur": desk.patron, "suspension": hold_id}
        both = f'name="lecteur" value="{desk.patron}"><input type="hidden" name="suspension" value="{hold_id}"'
        assert both in client.get(desk.page).text
        for_nothing = client.post("/lecteurs/levee", data=form)
        lifted = client.post("/lecteurs/levee", data={**form, "motif": "retrouvé"})
        again = client.post("/lecteurs/levee", data={**form, "motif": "retrouvé"})
    assert (for_nothing.status_code, lifted.headers["location"], again.status_code) == (400, desk.page, 409)
    for refused in (for_nothing, again):
        assert "Suspendre les messages" in text_of(refused) or "Suspendre autre chose" in text_of(refused)


def test_the_list_of_holds_is_filtered_and_turned_by_its_address(installed, ledger):
    today = datetime.now(settings().zone).date()
    for n in range(1, 4):
        told = a_delivery(notice=a_notice(loans=(a_loan(loan_id=f"L{n}", patron=a_patron(patron_id=f"P{n}")),)))
        planned(ledger, [told], dag_run_id=f"run {n}")
    for n, loan in ((1, "L1"), (2, ""), (3, "L3")):
        held(ledger, f"P{n}", loan_id=loan, until=today + timedelta(days=n), today=today, reason=f"motif {n}")

    def listed(query=""):
        return re.findall(r"motif (\d)", client.get(f"/lecteurs/suspendus{query}").text)

    with browsing() as client:
        assert [listed(), listed("?tri=fin")] == [["1", "2", "3"], ["3", "2", "1"]]
        assert [listed("?quoi=lecteurs"), listed("?quoi=prets&tri=fin"), listed("?page=9")] == [
            ["2"], ["3", "1"], ["1", "2", "3"],
        ]  # fmt: skip


def test_the_email_leaves_again_and_the_page_says_so(desk):
    with browsing("zoé") as client:
        page = text_of(client.get(desk.page))
        sent = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "email"})
        after = text_of(client.get(sent.headers["location"]))
        second = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "email"})
    assert "Renvoyer le dernier e-mail" in page
    assert sent.status_code == 303, text_of(sent)
    assert desk.patron not in sent.headers["location"].removeprefix(desk.page)
    assert len(desk.mail.messages()) == 1
    assert "L'e-mail est reparti, pour 1 document" in after
    assert "par e-mail, renvoi" in after
    assert "pas plus d'un par jour" in after
    assert (second.status_code, len(desk.mail.messages())) == (409, 1)


def test_what_is_sent_again_during_a_trial_is_no_proof_that_the_reader_was_told(desk, monkeypatch, tmp_path):
    with redirecting(monkeypatch, tmp_path), browsing() as client:
        sent = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "email"})
        page = text_of(client.get(desk.page))
    assert sent.status_code == 303, text_of(sent)
    [mail] = desk.mail.messages()
    assert "<essai@bu-montclar.example>" in mail["To"]
    again = rows(desk.ledger, "SELECT state, redirected FROM deliveries JOIN resends USING (delivery_id)")
    assert again == [("accepted", True)]
    assert "à une adresse d'essai de la bibliothèque : le lecteur n'en a rien reçu" in page


def test_what_comes_next_is_at_the_end_of_the_line_of_time(installed, ledger):
    today = datetime.now(settings().zone).date()
    told = a_delivery(notice=a_notice(loans=(a_loan(due_date=today - timedelta(days=1)),)))
    planned(ledger, [told], due_date=today - timedelta(days=1), today=today)
    page = f"/lecteurs/{ledger.part(PostgresReaders).number_of('P1')}"
    with browsing() as client:
        before = text_of(client.get(page))
        client.post("/lecteurs/suspension", data={"lecteur": "P1", "jusqu_au": in_days(19), "motif": "hospitalisé"})
        after = text_of(client.get(page))
    assert '1re lettre de relance</b> <span class="pill wait">prévue le' in before
    assert "par e-mail, si le document n'est pas rendu" in before
    assert "Lettre recommandée</b>" in after
    assert "ne pas écrire jusqu'au" in after


def test_the_same_form_twice_sends_once(desk):
    form = {"cle": str(uuid.uuid4()), "lecteur": desk.patron, "canal": "email"}
    with browsing() as client:
        first, second = (client.post("/lecteurs/renvoi", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert len(desk.mail.messages()) == 1


@pytest.mark.parametrize("connection", ["AIRFLOW_CONN_MAIL_RELAY", "AIRFLOW_CONN_ILS_ORACLE"])
def test_a_neighbour_out_of_reach_is_told_and_nothing_leaves(desk, monkeypatch, connection):
    nobody = {"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": {"disable_ssl": True, "disable_tls": True}}
    if "ORACLE" in connection:
        nobody = {"conn_type": "oracle", "host": "127.0.0.1", "port": 1, "login": "a", "password": "b",
                  "extra": {"service_name": SERVICE}}  # fmt: skip
    monkeypatch.setenv(connection, json.dumps(nobody))
    with browsing() as client:
        silent = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "email"})
    assert silent.status_code == 503
    assert desk.mail.messages() == []
    assert "Réessayer" in text_of(silent)
    assert rows(desk.ledger, "SELECT 1 FROM resends WHERE counts") == []


def test_a_letter_is_not_sent_again_from_here(desk):
    with browsing() as client:
        refused = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "letter"})
    assert (refused.status_code, "page de son lot" in text_of(refused)) == (400, True)


def test_a_hold_keeps_the_message_from_being_sent_again(desk):
    with browsing() as client:
        hold(client, desk)
        refused = client.post("/lecteurs/renvoi", data={"lecteur": desk.patron, "canal": "email"})
    assert (refused.status_code, "suspension est en vigueur" in text_of(refused)) == (409, True)
    assert desk.mail.messages() == []


def test_what_was_done_is_said_once_and_no_address_says_it(desk):
    with browsing() as client:
        placed = hold(client, desk)
        pages = [text_of(client.get(placed.headers["location"])) for _ in range(2)]
        client.cookies.set("relances_fait", f"{'0' * 64}.{quote(said_once(placed))}")
        forged = text_of(client.get(f"{desk.page}?fait=suspendu"))
    assert [said_once(placed) in page for page in (*pages, forged)] == [True, False, False]


def test_a_hold_that_is_refused_leaves_what_was_typed_in_its_form(desk):
    with browsing() as client:
        refused = text_of(hold(client, desk, jusqu_au="2999-01-01", pret=desk.loan.loan_id))
    form = refused.partition('action="/lecteurs/suspension"')[2].partition("</form>")[0]
    for typed in (f'value="{desk.loan.loan_id}" selected', 'value="2999-01-01"', 'value="conteste le prêt"'):
        assert typed in form


def test_an_unmigrated_ledger_is_a_page(monkeypatch, installed, ledger):
    rows(ledger, "UPDATE reminders_alembic_version SET version_num = '0001'")
    try:
        from loan_reminders.web import ledger_access

        ledger_access.close()
        with browsing() as client:
            assert client.get("/lecteurs/suspendus").status_code == 503
    finally:
        from loan_reminders.ledger.tables import SCHEMA_REVISION

        rows_again = f"UPDATE reminders_alembic_version SET version_num = '{SCHEMA_REVISION}'"
        with ledger.engine.begin() as connection:
            connection.exec_driver_sql(rows_again)
