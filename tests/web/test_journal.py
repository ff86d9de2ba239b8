"""The journal's page: who did what, in words, filtered by the address, which never names anybody."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from loan_reminders.domain.journal import JournalAct, JournalEntry, JournalLine
from loan_reminders.french.pages.journal import ACTS, KINDS, sentence_of
from loan_reminders.ledger.journal import PostgresJournal, keep
from loan_reminders.settings.library_toml import settings
from tests.scenes.known_readers import a_reader
from tests.web.client import browsing

A = JournalAct
PAGE = "/journal"


@pytest.fixture(autouse=True)
def pages(installed):
    """On the test's own ledger."""


def noted(ledger, count=1, who="chloé", act=A.READER_SEEN, **more):
    for _ in range(count):
        ledger.part(PostgresJournal).keep(who=who, act=act, **more)


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#39;", "'").split())


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        answer = client.get(PAGE)
    assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)


def test_whoever_only_sees_figures_does_not_read_it():
    with browsing("lecteur") as client:
        assert client.get(PAGE).status_code == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("acte=rien", 400),
        ("jour=demain", 400),
        ("par=-1", 400),
        ("lecteur=99", 404),
        ("par=99", 200),
        ("avant=99", 200),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(query, status):
    with browsing() as client:
        assert client.get(f"{PAGE}?{query}").status_code == status


def test_the_page_says_what_erasing_a_reader_leaves_and_a_moment_in_full_as_it_is_written_in_france(ledger):
    noted(ledger)
    with browsing() as client:
        page = client.get(PAGE).text
    assert "ni effacé" not in page
    assert "Quand un lecteur est effacé, ce qui le nommait dans un acte s'efface" in text_of(page)
    assert re.search(r'datetime="\d{4}-\d\d-\d\dT[^"]+" title="\d\d/\d\d/\d{4} à \d\d:\d\d:\d\d"', page)


def test_a_day_is_read_as_it_is_written_in_france_too(ledger):
    a_reader(ledger)
    noted(ledger, patron_id="P1")
    today = datetime.now(settings().zone).date()
    with browsing() as client:
        page = client.get(PAGE, params={"jour": f"{today:%d/%m/%Y}"}).text
        before = client.get(PAGE, params={"jour": "1/3/2026"}).text
    assert f'name="jour" value="{today}"' in page
    assert ("a ouvert la page" in text_of(page), "a ouvert la page" in text_of(before)) == (True, False)


def test_an_empty_journal_says_so_and_a_choice_left_empty_asks_for_all():
    with browsing() as client:
        page = client.get(f"{PAGE}?par=&acte=&jour=&lecteur=")
    assert (page.status_code, "Personne n" in page.text) == (200, True)


def test_an_act_is_a_sentence_with_the_way_to_its_reader(ledger):
    number = a_reader(ledger)
    noted(ledger, patron_id="P1", detail="au guichet")
    with browsing() as client:
        page = client.get(PAGE)
    assert f'<a href="/lecteurs/{number}">Camille Martin</a>' in page.text
    assert "chloé a ouvert la page de Camille Martin : « au guichet »" in text_of(page.text)
    assert "aujourd&#39;hui à" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_what_somebody_wrote_is_never_markup(ledger):
    noted(ledger, who="<script>x</script>", detail="<img src=x>")
    with browsing() as client:
        page = client.get(PAGE).text
    assert "<img" not in page
    assert "<script>" not in page


def test_filters_are_in_the_address_by_numbers_alone(ledger):
    number = a_reader(ledger)
    noted(ledger, who="chloé", patron_id="P1")
    noted(ledger, who="léo", act=A.HELD, patron_id="P1", detail="stage")
    with browsing() as client:
        page = client.get(PAGE).text
        [person] = re.findall(r'<option value="(\d+)">léo', page)
        by_leo = client.get(f"{PAGE}?par={person}&lecteur={number}").text
        by_act = client.get(f"{PAGE}?acte=reader_seen").text
    assert "« stage »" in by_leo
    assert "a ouvert la page" not in by_leo
    assert "Au sujet de" in by_leo
    assert "« stage »" not in by_act
    assert not re.findall(r'href="[^"]*(?:Camille|léo|l%C3%A9o)', page + by_leo)


def test_pages_follow_each_other_with_their_filters(ledger):
    noted(ledger, 60)
    with browsing() as client:
        first = client.get(f"{PAGE}?acte=reader_seen").text
        [older] = re.findall(r'href="(\?[^"]+)" rel="next"', first)
        second = client.get(PAGE + older.replace("&amp;", "&")).text
    assert "acte=reader_seen" in older
    assert (first.count("<time"), second.count("<time")) == (50, 10)
    assert "Plus récents" in second


def test_every_act_has_a_sentence_and_a_name():
    assert set(JournalAct) <= set(ACTS)
    assert set(ACTS) == set(KINDS), "each act has a name where kinds are chosen"


def test_what_figures_say_more_and_what_nobody_knows():
    from datetime import UTC, datetime

    def said(act, **changes):
        facts, line = changes.pop("facts", {}), changes.pop("line", {})
        entry = JournalEntry(at=datetime.now(UTC), who="x", act=act, facts=facts, **changes)
        return "".join(one.words for one in sentence_of(JournalLine(entry_id=1, entry=entry, **line)))

    assert said(A.READER_SEEN) == "a ouvert la page d'un lecteur"
    assert said(A.BATCH_PRINTED, batch_id=7) == "a imprimé le lot n° 7"
    assert said(A.BATCH_COPIED, batch_id=7) == "a fait une copie du lot n° 7"
    assert said(A.LETTERS_APPROVED) == "a validé un lot de lettres"
    assert said(A.VOLUME_REFUSED, facts={"stage": "overdue_notice", "day": "2026-11-27"}) == (
        "a refusé une tournée inhabituelle, avis de retard, journée du 27/11/2026"
    )
    assert said(A.SUPPRESSION_LIFTED, facts={"channel": "email", "reason": "hard_bounce"}) == (
        "a réinscrit l'e-mail d'un lecteur, adresse électronique morte"
    )
    assert said(A.LETTER_RETURNED, facts={"why": "unclaimed"}, line={"letter": "R1-7"}).endswith(
        ", lettre R1-7, non réclamé"
    )
    assert said(A.HELD, facts={"until": "2027-01-31", "loan": "L1"}) == (
        "a demandé de ne pas écrire à un lecteur, pour un prêt, jusqu'au 31/01/2027"
    )
    assert said(A.MESSAGE_RESENT, facts={"channel": "email", "not_sent": True}) == (
        "a renvoyé un message à un lecteur, e-mail, rien n'est parti"
    )
    assert said(A.HELD, facts={"until": "pas un jour", "stage": "?", "odd": 1, "letters": "x"}) == (
        "a demandé de ne pas écrire à un lecteur"
    )


def test_a_line_about_a_batch_leads_to_it(ledger):
    with ledger.engine.begin() as connection:
        keep(connection, ledger.library, who="chloé", act=A.BATCH_PRINTED, batch_id=7)
    with browsing() as client:
        assert 'href="/lots/7"' in client.get(PAGE).text
