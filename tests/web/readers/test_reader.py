"""A reader's page: what was said and not said, addresses masked, each look in the journal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.days import day_words
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice, a_patron, an_email
from tests.scenes.disputed_loan import TRACKING, a_whole_story, sent
from tests.scenes.ledger_runs import extracted, planned, rows
from tests.web.client import browsing

PERSONAL = ("camille.martin@", "33639980001", "06 39 98 00 01")


@pytest.fixture(autouse=True)
def without_other_addresses(installed, monkeypatch, tmp_path):
    monkeypatch.delenv("REMINDERS_LEDGER_URL", raising=False)
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))


def address(ledger, patron_id="P1"):
    return f"/lecteurs/{ledger.part(PostgresReaders).number_of(patron_id)}"


def journal(ledger):
    return [tuple(row) for row in rows(ledger, "SELECT who, act, patron_id FROM journal ORDER BY entry_id")]


def text_of(answer):
    return re.sub(r"\s+", " ", answer.text.replace("&#39;", "'"))


@pytest.mark.parametrize("number", ["0", "1", "-1", "9" * 30])
def test_an_unknown_reader_is_told_what_to_do(ledger, number):
    with browsing() as client:
        answer = client.get(f"/lecteurs/{number}")
    assert (answer.status_code, "ne connaît pas ce lecteur" in answer.text) == (404, True)
    assert 'name="recherche"' in answer.text
    assert journal(ledger) == []


def test_what_is_no_number_is_no_page(ledger):
    with browsing() as client:
        assert client.get("/lecteurs/P1").status_code == 404


def test_everything_said_and_not_said_is_there(ledger):
    a_whole_story(ledger)
    ledger.desk().note_return("R1-7ZK3QD4M", since=datetime.now(settings().zone), who="zoé")
    with browsing() as client:
        page = text_of(client.get(address(ledger)))
    for words in (
        "retour du pli noté, par zoé (NPAI, n'habite pas à l'adresse indiquée)",
        "Avis de retard, par e-mail", "Avis de retard, par SMS", "1re lettre de relance, par courrier",
        "Lettre recommandée", "Pas de SMS", "en doute", "L'Étranger", "Objet :", "BU: rendre", "Lot n°", "MD-0000AAAA",
        TRACKING, "pli avisé et non réclamé", "par chloé", "adresse électronique morte", "dépôt à La Poste noté",
    ):  # fmt: skip
        assert words in page, words
    assert "Prévenu" in page
    assert not [word for word in PERSONAL if word in page]
    assert "c•••@etu.example.fr" in page
    for code in (
        "no_recipient",
        "no_answer",
        "hard_bounce",
        "returned_undeliverable",
        "550 5.1.1",
        "250 2.0.0",
        "ReadTimeout",
        "None",
    ):
        assert code not in page, code


def test_each_look_is_a_line_of_its_own(ledger):
    a_whole_story(ledger)
    where = address(ledger)
    for who in ("chloé", "chloé", "zoé"):
        with browsing(who) as client:
            assert client.get(where).status_code == 200
    assert journal(ledger) == [("chloé", "reader_seen", "P1")] * 2 + [("zoé", "reader_seen", "P1")]


def test_addresses_are_shown_once_to_whoever_is_recorded(ledger):
    a_whole_story(ledger)
    where = address(ledger)
    with browsing("chloé") as client:
        page = client.get(where)
        key = re.search(r'name="cle" value="([^"]+)"', page.text)
        shown = client.post(f"{where}/coordonnees", data={"cle": key[1]})
        again = client.get(where)
    assert shown.headers["cache-control"] == "no-store"
    assert "camille.martin@etu.example.fr" in shown.text
    assert "06 39 98 00 01" in shown.text
    assert not [word for word in PERSONAL if word in again.text]
    looks = [act for _, act, _ in journal(ledger)]
    assert looks == ["reader_seen", "contacts_shown", "reader_seen"]


def test_nothing_is_promised_for_a_loan_that_the_ils_does_not_give_any_more(ledger):
    """The runs of its later stages had everything that was still out: it was returned or renewed, whatever is known."""
    today = datetime.now(settings().zone).date()
    due = today - timedelta(days=9)
    loans = [a_loan(loan_id="L1", title="Rapporté", due_date=due), a_loan(loan_id="L2", title="Gardé", due_date=due)]

    def seen(days, stage, *some):
        day = due + timedelta(days)
        more = {"due_date": due, "reference_date": day, "today": day}
        extracted(ledger, some, dag_run_id=f"day {days}", stage=stage, **more)

    seen(-2, Stage.COURTESY_NOTICE, *loans)
    planned(ledger, [a_delivery(notice=a_notice(loans=tuple(loans)))], dag_run_id="told", due_date=due, today=due)
    with browsing() as client:
        before = text_of(client.get(address(ledger)))
        seen(1, Stage.OVERDUE_NOTICE, loans[1])
        rows(ledger, "UPDATE runs SET state = 'extracting' WHERE dag_run_id = 'day 1'")
        while_it_reads = text_of(client.get(address(ledger)))
        rows(ledger, "UPDATE runs SET state = 'extracted' WHERE dag_run_id = 'day 1'")
        after = text_of(client.get(address(ledger)))
    gone = f"le {day_words(due + timedelta(days=1))}, le SIGB ne donnait plus ce prêt à cette échéance"
    for page in (before, while_it_reads):
        assert (page.count("prévue le"), gone in page, '<option value="L1">' in page) == (2, False, True)
    assert (after.count("prévue le"), after.count(gone)) == (1, 1)
    assert "rendu ou prolongé" in after
    # Both can be in dispute; only the one that is still out can be held.
    assert (after.count('<option value="L1">'), after.count('<option value="L2">')) == (1, 2)


def test_an_older_page_has_the_contacts_of_today_and_shows_the_addresses_of_then(ledger):
    for place in range(9):
        # The oldest loan is told at the reader's address of that time.
        patron = a_patron(email=an_email("autrefois@example.fr" if place == 0 else "maintenant@example.fr"))
        due = DUE_DATE + timedelta(days=28 * place)
        loan = a_loan(loan_id=f"L{place}", title=f"Livre {place}", due_date=due, patron=patron)
        sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,))
    where = address(ledger)
    with browsing("chloé") as client:
        masked = client.get(f"{where}?page=2").text
        form = re.search(r'<form method="post" action="[^"]+/coordonnees">(.*?)</form>', masked, re.DOTALL)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', form[1]))
        shown = client.post(f"{where}/coordonnees", data=fields).text
    contacts = re.search(r'<dl class="contacts">(.*?)</dl>', shown, re.DOTALL)[1]
    assert "m•••@example.fr" in masked
    assert ("Livre 0" in shown, "autrefois@example.fr" in shown) == (True, True)
    assert ("maintenant@example.fr" in contacts, "autrefois@example.fr" in contacts) == (True, False)


def test_the_page_leads_to_what_the_journal_says_of_the_reader(ledger):
    a_whole_story(ledger)
    with browsing("chloé") as client:
        [way] = re.findall(r'href="(/journal\?lecteur=\d+)"', client.get(address(ledger)).text)
        journal_page = text_of(client.get(way))
    assert "Au sujet de" in journal_page
    assert "a ouvert la page de" in journal_page


def test_a_message_whose_loans_are_erased_is_not_said_to_be_held(ledger):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    where = address(ledger)
    rows(ledger, "DELETE FROM delivery_loans")
    with browsing() as client:
        page = text_of(client.get(where))
    assert "Renvoyer le dernier e-mail" in page
    assert "suspension est en vigueur" not in page


def test_the_file_is_made_in_one_click_and_recorded(ledger):
    a_whole_story(ledger)
    with browsing("chloé") as client:
        page = client.get(address(ledger)).text
        form = re.search(r'action="(/dossier)" data-download>\s*<input type="hidden" name="pret" value="([^"]+)"', page)
        answer = client.post(form[1], data={"pret": form[2]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert journal(ledger) == [("chloé", "reader_seen", "P1"), ("chloé", "dispute_file_made", "P1")]


def test_a_reader_with_many_loans_is_paged_newest_first(ledger):
    days = [timedelta(days=28 * place) for place in range(20)]
    loans = [
        a_loan(loan_id=f"L{place:02}", title=f"Livre {place:02}", due_date=DUE_DATE - day, loan_date=DUE_DATE - day * 2)
        for place, day in enumerate(days)
    ]
    extracted(ledger, loans)
    values = ", ".join(f"('demo', 1, '{loan.loan_id}', '{loan.due_date}', 'P1', 'not_eligible')" for loan in loans)
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason) SELECT r.library, r.run_id, v.l,"
        f" v.d::date, v.p, v.w FROM (VALUES {values}) AS v(x, y, l, d, p, w), runs r",
    )
    where = address(ledger)
    with browsing() as client:
        pages = [text_of(client.get(f"{where}?page={number}")) for number in (1, 3, 99)]
    assert "20 en tout" in pages[0]
    assert re.findall(r"<b>Livre (\d\d)</b>", pages[0])[:3] == ["01", "02", "03"]
    assert "Jamais prévenu pour « Livre 00 »" in pages[0]
    assert "ce message n'est pas prévu pour ce lecteur" in pages[0]
    assert "Livre 19" in pages[1]
    assert "Page 3 sur 3" in pages[1]
    assert "Page 3 sur 3" in pages[2]


def test_a_reader_about_whom_nothing_was_prepared(ledger):
    extracted(ledger, [a_loan()])
    with browsing() as client:
        page = text_of(client.get(address(ledger)))
    assert "Aucun message n'a jamais été préparé" in page


def test_a_reader_whose_loans_are_erased_or_who_was_merged_breaks_nothing(ledger):
    a_whole_story(ledger)
    where = address(ledger)
    rows(ledger, "DELETE FROM loans_seen")
    with browsing() as client:
        erased = text_of(client.get(where))
        assert "description n'est plus gardée" in erased
        rows(ledger, "UPDATE notices SET patron_id = 'P2'")
        assert client.get(where).status_code == 200


@pytest.mark.parametrize(
    ("state", "reason", "raw", "verdict", "words"),
    [
        (DeliveryState.ACCEPTED, None, "250 ok", "Prévenu une fois", "le serveur de messagerie l'a accepté"),
        (DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED, "550 5.1.1 unknown", "Jamais prévenu", "n'existe pas"),
        (DeliveryState.IN_DOUBT, Reason.NO_ANSWER, "", "Peut-être prévenu", "on ne sait pas s'il est parti"),
        (DeliveryState.FAILED, Reason.RETRIES_EXHAUSTED, "", "Jamais prévenu", "essais épuisés"),
    ],
)
def test_the_verdict(ledger, state, reason, raw, verdict, words):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, state, reason, raw=raw)
    with browsing() as client:
        page = text_of(client.get(address(ledger)))
    assert verdict in page
    assert words in page


def test_words_as_sent_are_text(ledger):
    sent(
        ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(a_loan(title="<i>Titre</i>"),),
        words=("<b>objet", "<script>alert(1)</script>\r\nfin"),
    )  # fmt: skip
    with browsing() as client:
        page = client.get(address(ledger)).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nfin" in page
    assert "<i>Titre" not in page


def test_a_page_is_one_transaction_and_few_questions(ledger):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, words=("objet", "corps"))
    where, begun, asked = address(ledger), [], []

    def begins(connection):
        begun.append(connection)

    def asks(_connection, _cursor, statement, *_more):
        asked.append(statement)

    with browsing() as client:
        client.get(where)
        event.listen(Engine, "begin", begins)
        event.listen(Engine, "before_cursor_execute", asks)
        try:
            assert client.get(where).status_code == 200
        finally:
            event.remove(Engine, "begin", begins)
            event.remove(Engine, "before_cursor_execute", asks)
    assert len(begun) == 1
    assert 10 < len(asked) <= 24, asked


def test_whoever_only_sees_may_not_open_a_reader(ledger):
    a_whole_story(ledger)
    where = address(ledger)
    with browsing("lecteur") as client:
        assert client.get(where).status_code == 403
        assert client.post(f"{where}/coordonnees").status_code == 403
    assert journal(ledger) == []


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answer = client.get("/lecteurs/1")
    assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)
