"""The page of what SMS do: what it says before there is anything, then its words, tables, files and sheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.holdback import Holdback
from loan_reminders.domain.statistics.effect import Change, Findings, Verdict
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.settings.channels import SmsSettings
from tests.scenes.findings import a_trial, some_findings
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
TABLES = ("retards", "etapes", "differences", "tirages", "tirages-differences", "anciennete")


@pytest.fixture
def measured(ledger):
    ledger.part(PostgresEffect).keep(some_findings())


def get(path, role="lecteur"):
    with browsing(role) as client:
        return client.get(path)


@pytest.mark.parametrize("file", ["effet.csv?tableau=retards", "effet.pdf"])
def test_before_the_first_night_the_page_says_what_makes_it_and_there_is_no_file(file):
    page = get("/statistiques/effet")
    assert (page.status_code, "« Retours des documents » les fait chaque nuit" in page.text) == (200, True)
    assert get(f"/statistiques/{file}").status_code == 404


@pytest.mark.parametrize("path", ["effet", "effet.csv?tableau=retards", "effet.pdf"])
def test_a_ledger_that_does_not_answer_is_a_page_that_says_so(monkeypatch, path):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", '{"conn_type": "postgres", "extra": {"host": "/nowhere"}}')
    answer = get(f"/statistiques/{path}")
    assert answer.status_code == 503
    assert "<h1" in answer.text


def test_a_library_of_which_little_is_known_has_a_page_without_a_conclusion(ledger):
    nothing = Findings(day=date(2026, 12, 1), change=Change(verdict=Verdict.NO_DAY))
    ledger.part(PostgresEffect).keep(nothing)
    page = get("/statistiques/effet").text
    assert "Rien ne peut en être conclu" in page.replace("&#39;", "'")
    assert "Aucun mois n'est encore connu en entier" in page.replace("&#39;", "'")
    assert get("/statistiques/effet.csv?tableau=retards").status_code == 200
    assert get("/statistiques/effet.pdf").content.startswith(b"%PDF")


@pytest.mark.usefixtures("measured")
def test_the_page_says_what_may_be_concluded_with_figures_beside_it():
    page = get("/statistiques/effet").text.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'")
    for words in (
        "C'est un effet des SMS : le hasard seul a décidé", "7,4 points de prêts de plus sont rendus sous 7 jours",
        "a diminué de 6,2 points chez les étudiants", "intervalle à 95 % : de −9,2 à −3,2 points",
        'role="img"', "décembre 2025", "mai 2027", "1 à 7 jours",
    ):  # fmt: skip
        assert words in page, words
    assert "overdue_notice" not in page
    assert 'style="' not in page
    assert page.index("Tirage au sort du") < page.index("Avis de retard :") < page.index("Depuis le"), "surest first"


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("name", TABLES)
def test_each_table_has_its_file(name):
    answer = get(f"/statistiques/effet.csv?tableau={name}")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = answer.content.decode("utf-8-sig").strip().split("\r\n")
    assert len(lines) > 1
    assert {line.count(";") for line in lines} == {lines[0].count(";")}
    assert f"tableau={name}" in get("/statistiques/effet").text


@pytest.mark.usefixtures("measured")
def test_a_figure_of_a_file_has_its_interval():
    lines = get("/statistiques/effet.csv?tableau=differences").content.decode("utf-8-sig").split("\r\n")
    assert lines[0] == "étape;sous 1 jour;de;à;sous 3 jours;de;à;sous 7 jours;de;à"
    assert lines[1] == "avis de retard;2;-1;5;;;;7,4;4,4;10,4"


@pytest.mark.usefixtures("measured")
def test_there_is_no_other_file():
    assert get("/statistiques/effet.csv?tableau=lecteurs").status_code == 404
    assert get("/statistiques/effet.csv").status_code == 404


@pytest.mark.usefixtures("measured")
def test_the_sheet_is_a_pdf_to_save():
    answer = get("/statistiques/effet.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert 'filename="effet-des-sms.pdf"' in answer.headers["content-disposition"]
    assert answer.content.startswith(b"%PDF")


def test_a_trial_under_way_has_no_figures(ledger):
    under_way = a_trial(verdict=Verdict.UNDER_WAY, comparison=None)
    ledger.part(PostgresEffect).keep(replace(some_findings(), trials=(under_way,)))
    page = get("/statistiques/effet").text
    assert "Il est lu après le 18/04/2027 ; pas de résultat avant." in page
    assert "tirages-differences" not in page


@pytest.mark.parametrize("path", ["/", "/messages?etape=overdue_notice&canal=sms", "/statistiques/effet"])
@pytest.mark.parametrize(("days", "said"), [(-1, False), (0, True), (30, True)])
def test_while_sms_are_held_back_the_pages_say_until_when(monkeypatch, path, days, said):
    from datetime import datetime

    from loan_reminders.settings.library_toml import settings

    last = datetime.now(settings().zone).date() + timedelta(days=days)
    held_back = Holdback(share=0.3, first=last - timedelta(days=40), last=last, seed="graine")
    monkeypatch.setattr(SmsSettings, "held_back", lambda self: held_back)
    page = get(path)
    assert page.status_code == 200
    assert (f"Mesure en cours jusqu&#39;au {last:%d/%m/%Y}" in page.text) is said
