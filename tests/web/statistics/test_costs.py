"""The page of costs and its files: what is not known first, then the sums."""

from __future__ import annotations

import pytest

from loan_reminders.domain.sms.price import SmsPrice
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.statistics.counting import count_again
from loan_reminders.settings.library_toml import Settings
from tests.scenes.ledger_letters import closed as a_closed_batch
from tests.scenes.ledger_runs import opened, planned, rows, some_deliveries
from tests.scenes.ledger_sms import left, reply
from tests.scenes.several_libraries import settings_of, use
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
NBSP = "\N{NO-BREAK SPACE}"


def get(path: str, role: str = "lecteur"):
    with browsing(role) as client:
        return client.get(path)


def closed(ledger):
    for [run_id] in rows(ledger, "SELECT run_id FROM runs ORDER BY run_id"):
        ledger.close_run(run_id)


@pytest.mark.parametrize("query", ["du=hier", "du=2026-12-01&au=2026-11-01", "du=1990-01-01&au=2026-11-01"])
def test_a_period_that_cannot_be_is_said(query):
    assert get(f"/statistiques/couts?{query}").status_code == 400
    assert get(f"/statistiques/couts.csv?tableau=couts&{query}").status_code == 400


def test_an_empty_ledger_has_no_costs_and_no_table_of_another_name():
    page = get("/statistiques/couts")
    assert page.status_code == 200
    assert "Aucun coût compté sur cette période" in page.text
    assert get("/statistiques/couts.csv?tableau=x").status_code == 404


def test_a_ledger_that_does_not_answer_is_a_page_that_says_so(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", '{"conn_type": "postgres", "extra": {"host": "/nowhere"}}')
    assert get("/statistiques/couts").status_code == 503
    assert get("/statistiques/couts.csv?tableau=couts").status_code == 503


def test_sms_and_what_stop_spared(ledger):
    left(ledger)
    left(ledger, "33639980002", DeliveryState.REFUSED, Reason.INVALID_RECIPIENT)
    waiting = some_deliveries(1, channel=Channel.SMS, prefix="W")
    planned(ledger, waiting, dag_run_id="waits")
    ledger.feedback().keep_replies([reply("STOP")])
    ledger.feedback().settle(failures=2)
    closed(ledger)
    page = get("/statistiques/couts").text
    assert "1 SMS vers des numéros désinscrits ou morts" in page
    assert f"0,05{NBSP}€" in page
    assert "<svg" in page
    file = get("/statistiques/couts.csv?tableau=epargnes").content.decode("utf-8-sig")
    assert file.splitlines()[0].startswith("mois;étape;désinscrits : SMS non partis;désinscrits : coût évité (€)")
    assert file.splitlines()[-1] == "ensemble;toutes les étapes;1;0,05;0;0"
    file = get("/statistiques/couts.csv?tableau=couts").content.decode("utf-8-sig")
    assert file.splitlines()[0].startswith("mois;étape;prévenus;segments de SMS;lettres imprimées;SMS (€);papier (€)")
    assert file.splitlines()[-1] == "ensemble;toutes les étapes;1;1;0;0,05;0;0;0,05;0,05"


@pytest.mark.parametrize("api", ["legacy", "rest"])
def test_sms_of_before_cost_what_they_cost_whichever_api_is_used_now(ledger, monkeypatch, tmp_path, api):
    """One of which the provider told credits alone, and one of which it told euros."""
    left(ledger)
    left(ledger, "33639980002", campaign="euros")
    rows(ledger, "UPDATE deliveries SET cost = 0.045 WHERE campaign_id = 'euros'")
    closed(ledger)
    text = settings_of(ledger.library, ('api = "legacy"', f'api = "{api}"'))
    (tmp_path / "library.toml").write_text(text, encoding="utf-8")
    use(monkeypatch, tmp_path / "library.toml")
    file = get("/statistiques/couts.csv?tableau=couts").content.decode("utf-8-sig")
    assert file.splitlines()[-1].startswith("ensemble;toutes les étapes;2;2;0;0,095;")
    assert "Un tiret" not in get("/statistiques/couts").text


def test_segments_of_which_nobody_told_a_price_make_their_cost_unknown(ledger, monkeypatch):
    left(ledger)
    left(ledger, "33639980002", campaign="euros")
    rows(ledger, "UPDATE deliveries SET cost = 0.045 WHERE campaign_id = 'euros'")
    closed(ledger)
    monkeypatch.setattr(Settings, "sms_price", lambda self: SmsPrice())
    page = get("/statistiques/couts").text.replace("&#39;", "'")
    assert "Il manque dans library.toml le prix de : un segment de SMS ([sms] segment_price)" in page
    file = get("/statistiques/couts.csv?tableau=couts").content.decode("utf-8-sig")
    assert file.splitlines()[-1] == "ensemble;toutes les étapes;2;2;0;;0;0;;"


def test_what_did_not_leave_has_a_line_for_each_month_and_stage(ledger):
    spared = (
        ("2026-10-05", Stage.OVERDUE_NOTICE, "opted_out", 3), ("2026-10-06", Stage.SECOND_REMINDER, "opted_out", 1),
        ("2026-10-07", Stage.OVERDUE_NOTICE, "dead_number", 1), ("2026-09-05", Stage.SECOND_REMINDER, "dead_number", 2),
    )  # fmt: skip
    for day, stage, reason, sms in spared:
        run = opened(ledger, dag_run_id=f"{day} {reason}", stage=stage)
        rows(ledger, "INSERT INTO spared_counters (library, run_id, moment, stage, reason, sms)"
                     " VALUES (:library, :run, CAST(:day AS date), :stage, :reason, :sms)", library=ledger.library,
             run=run.run_id, day=day, stage=stage.value, reason=reason, sms=sms)  # fmt: skip
    period = "du=2026-09-01&au=2026-10-31"
    file = get(f"/statistiques/couts.csv?tableau=epargnes&{period}").content.decode("utf-8-sig")
    assert file.splitlines()[1:] == [
        "septembre 2026;2e lettre de relance;0;0;2;0,1", "octobre 2026;avis de retard;3;0,15;1;0,05",
        "octobre 2026;2e lettre de relance;1;0,05;0;0", "ensemble;toutes les étapes;4;0,2;3;0,15",
    ]  # fmt: skip
    page = get(f"/statistiques/couts?{period}").text
    table = page[page.index("ont évités") :]
    assert table.count("2e lettre de relance") == 2
    assert f"0,35{NBSP}€" in page


def test_letters_cost_paper_when_printed_and_what_is_not_known_is_a_dash(ledger):
    a_closed_batch(ledger, 2, channel=Channel.LETTER, pages_each=20)
    closed(ledger)
    assert "Aucun coût compté" not in get("/statistiques/couts").text
    rows(ledger, "UPDATE letter_batches SET state = 'printed'")
    with ledger.engine.begin() as connection:
        count_again(connection, ledger.library, [row[0] for row in rows(ledger, "SELECT run_id FROM runs")])
    page = get("/statistiques/couts").text.replace("&#39;", "'")
    assert "Un tiret : ce coût n'est pas connu. Il manque dans library.toml le prix de :" in page
    assert "l'affranchissement d'une lettre de ce poids ([costs] letter)" in page
    file = get("/statistiques/couts.csv?tableau=couts").content.decode("utf-8-sig")
    assert file.splitlines()[-1] == "ensemble;toutes les étapes;2;0;2;0;0,7;;;"
