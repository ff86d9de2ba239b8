"""The librarians' page: who unsubscribed, do we still pay for them, and taking somebody off the list."""

from __future__ import annotations

import gc
import html
import re
from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.email.refused_addresses import REFUSED_AT_ONCE
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSummary
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_mobile
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, blacklisted, in_force, left, reply
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
PAGE = "/desinscriptions"
SEARCH = f"{PAGE}/recherche"
SHOWN = "06 39 98 00 01"
USUAL = "33612345678"


def stopped(ledger, number=NUMBER, minutes=0):
    ledger.feedback().keep_replies([reply("STOP", number, reply_id=f"mo-{number}-{minutes}", minutes=minutes)])
    ledger.feedback().settle(failures=2)


def line_of(ledger):
    [line] = [line for line in ledger.feedback().suppressions() if line.in_force]
    return line.suppression_id


def test_the_page_answers_who_and_that_nothing_is_paid(ledger):
    left(ledger, sms_id="before")
    stopped(ledger, minutes=1)
    ledger.feedback().keep_blacklist([blacklisted("33639980002", "Refused")])
    [since] = rows(ledger, "SELECT since FROM suppressions WHERE reason = 'stop'")[0]
    with browsing() as client:
        answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    for words in (SHOWN, "06 39 98 00 02", "a répondu STOP", "liste noire du prestataire", "Refused"):
        assert words in answer.text
    assert "2 numéros désinscrits" in answer.text
    assert "rien n&#39;est plus payé pour eux" in answer.text
    local = since.astimezone(settings().zone)
    assert f"aujourd&#39;hui à {local.hour} h {local:%M}" in answer.text


def test_the_page_says_that_something_is_still_paid(ledger):
    stopped(ledger, minutes=-60)
    rows(ledger, "UPDATE suppressions SET since = since - interval '1 day'")
    rows(ledger, "UPDATE suppressions SET lifted_at = now()")
    left(ledger, sms_id="after")
    rows(ledger, "UPDATE suppressions SET lifted_at = NULL")
    with browsing() as client:
        page = client.get(PAGE).text
    assert "1 SMS est parti vers eux" in page
    assert 'class="answer paid"' in page


def test_an_empty_list_says_so(ledger):
    with browsing() as client:
        assert "Personne n&#39;est désinscrit." in client.get(PAGE).text


def test_a_librarian_takes_a_number_off_the_list_and_is_recorded(ledger):
    stopped(ledger)
    with browsing("chloé") as client:
        answer = client.post(f"{PAGE}/{line_of(ledger)}/levee", data={"raison": "changé d'avis", "ici": "etat=finies"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?etat=finies")
        page = client.get(f"{PAGE}?etat=finies").text
    assert in_force(ledger) == {}
    assert "par chloé" in page
    assert "« changé d&#39;avis »" in page
    assert 'role="status"' in page
    assert "/levee" not in page
    assert rows(ledger, "SELECT act, who, detail FROM journal") == [("suppression_lifted", "chloé", "changé d'avis")]


@pytest.mark.parametrize("reason", ["", "  ", "x"])
def test_nobody_is_taken_off_the_list_without_a_reason(ledger, reason):
    stopped(ledger)
    with browsing() as client:
        form = {"raison": reason, "ici": "motif=stop"}
        answer = client.post(f"{PAGE}/{line_of(ledger)}/levee", data=form)
    assert (answer.status_code, "dire pourquoi" in answer.text) == (400, True)
    assert '<option value="stop" selected' in answer.text, "the list as it was"
    assert in_force(ledger) == {NUMBER: "stop"}


def test_lines_are_filtered_and_paged_in_the_address(ledger):
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since, lifted_at)"
        " SELECT :library, 'sms', '3361111' || lpad(CAST(i AS text), 4, '0'), 'stop', 'reply', now(),"
        " CASE WHEN i > 60 THEN now() END FROM generate_series(1, 130) AS i",
        library=ledger.library,
    )
    with browsing() as client:
        first, second = client.get(PAGE).text, client.get(f"{PAGE}?page=2").text
        ended = client.get(f"{PAGE}?etat=finies&page=2").text
        dead = client.get(f"{PAGE}?motif=dead_number").text
        beyond = client.get(f"{PAGE}?motif=stop&page=99999999")
        assert (beyond.status_code, beyond.headers["location"]) == (303, f"{PAGE}?motif=stop")
        assert client.get(f"{PAGE}?page=x").status_code == 400
    counted = [page.count('<th scope="row">') for page in (first, second, ended, dead)]
    assert counted == [50, 10, 20, 0]
    assert "?page=2" in first
    assert "etat=finies&amp;page=1" in ended
    assert "a répondu STOP (60)" in first
    assert "ne répond à ce choix" in dead


