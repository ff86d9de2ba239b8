"""One run's page, also as the tab of Airflow's own page of a run: figures for whoever sees, names for whoever acts."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_letters import closed, drafted
from tests.scenes.ledger_runs import answer, ids, planned, rows, some_deliveries
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("airflow")
RUN = "scheduled__2026-11-27T09:00:00+00:00"


@pytest.fixture
def run_id(ledger):
    """A closed run: of three e-mails one was refused, and a fourth reader has no address."""
    mails = some_deliveries(3)
    run = planned(ledger, mails, dag_run_id=RUN)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(mails))
        sender.record([answer(one, DeliveryState.ACCEPTED) for one in mails[:2]])
        sender.record([answer(mails[2], DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED)])
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, detail)"
        " VALUES (:library, :run, 'L9', '2026-11-26', 'P9', 'no_recipient', 'email:missing')",
        library=settings().library.code, run=run.run_id,
    )  # fmt: skip
    rows(ledger, "UPDATE runs SET loans_extracted = 4 WHERE run_id = :run", run=run.run_id)
    ledger.close_run(run.run_id)
    return run.run_id


def test_the_books_are_told_in_words(run_id):
    with browsing() as client:
        page = client.get(f"/tournees/{run_id}").text
    for words in (
        "Avis de retard du vendredi 27 novembre 2026", "Les comptes sont justes.", "2 e-mails", "refusés",
        "coordonnées absentes", "Camille Martin", "destinataire refusé", "P9", "e-mail : absent",
    ):  # fmt: skip
        assert words in page
    shown = re.sub(r'value="\w*"', "", page)
    for code in ("no_recipient", "recipient_refused", "overdue_notice<", "email:missing"):
        assert code not in shown
    assert 'href="/dags/overdue_notice/runs/scheduled__2026-11-27T09%3A00%3A00%2B00%3A00"' in page


def test_a_long_list_of_readers_comes_page_by_page(ledger, run_id):
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, detail)"
        " SELECT library, run_id, 'S' || n, due_date, 'Q' || lpad(n::text, 2, '0'), 'no_recipient', 'email:missing'"
        " FROM skips, generate_series(1, 60) n WHERE run_id = :run AND loan_id = 'L9'",
        run=run_id,
    )
    with browsing() as client:
        pages = [client.get(f"/tournees/{run_id}", params={"joints": number}).text for number in (1, 2)]
    shown = [re.findall(r'<th scope="row">([PQ]\d+)</th>', page) for page in pages]
    assert ([len(one) for one in shown], len({*shown[0], *shown[1]})) == ([50, 11], 61)
    assert f'href="/tournees/{run_id}?joints=2#non-joints"' in pages[0]
    assert "Page 2 sur 2" in pages[1]
    with browsing() as client:
        for beyond in ("joints=5", "envois=2"):
            led = client.get(f"/tournees/{run_id}?{beyond}&motif=no_recipient")
            assert (led.status_code, led.headers["location"]) == (303, f"/tournees/{run_id}?motif=no_recipient"), beyond
    with browsing() as client:
        other = client.get(f"/tournees/{run_id}?motif=dead_address&canal=sms").text
        same = client.get(f"/tournees/{run_id}?motif=no_recipient&canal=email").text
    assert ("Personne ne répond à ce choix." in other, "Camille Martin" in other) == (True, False)
    assert ("motif=no_recipient&amp;canal=email&amp;joints=2#non-joints" in same, "Camille Martin" in same) == (
        True,
        True,
    )


def test_whoever_only_sees_reads_figures_and_nobodys_name(run_id):
    with browsing("lecteur") as client:
        page = client.get(f"/tournees/{run_id}").text
    assert "2 e-mails" in page
    for name in ("Camille", "P9", "21000", "pas été joint"):
        assert name not in page


def test_airflows_tab_finds_the_run_by_its_own_name(run_id):
    with browsing() as client:
        page = client.get("/tournees/airflow", params={"dag": "overdue_notice", "tournee": RUN})
        assert (page.status_code, "Les comptes sont justes." in page.text) == (200, True)
        early = client.get("/tournees/airflow", params={"dag": "overdue_notice", "tournee": "not yet"})
        assert ("pas encore commencé" in early.text, "data-reload-after" in early.text) == (True, True)
        other = client.get("/tournees/airflow", params={"dag": "sms_feedback", "tournee": RUN})
        assert (other.status_code, "pas une tournée de relance" in other.text) == (200, True)
        assert client.get("/tournees/airflow").status_code == 200


def test_books_that_are_wrong_say_why_and_offer_the_day(ledger):
    run = planned(ledger, some_deliveries(1), dag_run_id=RUN)
    ledger.close_run(run.run_id)
    with browsing() as client:
        page = client.get(f"/tournees/{run.run_id}").text
    assert "Les comptes ne sont pas justes." in page
    assert "envois encore en attente" in page
    assert 'href="/tournees/jours-manques/overdue_notice/2026-11-27"' in page


def test_a_run_that_goes_on_says_so(ledger):
    run = planned(ledger, some_deliveries(1))
    with browsing() as client:
        page = client.get(f"/tournees/{run.run_id}").text
    assert ("Tournée en cours." in page, 'data-reload-after="10"' in page) == (True, True)


def test_an_answer_is_said_only_when_it_is_kept(run_id):
    with browsing() as client:
        page = client.get(f"/tournees/{run_id}?repondu=volume").text
    assert "La tournée reprend" not in page


def test_the_button_of_the_letters_task_leads_to_their_batch(ledger):
    one, batch_id, _ = closed(ledger, channel=Channel.LETTER, prefix="S")
    with browsing() as client:
        assert client.get(f"/tournees/{one}/lots").headers["location"] == f"/lots/{batch_id}"
        none = planned(ledger, some_deliveries(1), dag_run_id="none", stage=Stage.OVERDUE_NOTICE).run_id
        assert client.get(f"/tournees/{none}/lots").headers["location"] == f"/tournees/{none}#lots"
        assert client.get("/tournees/999999/lots").status_code == 404
    with browsing("lecteur") as client:
        assert client.get(f"/tournees/{one}/lots").headers["location"] == f"/tournees/{one}#lots"


def test_the_batches_of_a_run_are_on_its_page(ledger):
    run_id, batch_id, _ = drafted(ledger)
    with browsing() as client:
        page = client.get(f"/tournees/{run_id}").text
    assert f"Lot n° {batch_id}" in page
    assert "brouillon à valider" in page


def test_an_unknown_run_is_said(airflow):
    with browsing() as client:
        assert client.get("/tournees/999999").status_code == 404
        assert client.get("/tournees/0").status_code == 404
        assert client.get("/tournees/x").status_code == 404
