"""The page of figures: what it refuses first, then what it shows and what its files hold."""

from __future__ import annotations

from datetime import datetime

import pytest

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.settings.library_toml import Settings, settings
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
    assert lines[0].endswith("segments de SMS;coût des SMS (€)")
    assert lines[1] == "avis de retard;1;0;0;0;0;1;0,05"
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.usefixtures("told")
def test_each_table_of_messages_has_its_chart_and_its_file_beside_it():
    page = get("/statistiques").text
    for name, words in (
        ("periodes", "par canal, et non joints"), ("etapes", "par étape"), ("canaux", "par canal"),
        ("bibliotheques", "par bibliothèque"), ("publics", "par public"),
    ):  # fmt: skip
        of_table = page.split(f'id="{name}"')[1].split("<h3")[0]
        chart, table = of_table.split("<table", 1)
        assert 'role="img"' in chart
        assert words in chart
        assert f"tableau={name}" in table
    assert "étudiants · prévenus : 2" in page


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("price", "shown", "cell", "drawn"),
    [
        (SmsPrice(segment=0.058), "0,058\N{NO-BREAK SPACE}€", "0,058", "Coût des SMS"),
        (SmsPrice(), "1 segment sans prix", "", "Segments de SMS"),
    ],
)
def test_the_cost_is_in_euros_and_where_it_is_not_known_segments_are_shown(monkeypatch, price, shown, cell, drawn):
    monkeypatch.setattr(Settings, "sms_price", lambda self: price)
    page = get("/statistiques").text
    assert f'<span class="big">{shown}</span>' in page
    assert f"<h4>{drawn}</h4>" in page
    assert "crédits" not in page
    file = get("/statistiques.csv?tableau=canaux").content.decode("utf-8-sig").split("\r\n")
    assert file[0].endswith("segments de SMS;coût des SMS (€)")
    assert file[-2].endswith(f";1;{cell}")


def test_what_the_provider_told_in_euros_is_known_beside_what_it_did_not_tell(ledger, monkeypatch):
    left(ledger)
    rows(ledger, "UPDATE deliveries SET cost = 0.45")
    left(ledger, "33639980002", campaign="doubt")
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)
    assert '<span class="big">0,50\N{NO-BREAK SPACE}€</span>' in get("/statistiques").text
    monkeypatch.setattr(Settings, "sms_price", lambda self: SmsPrice())
    assert '<span class="big">0,45\N{NO-BREAK SPACE}€ et 1 segment sans prix</span>' in get("/statistiques").text


def test_days_are_read_in_both_forms_and_stand_in_the_form_as_a_browser_wants_them():
    french, iso = get("/statistiques?du=01/03/2026&au=02/04/2026"), get("/statistiques?du=2026-03-01&au=2026-04-02")
    for page in (french.text, iso.text):
        assert 'name="du" value="2026-03-01"' in page
        assert "du 01/03/2026 au 02/04/2026" in page


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
    table = Table(name="x", title="x", head=("a", "b", "c"), units={2: "%"}, rows=cells)
    lines = table.file().decode("utf-8-sig").split("\r\n")
    assert lines[:3] == ["a;b;c (%)", "'=cmd();1234;12,5", "'@x;0,058;"]
    assert table.shown(table.rows[1])[1:] == ["0,058", "—"]


@pytest.mark.usefixtures("told")
def test_a_long_period_by_day_is_shown_by_week_says_so_and_its_file_is_by_day():
    page = get("/statistiques?pas=jour").text
    assert "La période dépasse 93 jours : elle est montrée par semaine. Pour l'avoir par jour" in page.replace(
        "&#39;", "'"
    )
    assert "semaine du" in page
    file = get("/statistiques.csv?tableau=periodes&pas=jour").content.decode("utf-8-sig")
    assert f"{datetime.now(settings().zone):%d/%m/%Y}, en cours;2" in file
    assert "est montrée par" not in get("/statistiques?pas=jour&du=2026-11-01&au=2026-11-30").text


def test_filters_stay_in_the_address_of_the_files():
    answer = get("/statistiques?etape=retard&pas=jour&public=etudiants")
    assert "Seulement : avis de retard, étudiants." in answer.text
    assert "Seulement" not in get("/statistiques?pas=jour").text
    assert '<option value="retard" selected>' in answer.text