def test_lines_are_ordered_by_their_beginning_both_ways(ledger):
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since)"
        " SELECT :library, 'sms', '3361111' || lpad(CAST(i AS text), 4, '0'), 'stop', 'reply',"
        " now() - i * interval '1 h' FROM generate_series(1, 60) AS i",
        library=ledger.library,
    )
    newest = [f"06 11 11 {number // 100:02} {number % 100:02}" for number in range(1, 61)]
    with browsing() as client:
        for asked, order in (("", newest), ("tri=depuis", newest[::-1]), ("tri=depuis&sens=desc", newest)):
            pages = [client.get(f"{PAGE}?{asked}&page={number}").text for number in (1, 2)]
            assert re.findall(r'<th scope="row">([\d ]+)</th>', "".join(pages)) == order
        assert "tri=depuis&amp;page=2" in client.get(f"{PAGE}?tri=depuis").text


def test_what_a_server_answered_is_there_for_whoever_asks(ledger):
    answer = "550 5.1.1 <x@example.org>: Recipient address rejected"
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since, detail)"
        " VALUES (:library, 'email', 'x@example.org', 'hard_bounce', 'bounces', now(), :detail)",
        library=ledger.library,
        detail=f"{REFUSED_AT_ONCE} : {answer}",
    )
    with browsing() as client:
        page = html.unescape(client.get(PAGE).text)
    assert '<span class="under">refusée à l\'envoi</span>' in page
    folded = re.search(r"<details[^>]*><summary[^>]*>Réponse du serveur</summary>(.*?)</details>", page)
    assert folded is not None
    assert answer in folded[1]
    assert page.count("550 5.1.1") == 1


def test_an_old_page_lifts_nothing_that_came_since(ledger):
    stopped(ledger)
    old = line_of(ledger)
    with browsing() as client:
        client.post(f"{PAGE}/{old}/levee", data={"raison": "erreur"})
        stopped(ledger, minutes=5)
        answer = client.post(f"{PAGE}/{old}/levee", data={"raison": "erreur"})
    assert (answer.status_code, "rien n&#39;a été changé" in answer.text) == (404, True)
    assert in_force(ledger) == {NUMBER: "stop"}


@pytest.mark.parametrize(
    ("number", "day"), [("06 12 34 56 78", "%Y-%m-%d"), ("+33 6 12 34 56 78", "%d/%m/%Y"), (USUAL, "%Y-%m-%d")]
)
def test_a_librarian_puts_a_number_on_the_list_with_an_end(ledger, number, day):
    last = (datetime.now(settings().zone) + timedelta(days=30)).date()
    with browsing("chloé") as client:
        answer = client.post(PAGE, data={"numero": number, "jusqu_au": f"{last:{day}}", "note": "à l'étranger"})
        assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
        page = client.get(PAGE).text
    assert in_force(ledger) == {USUAL: "by_librarian"}
    [line] = ledger.feedback().suppressions()
    assert line.until.astimezone(settings().zone).date() == last + timedelta(days=1)
    assert "chloé : à l&#39;étranger" in page
    assert "06 12 34 56 78" in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "numéro de mobile"),
        ({"numero": "04 93 00 00 00"}, "numéro de mobile"),
        ({"numero": "n'importe quoi"}, "numéro de mobile"),
        ({"numero": USUAL, "jusqu_au": "demain"}, "pas une date"),
        ({"numero": USUAL, "jusqu_au": "2020-01-01"}, "déjà passée"),
    ],
)
def test_what_cannot_be_put_on_the_list_is_told(ledger, form, words):
    with browsing() as client:
        answer = client.post(PAGE, data=form)
    assert answer.status_code == 400
    assert words in answer.text
    assert in_force(ledger) == {}


