"""« Le registre ne sait pas tout ce qui est parti »: the question, its answers, and what is held back meanwhile."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest

from loan_reminders.domain.errors import SendingHeld
from loan_reminders.domain.marks.high_water import Gap, LostRun, Mark, RememberedRun
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.services.marks.guard import check_complete
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing
from tests.web.letters import conftest as of_letters
from tests.web.readers import test_actions as of_readers

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
LOST = Gap(
    mark_id=uuid.uuid4(),
    marked_at=datetime(2026, 11, 28, 10, 30, tzinfo=UTC),
    runs=(
        LostRun(
            stage=Stage.OVERDUE_NOTICE,
            day=date(2026, 11, 28),
            lost={Channel.EMAIL: 96, Channel.SMS: 70},
        ),
    ),
    remembered=(
        RememberedRun(
            dag_run_id="scheduled__lost",
            run_id=70,
            stage=Stage.FIRST_REMINDER,
            day=date(2026, 11, 28),
            started_at=datetime(2026, 11, 28, 8, tzinfo=UTC),
            closed_at=datetime(2026, 11, 28, 9, tzinfo=UTC),
            left={Channel.EMAIL: 12},
        ),
    ),
)
library_of_today, ils, batch = of_letters.library_of_today, of_letters.ils, of_letters.desk
library, told = of_readers.library, of_readers.desk


@pytest.fixture
def lost(ledger):
    """The ledger was restored: the file knows a mark that it has not."""
    mark_file(ledger.library).write(Mark(mark_id=LOST.mark_id, at=LOST.marked_at))
    marks_of(ledger).find(LOST)
    return marks_of(ledger)


def test_the_first_page_and_the_question_say_what_is_lost(lost):
    with browsing("chloé") as client:
        first = client.get("/").text
        page = client.get("/registre").text
    assert "Le registre ne sait peut-être pas tout ce qui est parti" in first
    assert "Le registre ne sait pas tout ce qui est parti" in page
    assert 'href="/registre"' in first
    for words in ("avis de retard du samedi 28 novembre 2026", "96 e-mails", "70 SMS", "12 e-mails selon Airflow"):
        assert words in page
    assert "Ne rien envoyer" in page


@pytest.mark.parametrize(("reply", "act"), [("oui", "gap_accepted"), ("non", "gap_refused")])
def test_an_answer_is_recorded_with_who_gave_it(lost, ledger, reply, act):
    with browsing("chloé") as client:
        answer = client.post("/registre", data={"reponse": reply})
        again = client.post("/registre", data={"reponse": "oui"})
        page = client.get("/registre").text
    assert answer.status_code in (200, 303)
    first = rows(ledger, "SELECT who, act FROM journal ORDER BY entry_id")[0]
    assert (first.who, first.act) == ("chloé", act)
    if reply == "oui":
        assert again.status_code == 409
        assert lost.knows(LOST.mark_id)
    else:
        assert again.status_code in (200, 303)
    assert ("Rien n'attend de réponse ici" in page) is True


def test_a_refusal_stays_on_the_page_until_somebody_accepts(lost):
    with browsing("chloé") as client:
        client.post("/registre", data={"reponse": "non"})
        page, first = client.get("/registre").text, client.get("/").text
    assert "ne rien envoyer" in page
    assert "non : chloé" in first


def test_without_an_answer_or_a_question_nothing_changes(ledger, lost):
    with browsing("chloé") as client:
        assert client.post("/registre", data={}).status_code == 400
        assert client.post("/registre", data={"reponse": "oui"}).status_code in (200, 303)
        assert client.post("/registre", data={"reponse": "non"}).status_code == 409
        assert "Rien n'attend de réponse ici" in client.get("/registre").text


def test_a_spoilt_file_is_told_as_that_and_accepting_writes_a_good_one(ledger, tmp_path, monkeypatch):
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path))
    file = tmp_path / "registre" / f"{ledger.library}.json"
    mark_file(ledger.library).write(Mark(mark_id=uuid.uuid4(), at=LOST.marked_at))
    file.write_text("{")
    with pytest.raises(SendingHeld):
        check_complete(marks_of(ledger), mark_file(ledger.library))
    with browsing("chloé") as client:
        page = client.get("/registre").text
        assert "Le registre est-il complet ?" in page.replace("\u00a0", " ").replace("\u202f", " ")
        assert "est illisible" in page
        assert "Des messages sont partis" not in page
        assert client.post("/registre", data={"reponse": "oui"}).status_code in (200, 303)
    mark = mark_file(ledger.library).read()
    assert mark is not None
    assert marks_of(ledger).knows(mark.mark_id)
    assert check_complete(marks_of(ledger), mark_file(ledger.library)) == mark


def test_nothing_is_sent_again_from_a_readers_page(told, ledger, lost):
    with browsing("chloé") as client:
        answer = client.post("/lecteurs/renvoi", data={"lecteur": told.patron, "canal": "email"})
    assert answer.status_code == 503
    assert "Rien ne part" in answer.text


def test_no_batch_is_printed(batch, ledger, lost):
    with browsing("chloé") as client:
        answer = client.post(f"/lots/{batch.batch_id}/impression", data={})
    assert answer.status_code == 503
    assert "Rien ne part" in answer.text
    assert [row.state for row in rows(ledger, "SELECT state FROM letter_batches")] == ["ready"]
