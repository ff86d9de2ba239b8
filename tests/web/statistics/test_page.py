"""The page of figures: what it refuses first, then what it shows and what its files hold."""

from __future__ import annotations

from datetime import datetime

import pytest

from loan_reminders.settings.library_toml import settings
from loan_reminders.web.statistics.tables import Table
from tests.scenes.ledger_emails import mailed
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import left
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture
def told(ledger):
    """An e-mail and an SMS, in runs that are closed."""
    mailed(ledger)
    left(ledger)
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)


def get(path: str, role: str = "lecteur"):
    with browsing(role) as client:
        return client.get(path)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("du=hier", "n'est pas un jour"),
        ("du=2026-02-30", "n'est pas un jour"),
        ("du=0001-01-01", "n'est pas un jour de la bibliothèque"),
        ("du=2026-12-01&au=2026-11-01", "vient après"),
        ("du=1990-01-01&au=2026-11-01", "plus de dix ans"),
    ],
)
def test_a_period_that_cannot_be_is_said_and_the_form_stays(query, said):
    answer = get(f"/statistiques?{query}")
    assert answer.status_code == 400
    assert said in answer.text.replace("&#39;", "'")
    assert 'name="du"' in answer.text
    assert get(f"/statistiques.csv?tableau=etapes&{query}").status_code == 400


def test_an_empty_ledger_says_what_to_do():
    answer = get("/statistiques")
    assert answer.status_code == 200
    assert "activer « Retours des documents »" in answer.text
    assert "Aucun message sur cette période" in answer.text


def test_a_ledger_that_does_not_answer_is_a_page_that_says_so(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", '{"conn_type": "postgres", "extra": {"host": "/nowhere"}}')
    answer = get("/statistiques")
    assert answer.status_code == 503
    assert "<h1" in answer.text


@pytest.mark.usefixtures("told")
def test_whoever_may_see_reads_figures_and_nobodys_name():
    answer = get("/statistiques")
    assert answer.status_code == 200
    assert 'role="img"' in answer.text
    assert "e-mails" in answer.text
    for secret in ("Camille", "camille.martin", "33639980001", "overdue_notice", "student"):
        assert secret not in answer.text
    assert 'style="' not in answer.text


@pytest.mark.usefixtures("told")
def test_a_file_holds_the_table_of_the_page_for_a_french_spreadsheet():
    today = datetime.now(settings().zone).date().isoformat()
    answer = get(f"/statistiques.csv?tableau=etapes&du={today}&au={today}&canal=sms")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = answer.content.decode("utf-8-sig").split("\r\n")
    assert lines[0].startswith("étape;prévenus;non joints;échecs")
    assert lines[1].startswith("avis de retard;1;0;0;0;0;1;")
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "name", ["periodes", "etapes", "canaux", "bibliotheques", "publics", "retours", "retards-longs"]
)
def test_each_table_has_its_file(name):
    assert get(f"/statistiques.csv?tableau={name}").status_code == 200


def test_there_is_no_other_file():
    assert get("/statistiques.csv?tableau=lecteurs").status_code == 404
    assert get("/statistiques.csv").status_code == 404


def test_no_cell_is_run_as_a_formula_and_figures_are_french():
    cells = (("=cmd()", 1234, 12.5), ("@x\n", 0.058, None))
    table = Table(name="x", title="x", head=("a", "b", "c"), shares=frozenset({2}), rows=cells)
    lines = table.file().decode("utf-8-sig").split("\r\n")
    assert lines[:3] == ["a;b;c (%)", "'=cmd();1234;12,5", "'@x;0,058;"]
    assert table.shown(table.rows[1])[1:] == ["0,058", "—"]


def test_filters_stay_in_the_address_of_the_files():
    answer = get("/statistiques?etape=retard&pas=jour")
    assert '<option value="retard" selected>' in answer.text
