"""« Effacer »: what would go and what stays is said first; then it goes, and it is noted without the reader."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.disputed_loan import sent
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def page(ledger):
    """A reader who was told of the loan L1, which is out."""
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, words=("Objet", "Rendre L'Étranger"))
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    ledger.close_run(run_id)
    [[number]] = rows(ledger, "SELECT reader_number FROM readers WHERE patron_id = 'P1'")
    return f"/lecteurs/{number}"


def text_of(answer):
    return re.sub(r"\s+", " ", answer.text.replace("&#39;", "'"))


def returned(ledger):
    rows(ledger, "UPDATE runs SET state = 'closed'")
    rows(ledger, "UPDATE loan_ends SET ended_on = least(open_on, current_date), how = 'returned'")


def test_an_open_loan_is_said_to_stay_and_nothing_can_be_clicked(ledger, page):
    with browsing("chloé") as client:
        shown = text_of(client.get(f"{page}/effacement"))
        done = client.post("/lecteurs/effacement", data={"lecteur": "P1"})
    assert "1 prêt, dont le retour n'est pas encore connu" in shown
    assert "Rien ne peut être effacé pour le moment" in shown
    assert "Effacer pour de bon" not in shown
    assert done.headers["location"] == page
    assert len(rows(ledger, "SELECT 1 FROM deliveries")) == 1


def test_what_would_go_is_shown_and_then_goes(ledger, page):
    returned(ledger)
    with browsing("chloé") as client:
        shown = text_of(client.get(f"{page}/effacement"))
        assert "1 prêt, 1 message, 1 lecteur" in shown
        assert "Le registre ne connaîtrait plus ce lecteur" in shown
        assert len(rows(ledger, "SELECT 1 FROM deliveries")) == 1
        done = text_of(client.post("/lecteurs/effacement", data={"lecteur": "P1"}))
        assert "Le registre ne connaît plus ce lecteur" in done
        assert "Camille" not in done
        assert client.post("/lecteurs/effacement", data={"lecteur": "P1"}).status_code == 404
        assert client.get(f"{page}/effacement").status_code == 404
    assert (
        rows(ledger, "SELECT 1 FROM deliveries UNION ALL SELECT 1 FROM readers UNION ALL SELECT 1 FROM loans_seen")
        == []
    )
    [(who, patron, facts)] = rows(ledger, "SELECT who, patron_id, facts FROM journal WHERE act = 'reader_erased'")
    assert (who, patron, facts["loans"]) == ("chloé", "", 1)


def test_the_look_at_what_would_go_is_in_the_journal(ledger, page):
    with browsing("chloé") as client:
        client.get(f"{page}/effacement")
    assert rows(ledger, "SELECT who, act, patron_id FROM journal") == [("chloé", "reader_seen", "P1")]


def test_a_reader_nobody_knows_is_said_so(ledger, page):
    with browsing() as client:
        assert client.get("/lecteurs/999999/effacement").status_code == 404
        assert "rien à effacer" in text_of(client.post("/lecteurs/effacement", data={"lecteur": "P9"}))
