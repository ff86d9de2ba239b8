"""Before a batch is printed: what is over or held is left out, and an ILS that takes its time is waited for."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import settings
from tests.scenes.batch_desk import pages
from tests.scenes.builders import a_delivery
from tests.scenes.holds import hold
from tests.scenes.ledger_letters import a_batch, close_batch
from tests.scenes.ledger_runs import rows
from tests.web.client import FixedRole, browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS_OF_PAGES = ("fichier", "page_debut", "page_fin")


def test_readers_who_brought_everything_back_are_left_out(desk):
    desk.days_ago()
    desk.note_return(*desk.deliveries[0].loans, *desk.deliveries[2].loans, desk.deliveries[3].loans[0])
    with browsing() as client:
        told = client.post(f"{desk.path}/impression")
        assert "2 lettres retirées : tout a été rendu, perdu ou déclaré rendu." in told.text
        assert "1 lettre nomme un document rendu" in told.text
        assert "REF-4" in told.text
        assert desk.state() == "ready"
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    texts, bookmarks = pages(printed.content)
    assert [text.split()[0] for text in texts] == ["LETTRE2", "LETTRE2", "LETTRE4", "LETTRE4"]
    assert bookmarks == ["LETTRE2", "LETTRE4"]
    assert [row[0] for row in rows(desk.ledger, "SELECT left_out FROM letters ORDER BY position")] == [
        "returned", None, "returned", None,
    ]  # fmt: skip


@pytest.mark.parametrize(("minutes", "left"), [(9, 4), (11, 3)])
def test_what_came_back_since_the_batch_was_laid_out_this_morning_is_left_out_too(desk, minutes, left):
    rows(desk.ledger, f"UPDATE letter_batches SET at = now() - interval '{minutes} minutes'")
    desk.note_return(*desk.deliveries[0].loans)
    with browsing() as client:
        client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert desk.state() == "printed"
    assert [row[0] for row in rows(desk.ledger, "SELECT left_out FROM letters ORDER BY position")].count(None) == left


def test_when_everything_came_back_nothing_is_printed(desk):
    desk.days_ago()
    desk.note_return(*(loan for one in desk.deliveries for loan in one.loans))
    with browsing() as client:
        client.post(f"{desk.path}/impression")
        last = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
        assert (last.status_code, "ne reste aucune lettre" in last.text) == (409, True)
    assert desk.state() == "ready"


def test_without_the_ils_nothing_is_printed_blind(desk, monkeypatch):
    desk.days_ago()
    monkeypatch.delenv("AIRFLOW_CONN_ILS_ORACLE")
    with browsing() as client:
        answered = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert (answered.status_code, "rien n&#39;a été imprimé" in answered.text) == (503, True)
    assert "Nouvel essai automatique" not in answered.text
    assert desk.state() == "ready"


def held(desk, which, loan=None):
    """Zoé says, while the batch waits, that nothing is to be written about a reader, or about one loan."""
    patron_id = desk.deliveries[which].notice.patron.patron_id
    tomorrow = datetime.now(settings().zone).date() + timedelta(days=1)
    hold(desk.ledger, patron_id, loan_id=loan.loan_id if loan else "", until=tomorrow)


def test_a_letter_to_a_reader_held_since_is_left_out_once_that_is_read(desk):
    held(desk, 0)
    with browsing() as client:
        told = client.post(f"{desk.path}/impression")
        assert (told.status_code, desk.state()) == (200, "ready")
        printed = client.post(f"{desk.path}/impression")
        page = client.get(desk.path).text
    assert "1 lettre retirée : un bibliothécaire a demandé de ne pas écrire" in told.text
    assert "Imprimer quand même (3 lettres)" in told.text
    assert printed.headers["content-type"] == "application/pdf"
    assert len(pages(printed.content)[0]) == 6
    assert "à ne pas écrire pour le moment" in page


def test_what_is_held_after_the_ils_answered_is_told_too(desk):
    desk.days_ago()
    desk.note_return(*desk.deliveries[0].loans)
    held(desk, 1)
    with browsing() as client:
        told = client.post(f"{desk.path}/impression").text
        assert "1 lettre retirée : tout a été rendu, perdu ou déclaré rendu." in told
        assert "1 lettre retirée : un bibliothécaire a demandé" in told
        assert "1 lettre retirée : un bibliothécaire a demandé" in client.get(desk.path).text
        held(desk, 3, desk.deliveries[3].loans[0])
        again = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
        assert (again.status_code, desk.state()) == (200, "ready")
        assert "attendent aussi d&#39;autres documents des mêmes lecteurs : REF-4" in again.text
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert pages(printed.content)[1] == ["LETTRE3"]


def test_when_all_that_is_left_is_held_nothing_is_printed(desk):
    for which in range(4):
        held(desk, which)
    with browsing() as client:
        told = client.post(f"{desk.path}/impression").text
        assert "4 lettres retirées : un bibliothécaire" in told
        assert "Imprimer quand même" not in told
        assert client.post(f"{desk.path}/impression").status_code == 409
    assert desk.state() == "ready"


def test_a_batch_that_waited_until_the_next_stage_wrote_is_not_printed(desk):
    desk.days_ago()
    later = [
        a_delivery(channel=Channel.LETTER, notice=replace(one.notice, notice_id=uuid4(), stage=Stage.SECOND_REMINDER))
        for one in desk.deliveries
    ]
    close_batch(desk.ledger, later, a_batch(later, "lot-2"), dag_run_id="run-2")
    with browsing() as client:
        told = client.post(f"{desk.path}/impression").text
        assert "4 lettres retirées : une étape suivante a pris le relais." in told
        assert "Imprimer quand même" not in told
        page = client.get(desk.path).text
        assert client.post(f"{desk.path}/impression", data={"confirme": "oui"}).status_code == 409
    assert page.count("une étape suivante a pris le relais</span>") == 4
    assert {row[0] for row in rows(desk.ledger, "SELECT state FROM letter_batches")} == {"ready"}


def test_an_address_found_to_be_dead_meanwhile_is_told_and_left_out(desk):
    desk.days_ago()
    rows(
        desk.ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since)"
        " SELECT library, 'letter', recipient, 'returned_undeliverable', 'librarian', now()"
        " FROM deliveries WHERE delivery_id = :id",
        id=desk.deliveries[0].delivery_id,
    )
    with browsing() as client:
        told = client.post(f"{desk.path}/impression").text
        assert "1 lettre retirée : du courrier est revenu de l&#39;adresse (NPAI)." in told
        assert "Imprimer quand même (3 lettres)" in told
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert pages(printed.content)[1] == ["LETTRE2", "LETTRE3", "LETTRE4"]


@pytest.fixture
def slow(desk, ils, monkeypatch):
    """An ILS that answers when the event is set; the batch is of another day, and nobody waits for long."""
    monkeypatch.setattr("loan_reminders.web.letters.printing.WAIT_S", 0.05)
    desk.days_ago()
    ils.faults.hold_back = threading.Event()
    return ils.faults.hold_back


def check(desk):
    [row] = rows(desk.ledger, "SELECT state, who, asked, loans FROM print_checks")
    return tuple(row)


def over(desk, within=30.0):
    """The end of the question to the ILS, however busy the machine is."""
    end = time.monotonic() + within
    while check(desk)[0] == "running" and time.monotonic() < end:
        time.sleep(0.02)
    return check(desk)[0]


def test_a_slow_ils_is_waited_for_on_the_page_and_elsewhere(desk, slow):
    with browsing("chloé") as client:
        asked = client.post(f"{desk.path}/impression")
        assert (asked.status_code, asked.headers["location"]) == (303, desk.path)
        page = client.get(desk.path).text
        assert "Le SIGB vérifie ce lot" in page
        assert "0 prêt vérifié sur 5" in page
        assert 'data-reload-after="2"' in page
        assert "par vous" in page
        assert "/impression" not in page
        desk.note_return(*desk.deliveries[0].loans)  # the ILS is asked only now
        slow.set()
        assert over(desk) == "answered"
        back = client.get(desk.path).text
        assert "1 lettre retirée : tout a été rendu, perdu ou déclaré rendu." in back
        assert "data-reload-after" not in back
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert pages(printed.content)[1] == ["LETTRE2", "LETTRE3", "LETTRE4"]
    assert desk.state() == "printed"


def test_nothing_changed_is_said_to_whoever_comes_back(desk, slow):
    with browsing("chloé") as client:
        client.post(f"{desk.path}/impression")
        slow.set()
        over(desk)
        page = client.get(desk.path).text
        assert "Le fichier est prêt." in page
        assert "Prendre le PDF (4 lettres)" in page
        assert client.post(f"{desk.path}/impression").headers["content-type"] == "application/pdf"


def test_a_second_click_and_another_librarian_do_not_ask_the_ils_again(desk, ils, slow):
    with browsing("chloé") as client:
        client.post(f"{desk.path}/impression")
        assert client.post(f"{desk.path}/impression").status_code == 303
        client.app.state.authenticator = FixedRole("zoé")
        assert client.post(f"{desk.path}/impression").headers["location"] == desk.path
        assert "par chloé" in client.get(desk.path).text
        assert check(desk) == ("running", "chloé", 0, 5)
        slow.set()
        over(desk)
        assert "Le fichier est prêt" not in client.get(desk.path).text
        assert desk.state() == "ready"
        before = len(ils.statements)
        client.post(f"{desk.path}/impression")
        assert over(desk) == "answered"
    assert check(desk)[1] == "zoé"
    assert len(ils.statements) > before


def test_a_question_whose_process_died_is_taken_up_again(desk, slow, monkeypatch):
    with browsing("chloé") as client:
        client.post(f"{desk.path}/impression")
        # Its key is taken from it: who is dead says nothing any more, also once the ILS answers.
        rows(
            desk.ledger,
            "UPDATE print_checks SET check_id = gen_random_uuid(), seen_at = now() - interval '61 seconds'",
        )
        page = client.get(desk.path).text
        assert "s'est arrêtée avant la fin" in page
        assert "Imprimer (4 lettres)" in page
        [[died]] = rows(desk.ledger, "SELECT check_id FROM print_checks")
        slow.set()
        monkeypatch.setattr("loan_reminders.web.letters.printing.WAIT_S", 60.0)
        assert client.post(f"{desk.path}/impression").headers["content-type"] == "application/pdf"
    assert rows(desk.ledger, "SELECT check_id FROM print_checks")[0][0] != died
    assert desk.state() == "printed"


def test_a_question_that_failed_is_told_and_asked_anew(desk, ils, monkeypatch):
    desk.days_ago()
    ils.faults.fail_query = 1555
    with browsing("chloé") as client:
        assert client.post(f"{desk.path}/impression").status_code == 503
        assert check(desk)[0] == "failed"
        assert "rien n&#39;a été imprimé" in client.get(desk.path).text
    with browsing("zoé") as client:
        assert "rien n&#39;a été imprimé" not in client.get(desk.path).text
    ils.faults.fail_query = 0
    with browsing("chloé") as client:
        assert client.post(f"{desk.path}/impression").headers["content-type"] == "application/pdf"


def test_an_answer_of_long_ago_is_asked_for_again(desk, ils):
    desk.days_ago()
    desk.note_return(*desk.deliveries[0].loans)
    with browsing("chloé") as client:
        client.post(f"{desk.path}/impression")
        rows(desk.ledger, "UPDATE print_checks SET seen_at = now() - interval '601 seconds'")
        assert "1 lettre retirée" not in client.get(desk.path).text
        desk.note_return(*desk.deliveries[1].loans)
        told = client.post(f"{desk.path}/impression")
    assert (
        told.status_code,
        "1 lettre retirée : tout a été rendu, perdu ou déclaré rendu." in told.text,
    ) == (200, True)
    assert [row[0] for row in rows(desk.ledger, "SELECT left_out FROM letters ORDER BY position")] == [
        "returned", "returned", None, None,
    ]  # fmt: skip
