"""What comes back of SMS, in the real Airflow: the hourly DAG, the librarians' page, the provider's door."""

from __future__ import annotations

import re
import time

import pytest
import requests

from tests.e2e.airflow_api import PATIENCE_S
from tests.e2e.conftest import TIMEOUT

NUMBER, SHOWN = "33612345678", "06 12 34 56 78"


@pytest.fixture
def browser(installation):
    """A browser that nobody is logged in with."""
    with requests.Session() as session:
        session.headers["Accept"] = "text/html"
        yield session


@pytest.fixture
def librarian(installation):
    """The browser of `biblio`."""
    credentials = {"username": "biblio", "password": installation.passwords["biblio"]}
    with requests.Session() as session:
        answer = session.post(f"{installation.url}/auth/token", json=credentials, timeout=PATIENCE_S)
        session.cookies.set("_token", answer.json()["access_token"])
        session.headers["Origin"] = installation.url
        yield session


def page(installation):
    return f"{installation.url}/relances/desinscriptions"


def door(installation):
    return f"{installation.url}/relances/rappels-sms/{installation.callback_token}"


def stop(installation, reply_id):
    said = {"smsMoId": reply_id, "message": "stop svp!!", "phoneNumber": NUMBER, "campaignId": "ap_x"}
    return requests.get(door(installation), params={**said, "smsId": "x", "receptionDate": ""}, timeout=PATIENCE_S)


def listed_once_settled(installation, librarian):
    """The page, once what was kept has been settled: moments after the provider got its `OK`."""
    for _ in range(50):
        answer = librarian.post(f"{page(installation)}/recherche", data={"numero": SHOWN}, timeout=PATIENCE_S)
        if "/levee" in answer.text:
            break
        time.sleep(0.2)
    return answer


def test_the_page_needs_a_login(installation, browser):
    answer = browser.get(page(installation), timeout=PATIENCE_S, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/api/v2/auth/login?next=")
    answer = requests.get(page(installation), timeout=PATIENCE_S)
    assert (answer.status_code, "Sont-ils" in answer.text) == (401, False)
    assert requests.post(page(installation), data={"numero": NUMBER}, timeout=PATIENCE_S).status_code == 401


def test_the_door_takes_what_the_provider_says_and_the_librarian_reads_and_lifts_it(installation, librarian):
    trial = {"smsId": "0", "status": "1", "phoneNumber": "33600000000", "campaignId": "test"}
    for answer in (
        requests.get(door(installation), params=trial, timeout=PATIENCE_S),
        requests.post(door(installation), data=trial, timeout=PATIENCE_S),
        stop(installation, "e2e-1"),
    ):
        assert (answer.status_code, answer.text) == (200, "OK")
    assert requests.get(f"{door(installation)}x", params=trial, timeout=PATIENCE_S).status_code == 404
    listed = listed_once_settled(installation, librarian)
    assert listed.status_code == 200
    assert "a répondu STOP" in listed.text
    [action] = re.findall(r'action="(/relances/desinscriptions/\d+/levee)"', listed.text)
    lifted = librarian.post(f"{installation.url}{action}", data={"raison": "au guichet"}, timeout=PATIENCE_S)
    assert lifted.status_code == 200
    assert lifted.url.startswith(page(installation))
    assert "Réinscrit" in lifted.text
    ended = librarian.get(page(installation), params={"etat": "finies"}, timeout=PATIENCE_S)
    assert "biblio" in ended.text


def test_the_hourly_dag_reads_what_the_provider_knows(installation):
    api, alive = installation.api, installation.check_alive
    api.wait_for_dags(["sms_feedback"], timeout=TIMEOUT, alive=alive)
    api.unpause("sms_feedback")
    run_id = api.trigger("sms_feedback")
    assert api.wait_for_run("sms_feedback", run_id, timeout=TIMEOUT, alive=alive)["state"] == "success"


def test_the_navigation_leads_to_the_page(installation):
    plugins = {one["name"]: one for one in installation.api.call("GET", "plugins")["plugins"]}
    assert plugins["relances"]["external_views"][0]["href"] == "relances/"
    assert installation.api.call("GET", "plugins/importErrors")["total_entries"] == 0


def test_neither_the_secret_path_nor_a_number_is_in_a_log(installation):
    assert stop(installation, "e2e-2").text == "OK"
    written = [path for path in (installation.folder / "logs").rglob("*.log") if path.is_file()]
    assert written
    for path in written:
        content = path.read_bytes()
        assert installation.callback_token.encode() not in content, path
        assert NUMBER.encode() not in content, path
    assert b"/relances/rappels-sms" in (installation.folder / "logs" / "processes" / "api-server.log").read_bytes()