def test_one_number_can_be_looked_for(ledger):
    stopped(ledger)
    stopped(ledger, "33639980002")
    with browsing() as client:
        found = client.post(SEARCH, data={"numero": "0639980002"}).text
        nothing = client.post(SEARCH, data={"numero": "<b>rien</b>"}).text
    assert "06 39 98 00 02" in found
    assert f'<th scope="row">{SHOWN}' not in found
    assert "Aucune ligne pour cette recherche" in nothing
    assert "<b>rien" not in nothing


def test_what_others_wrote_is_never_markup(ledger):
    evil = "<script>alert(1)</script>"
    ledger.feedback().keep_blacklist([blacklisted(comment=evil)])
    ledger.feedback().suppress(a_mobile("33639980002"), who=evil, detail='"><img src=x onerror=alert(1)>')
    with browsing(evil) as client:
        client.post(
            f"{PAGE}/{ledger.feedback().suppressions(recipient=NUMBER)[0].suppression_id}/levee", data={"raison": evil}
        )
        page = client.get(PAGE).text + client.get(f"{PAGE}?etat=finies").text
    assert "<script" not in page.replace("<script src=", "")
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PAGE), ("POST", PAGE), ("POST", f"{PAGE}/1/levee"), ("GET", f"{PAGE}?numero=06")]
)
def test_without_login_there_is_nothing_to_see(ledger, method, path):
    stopped(ledger)
    with browsing("") as client:
        answer = client.request(method, path)
        assert (answer.status_code, SHOWN in answer.text) == (401, False)
    with browsing("", accept="text/html") as client:
        answer = client.request(method, path)
        assert answer.status_code == (303 if method == "GET" else 401)
        if method == "GET":
            assert "/auth/login?next=http%3A%2F%2F" in answer.headers["location"]
    assert in_force(ledger) == {NUMBER: "stop"}


def test_a_reader_of_dags_sees_nobodys_number_and_changes_nothing(ledger):
    stopped(ledger)
    with browsing("lecteur") as client:
        answer = client.get(PAGE)
        assert (answer.status_code, SHOWN in answer.text) == (403, False)
        assert client.post(f"{PAGE}/{line_of(ledger)}/levee").status_code == 403
        assert client.post(PAGE, data={"numero": "06 39 98 00 02"}).status_code == 403
    assert in_force(ledger) == {NUMBER: "stop"}


@pytest.mark.parametrize("path", [f"{PAGE}/abc/levee", f"{PAGE}/1", "/docs", "/openapi.json", "/autre"])
def test_nothing_else_answers(path):
    with browsing() as client:
        assert client.post(path).status_code in {404, 405, 422}


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        for answer in (
            client.get(PAGE),
            client.post(f"{PAGE}/1/levee", data={"raison": "erreur"}),
            client.post(PAGE, data={"numero": USUAL}),
        ):
            assert answer.status_code == 503
            assert "reminders_ledger" in answer.text


def test_the_plugin_brings_the_application_and_a_relative_entry_in_the_navigation():
    from reminders_plugin import RemindersPlugin

    entry_of_menu, tab_of_run = RemindersPlugin.external_views
    assert (entry_of_menu["href"], entry_of_menu["destination"]) == ("relances/", "nav")
    assert (tab_of_run["href"].partition("?")[0], tab_of_run["destination"]) == ("relances/tournees/airflow", "dag_run")
    gc.unfreeze()
    [entry] = RemindersPlugin().fastapi_apps
    assert (entry["url_prefix"], entry["name"]) == ("/relances", "Relances")
    assert gc.get_freeze_count() > 50_000, "what a web server has imported is not looked through beside its pages"
    gc.unfreeze()


def test_one_and_several_are_told_in_good_french():
    from loan_reminders.web.suppressions.table_rows import question_answered, shown

    one = SuppressionSummary(in_force={SuppressionReason.STOP: 1}, sms_since=0)
    assert question_answered(one).startswith("1 numéro désinscrit (a répondu STOP : 1).")
    paid = SuppressionSummary(in_force={SuppressionReason.STOP: 2}, sms_since=1)
    assert question_answered(paid).endswith("1 SMS est parti vers eux depuis leur désinscription.")
    assert shown("590690001234") == "+590690001234"
    assert shown("odd") == "odd"
