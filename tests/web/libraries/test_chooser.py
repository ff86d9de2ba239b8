"""The pages of several libraries: the first leads to those one may see, each has its own address, nothing leaks."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.web import ledger_access
from tests.scenes.fake_airflow import FakeAirflow
from tests.scenes.library_people import browsing_libraries
from tests.scenes.several_libraries import use, write_libraries

pytestmark = pytest.mark.usefixtures("installed", "three")
BOTH = {"rivage": ("see", "act"), "colline": ("see",)}


@pytest.fixture
def three(tmp_path, monkeypatch):
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    yield use(monkeypatch, write_libraries(tmp_path / "libraries", "rivage", "colline", "plage"))
    ledger_access.close()


def test_the_first_page_leads_to_the_libraries_that_one_may_see(three):
    with browsing_libraries("chloé", **BOTH) as client:
        page = client.get("/relances/").text
        assert 'href="/relances/rivage/">Bibliothèque de Rivage<' in page
        assert 'href="/relances/colline/">Bibliothèque de Colline<' in page
        assert "plage" not in page.lower()
        assert client.get("/relances/static/relances.css").headers["content-type"].startswith("text/css")
        assert client.get("/relances/static/passwd").status_code == 404


def test_whoever_may_see_one_is_led_there(three):
    with browsing_libraries("chloé", rivage=("act",)) as client:
        answer = client.get("/relances/")
        assert (answer.status_code, answer.headers["location"]) == (303, "/relances/rivage/")


def test_whoever_may_see_none_is_refused_and_a_stranger_logs_in(three):
    with browsing_libraries("chloé") as client:
        for path in ("", "rivage/", "rivage/lots", "nulle-part/", "tournees/airflow?dag=watch__rivage"):
            assert client.get(f"/relances/{path}").status_code == 403, path
    with browsing_libraries() as client:
        paths = ("", "rivage/", "nulle-part/lots", "static/relances.css", "tournees/airflow?dag=watch__rivage")
        for path in paths:
            answer = client.get(f"/relances/{path}")
            assert answer.status_code == 303, path
            assert "/auth/login" in answer.headers["location"]
            assert client.post(f"/relances/{path}").status_code in (401, 405), path


def test_each_page_names_its_library_keeps_to_it_and_leads_back_to_the_choice(three):
    with browsing_libraries("chloé", **BOTH) as client:
        for code in BOTH:
            page = client.get(f"/relances/{code}/lots").text
            assert f"<strong>BU {code.capitalize()}</strong>" in page
            assert 'href="/relances/">Changer de bibliothèque' in page
            assert 'href="/relances/static/relances.css"' in page
            links = [part.split('"')[0] for part in page.split('href="')[1:]]
            ours = (f"/relances/{code}/", "/relances/static/", "#")
            assert {link for link in links if not link.startswith(ours)} == {"/relances/"}
        assert client.get("/relances/rivage").headers["location"] == "/relances/rivage/"


def test_a_library_that_is_not_ones_own_cannot_be_told_from_none(three):
    with browsing_libraries("chloé", rivage=("see", "act")) as client:
        theirs, none = (client.get(f"/relances/{code}/lots") for code in ("colline", "colline9"))
    assert theirs.status_code == none.status_code == 403
    assert theirs.text.replace("/colline/", "/x/") == none.text.replace("/colline9/", "/x/")
    assert "Colline" not in theirs.text
    with browsing_libraries("chloé", rivage=("act",)) as client:
        styles = [
            client.get(f"/relances/{code}static/pages.css").status_code for code in ("", "rivage/", "colline/", "x/")
        ]
    assert styles == [200, 200, 403, 403]


def test_a_run_of_airflow_opens_in_its_library(three):
    with browsing_libraries("chloé", **BOTH) as client:
        asked = {"dag": "overdue_notice__colline", "tournee": "manual__2026-11-27T09:00:00+00:00"}
        answer = client.get("/relances/tournees/airflow", params=asked)
        assert answer.status_code == 303
        place = "/relances/colline/tournees/airflow?dag=overdue_notice__colline&tournee=manual__2026-11-27T09%3A00"
        assert answer.headers["location"].startswith(place)
        assert "pas encore commencé" in client.get(answer.headers["location"]).text
        elsewhere = client.get("/relances/rivage/tournees/airflow", params=asked).text
        assert "n'est pas une tournée" in elsewhere.replace("&#39;", "'")
        for dag in ("overdue_notice__plage", "overdue_notice", "x__", "", "watch__../rivage"):
            assert client.get("/relances/tournees/airflow", params={"dag": dag}).status_code == 403, dag


def test_wrong_settings_close_their_own_library_and_are_told_to_who_may_see_it(three):
    (three / "colline.toml").write_text('[library]\ncode = "secret de colline"', encoding="utf-8")
    with browsing_libraries("chloé", **BOTH) as client:
        answer = client.get("/relances/colline/lots")
        assert (answer.status_code, "erreurs d&#39;import des DAG" in answer.text) == (503, True)
        assert "secret de colline" not in answer.text
        assert "colline</a> (réglages à corriger)" in client.get("/relances/").text
        assert client.get("/relances/rivage/lots").status_code == 200
    with browsing_libraries("chloé", rivage=("see",)) as client:
        assert client.get("/relances/colline/lots").status_code == 403


def test_the_run_of_a_missed_day_that_is_under_way_opens_in_its_library(three):
    airflow, day = FakeAirflow(), datetime.now(UTC).date() - timedelta(days=3)
    airflow.runs["overdue_notice__rivage"] = [
        {"dag_run_id": "manual x", "state": "running", "conf": {"reference_date": day.isoformat()},
         "run_after": f"{day}T09:00:00Z"}
    ]  # fmt: skip
    with browsing_libraries("chloé", transport=airflow.transport, **BOTH) as client:
        page = client.get(f"/relances/rivage/tournees/jours-manques/overdue_notice/{day}").text
        [way] = re.findall(r'href="([^"]+)">Voir la tournée en cours', page)
        assert way == "/relances/rivage/tournees/airflow?dag=overdue_notice__rivage&amp;tournee=manual%20x"
        assert "pas encore commencé" in client.get(way.replace("&amp;", "&")).text


def test_a_library_put_into_the_folder_has_its_pages_at_once(three):
    with browsing_libraries("chloé", rivage=("see",), neuve=("see",)) as client:
        assert client.get("/relances/neuve/lots").status_code == 403
        write_libraries(three, "neuve")
        assert "BU Neuve" in client.get("/relances/neuve/lots").text


def test_every_answer_keeps_to_its_place(three):
    with browsing_libraries("chloé", **BOTH) as client:
        for path in ("", "rivage/lots", "colline/journal", "plage/lots", "x/", "static/pages.css", "tournees/airflow"):
            answer = client.get(f"/relances/{path}")
            assert answer.headers["content-security-policy"].startswith("default-src 'none';"), path
            assert answer.headers["cache-control"] == "no-store"


def test_a_thread_of_a_page_works_for_its_library(three, monkeypatch):
    """The ILS is asked in a thread of its own while a batch is printed; see `web/letters/printing.py`."""
    from loan_reminders.settings.libraries import current_library, of_library
    from loan_reminders.web.letters import printing

    seen = []

    class Checks:
        def check(self, _batch):
            return None

    class Desk:
        now = None

    def ask(*_, **__):
        seen.append(current_library())

    monkeypatch.setattr(printing.ledger_access, "print_checks", Checks)
    monkeypatch.setattr(printing.print_checks, "begin", lambda *_, **__: "key")
    monkeypatch.setattr(printing.print_checks, "ask", ask)

    class At:
        def to(self, path):
            return path

    with of_library("colline"):
        assert printing._asked(At(), Desk(), 1, who="chloé", confirmed=False) == "lots/1"
    assert seen == ["colline"]


def test_what_is_kept_for_a_moment_is_kept_for_one_library(three):
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.web.shared_answers import SharedAnswer, forget_all

    shared = SharedAnswer(60)
    for code in ("rivage", "colline", "rivage"):
        with of_library(code):
            assert shared.get("today", lambda code=code: code) == code
    with of_library("rivage"):
        forget_all()
        assert shared.get("today", lambda: "new") == "new"
    with of_library("colline"):
        assert shared.get("today", lambda: "new") == "colline"


def test_all_libraries_use_the_same_few_connections(three):
    from loan_reminders.settings.libraries import of_library

    opened = []
    for code in ("rivage", "colline"):
        with of_library(code):
            opened.append(ledger_access.whole())
    assert [one.library for one in opened] == ["rivage", "colline"]
    assert opened[0].engine is opened[1].engine


def test_the_log_of_the_web_server_hears_no_secret_of_any_library(three, monkeypatch, caplog):
    from loan_reminders.hooks.sms_callback import callback_token, callback_tokens
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.web.app import create_app
    from tests.scenes.library_people import PerLibrary
    from tests.web.client import TOKEN, TestClient

    app, seen = create_app(PerLibrary("")), []

    async def logging_app(scope, receive, send):
        try:
            await app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                seen.append(str({name: scope[name] for name in ("path", "raw_path", "query_string")}))

    with of_library("rivage"):
        ours = callback_token()
    assert len(set(callback_tokens())) == 4
    caplog.set_level(logging.DEBUG)
    with TestClient(logging_app) as client:
        for path in (f"/rivage/rappels-sms/{ours}", f"/rivage/rappel/{ours}", f"/x/{ours}", f"/{TOKEN}"):
            client.get(path, params={"phone_number": "+33612345678"})
    assert len(seen) >= 4
    assert not any(secret in line for line in seen for secret in (ours, TOKEN, "33612345678"))


def test_the_command_of_the_documentation_tells_the_address_of_a_library(three):
    import shlex
    import subprocess
    import sys

    from loan_reminders.hooks.sms_callback import callback_token
    from loan_reminders.settings.libraries import of_library
    from loan_reminders.settings.library_toml import ROOT

    page = (ROOT / "docs/several_libraries.md").read_text(encoding="utf-8")
    [command] = [line for line in page.splitlines() if line.startswith("python -c ")]
    said = subprocess.run([sys.executable, *shlex.split(command)[1:]], capture_output=True, text=True, check=True)
    with of_library("rivage"):
        assert said.stdout.strip() == callback_token()


def test_each_library_is_called_at_its_own_address_and_by_no_others(three, ledger_url):
    from loan_reminders.hooks.sms_callback import callback_token
    from loan_reminders.ledger.connect import connect
    from loan_reminders.settings.libraries import of_library
    from tests.scenes.ledger_runs import rows
    from tests.scenes.ledger_sms import left
    from tests.web.client import TOKEN

    secrets = {}
    for code in ("rivage", "colline"):
        with of_library(code):
            secrets[code] = callback_token()
    asked = {"status": "1", "phoneNumber": "33612345678", "smsId": "id-1"}
    with browsing_libraries() as client:
        for code, secret, status in (
            ("rivage", secrets["rivage"], 200), ("rivage", secrets["colline"], 404), ("rivage", TOKEN, 404),
            ("nulle-part", secrets["rivage"], 404),
        ):  # fmt: skip
            answer = client.get(f"/relances/{code}/rappels-sms/{secret}", params=asked, headers={"accept": "*/*"})
            assert (answer.status_code == 200) is (status == 200), (code, answer.status_code)
        stop = {"smsMoId": "mo-1", "phoneNumber": "33612345678", "message": "STOP", "subAccount": ""}
        answer = client.get(f"/relances/rivage/rappels-sms/{secrets['rivage']}", params=stop)
        assert answer.status_code == 200
        with connect(ledger_url, library="colline") as theirs:
            left(theirs, "33612345678", campaign="ap_2", sms_id="id-2")
        known = {**asked, "smsId": "id-2", "campaignId": "ap_2"}
        assert client.get(f"/relances/rivage/rappels-sms/{secrets['rivage']}", params=known).status_code == 200
        other = {**stop, "smsMoId": "mo-2", "message": "rendu lundi"}
        assert client.get(f"/relances/rivage/rappels-sms/{secrets['rivage']}", params=other).status_code == 200
    with connect(ledger_url, library="rivage") as ledger:
        kept = rows(ledger, "SELECT library, text FROM sms_replies ORDER BY library, text")
        receipts = rows(ledger, "SELECT library, sms_id FROM sms_acks ORDER BY sms_id")
    assert kept == [("colline", "STOP"), ("colline", "rendu lundi"), ("plage", "STOP"), ("rivage", "STOP")]
    assert receipts == [("rivage", "id-1"), ("colline", "id-2")]
