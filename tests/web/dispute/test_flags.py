"""« En litige » on a reader's page: noted, shown, closed, refused; and what it keeps."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import settings
from tests.scenes.disputed_loan import sent
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = [pytest.mark.usefixtures("installed"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def day(days):
    return str(datetime.now(settings().zone).date() + timedelta(days=days))


@pytest.fixture
def number(ledger):
    """A reader who was told of the loan L1."""
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    [[number]] = rows(ledger, "SELECT reader_number FROM readers WHERE patron_id = 'P1'")
    return number


def test_a_dispute_is_noted_shown_and_closed_each_time_with_a_name(ledger, number):
    with browsing("chloé") as client:
        form = {"lecteur": "P1", "pret": "L1", "jusqu_au": day(300), "motif": "dit l'avoir rendu"}
        answer = client.post("/lecteurs/litige", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/lecteurs/{number}")
        page = client.get(answer.headers["location"]).text
        assert "Le litige est noté" in page
        assert "dit l&#39;avoir rendu" in page
        [(dispute, until)] = rows(ledger, "SELECT dispute_id, until FROM disputes")
        assert str(until) == day(300)
        end = {"lecteur": "P1", "litige": str(dispute)}
        assert 'name="lecteur" value="P1"><input type="hidden" name="litige"' in page
        closed = client.post("/lecteurs/litige-clos", data=end)
        assert closed.headers["location"] == f"/lecteurs/{number}"
        assert "avoir rendu" not in client.get(closed.headers["location"]).text
        again = client.post("/lecteurs/litige-clos", data=end)
        assert (again.status_code, "Noter un litige" in again.text) == (409, True), "said on the reader's page"
    acts = rows(ledger, "SELECT who, act, patron_id FROM journal WHERE act LIKE 'dispute%' ORDER BY entry_id")
    assert acts == [("chloé", "dispute_noted", "P1"), ("chloé", "dispute_closed", "P1")]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"motif": " "}, 400, "Il manque le motif"),
        ({"jusqu_au": ""}, 400, "Il manque la date"),
        ({"jusqu_au": day(-1)}, 400, "déjà passée"),
        ({"jusqu_au": day(1000)}, 400, "plus de deux ans"),
        ({"lecteur": "P9"}, 404, "ne connaît pas, ou plus, ce lecteur"),
        ({"pret": "L9"}, 404, "ne connaît pas, ou plus, ce prêt"),
    ],
)
def test_what_cannot_be_noted_is_refused_in_words(ledger, number, changes, status, words):
    form = {"lecteur": "P1", "pret": "L1", "jusqu_au": day(10), "motif": "conteste"} | changes
    with browsing("chloé") as client:
        answer = client.post("/lecteurs/litige", data=form)
    assert (answer.status_code, words in answer.text) == (status, True)
    typed = answer.text.partition('action="/lecteurs/litige"')[2].partition("</form>")[0]
    kept = [f'value="{form[name]}"' in typed for name in ("motif", "jusqu_au")]
    assert kept == ["lecteur" not in changes] * 2
    assert rows(ledger, "SELECT * FROM disputes") == []
