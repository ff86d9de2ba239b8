"""The desk's page: whom nothing reached and why, what is in doubt, and letters that came back."""

from __future__ import annotations

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.suppressions import SuppressionReason, SuppressionSummary
from loan_reminders.settings import settings
from loan_reminders.web import desk
from loan_reminders.web.suppression_rows import question_answered, who_is_meant
from tests.ledger.registered_scenes import in_a_batch, ref, some_letters, trace
from tests.ledger.scenes import opened, planned, rows
from tests.orchestration.web_client import browsing, connection_to

PAGE = "/bureau"
BACK = f"{PAGE}/npai"


@pytest.fixture
def ledger(ledger_url):
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library=settings().library.code) as opened_ledger:
        yield opened_ledger


@pytest.fixture(autouse=True)
def installed(monkeypatch, postgres_server, ledger_database):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", connection_to(postgres_server, ledger_database))


def skipped(ledger, reason, detail):
    [letter] = some_letters(1)
    run = opened(ledger, stage=Stage.REGISTERED_LETTER)
    ledger.record_loans(run.run_id, letter.loans)
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, detail)"
        " VALUES (:library, :run, 'L0', :due, 'PL0', :reason, :detail)",
        library=settings().library.code, run=run.run_id, due=letter.notice.due_date, reason=reason, detail=detail,
    )  # fmt: skip


def test_a_reader_without_a_home_is_listed_with_the_reason_in_french(ledger):
    skipped(ledger, "invalid_recipient", "registered_letter:homeless")
    with browsing() as client:
        answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    for words in ("21000L0", "Lecteur L0", "adresse postale : sans domicile fixe", "lettre recommandée"):
        assert words in answer.text


def test_an_empty_desk_says_so(ledger):
    with browsing() as client:
        page = client.get(PAGE).text
    for words in ("Personne, depuis 30 jours.", "Aucune adresse NPAI.", "Aucun.", "Aucune."):
        assert words in page
    assert "Seules" not in page


def test_a_long_list_is_cut_and_says_so(ledger, monkeypatch):
    planned(ledger, some_letters(3), stage=Stage.REGISTERED_LETTER)
    rows(ledger, "UPDATE deliveries SET state = 'refused', reason = 'not_rendered'")
    monkeypatch.setattr(desk, "MOST_LINES", 2)
    with browsing() as client:
        page = client.get(PAGE).text
    assert page.count("Lecteur L") == 2
    assert "Seules les 2 premières lignes" in page


def test_an_ordinary_letter_that_came_back_puts_its_address_on_the_list(ledger):
    _, [letter] = in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
    with browsing("chloé") as client:
        answer = client.post(BACK, data={"reference": f" {ref(0, 'S').lower()}\r\n"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/bureau?npai={ref(0, 'S')}")
        page = client.get(PAGE).text
        assert "LECTEUR 0, 12 RUE DES LILAS, 06000 NICE" in page
        assert "déjà noté" in client.post(BACK, data={"reference": ref(0, "S")}).text
    [line] = ledger.feedback().suppressions()
    assert (line.reason, line.in_force) == (SuppressionReason.RETURNED_UNDELIVERABLE, True)
    assert [(act, who) for act, who, _, _ in trace(ledger, letter)] == [("returned", "chloé")]


@pytest.mark.parametrize(
    ("reference", "words"),
    [("", "Il manque la référence"), ("R1-0", "Aucune lettre"), (ref(0), "noter son retour sur la page")],
)
def test_what_cannot_come_back_is_told(ledger, reference, words):
    in_a_batch(ledger, 1)
    with browsing() as client:
        answer = client.post(BACK, data={"reference": reference})
    assert (answer.status_code, words in answer.text) == (400, True)
    assert ledger.feedback().suppressions() == ()


@pytest.mark.parametrize(("method", "path"), [("GET", PAGE), ("POST", BACK)])
def test_without_login_there_is_nothing_to_see(ledger, method, path):
    skipped(ledger, "no_recipient", "")
    with browsing("") as client:
        answer = client.request(method, path)
    assert (answer.status_code, "Lecteur" in answer.text) == (401, False)


def test_a_reader_of_dags_sees_nobody_and_changes_nothing(ledger):
    in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
    with browsing("lecteur") as client:
        assert client.get(PAGE).status_code == 403
        assert client.post(BACK, data={"reference": ref(0, "S")}).status_code == 403
    assert ledger.feedback().suppressions() == ()


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        for answer in (client.get(PAGE), client.post(BACK, data={"reference": "R1-0"})):
            assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("channel", "recipient", "words"),
    [
        (Channel.SMS, "33639980001", "06 39 98 00 01"),
        (Channel.EMAIL, "camille@etu.example.fr", "camille@etu.example.fr"),
        (Channel.LETTER, '{"lines": ["MME MARTIN", "06000 NICE"], "postcode": "06000"}', "MME MARTIN, 06000 NICE"),
        (Channel.LETTER, "illisible", "illisible"),
    ],
)
def test_the_list_shows_addresses_as_people_write_them(channel, recipient, words):
    assert who_is_meant(channel, recipient) == words


def test_the_summary_counts_numbers_and_addresses_apart():
    reasons = {SuppressionReason.STOP: 1, SuppressionReason.HARD_BOUNCE: 2}
    words = question_answered(SuppressionSummary(in_force=reasons, sms_since=0))
    assert words.startswith("1 numéro désinscrit et 2 adresses mortes (")
    only = question_answered(SuppressionSummary(in_force={SuppressionReason.HARD_BOUNCE: 1}, sms_since=0))
    assert only.startswith("1 adresse morte (")
    assert "numéro désinscrit" not in only
