"""What readers answered to an SMS, on the pages: « Au bureau » until it is settled, « À faire », the reader's page."""

from __future__ import annotations

import re

import pytest

from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, reply
from tests.web.client import browsing
from tests.web.runs import conftest as of_runs

pytestmark = pytest.mark.usefixtures("installed")
airflow = of_runs.airflow
PAGE, SETTLED = "/bureau", "/bureau/reponse"
WORDS = "ce n'est pas mon numéro <b>"


def address(ledger):
    return f"/lecteurs/{ledger.part(PostgresReaders).number_of('P1')}"


def text_of(answer):
    return re.sub(r"\s+", " ", answer.text.replace("&#39;", "'"))


def came(ledger, *texts, number=NUMBER):
    replies = [reply(text, number, reply_id=f"{number} {place:03}") for place, text in enumerate(texts)]
    ledger.feedback().keep_replies(replies)
    ledger.feedback().settle(failures=2)
    found = rows(ledger, "SELECT reply_number FROM sms_replies WHERE to_read ORDER BY reply_number")
    return [row[0] for row in found]


def test_an_answer_is_listed_with_its_words_its_reader_and_the_ways_to_act(ledger):
    number = a_reader(ledger, mobile=NUMBER)
    [one] = came(ledger, WORDS, "STOP")
    with browsing() as client:
        page = text_of(client.get(PAGE))
    assert "ce n'est pas mon numéro &lt;b&gt;" in page
    assert "•• •• •• •• 01" in page
    assert f'href="/lecteurs/{number}">Camille Martin' in page
    assert f'href="/desinscriptions?reponse={one}#desinscrire"' in page
    assert not [word for word in (NUMBER, "06 39 98 00 01", ">STOP<") if word in page]


def test_settled_it_leaves_the_list_and_the_journal_says_who(ledger):
    a_reader(ledger, mobile=NUMBER)
    [one] = came(ledger, WORDS)
    with browsing("chloé") as client:
        said = client.post(SETTLED, data={"reponse": str(one), "ici": "liste=reponses#reponses"})
        assert (said.status_code, said.headers["location"]) == (303, f"{PAGE}?liste=reponses#reponses")
        page = text_of(client.get(said.headers["location"]))
        assert ("Réglé : la réponse a quitté la liste." in page, "Aucune à lire." in page) == (True, True)
        assert "déjà réglée" in client.post(SETTLED, data={"reponse": str(one)}).text
        for wrong in ("", "x", "0", "9" * 30):
            assert client.post(SETTLED, data={"reponse": wrong}).status_code == 400
        journal = text_of(client.get("/journal"))
    assert "a réglé la réponse de <a" in journal
    assert "Camille Martin" in journal


def test_only_who_may_change_settles(ledger):
    [one] = came(ledger, WORDS)
    for who, status in (("", 401), ("lecteur", 403)):
        with browsing(who) as client:
            assert client.post(SETTLED, data={"reponse": str(one)}).status_code == status
            assert WORDS[:10] not in client.get(PAGE).text
    assert rows(ledger, "SELECT read_by FROM sms_replies") == [("",)]


def test_many_answers_are_paged_and_ordered(ledger):
    came(ledger, *(f"réponse {place:02}" for place in range(53)))
    with browsing() as client:
        page = client.get(PAGE).text
        assert page.count("<td>réponse ") == 50
        assert 'href="/bureau?liste=reponses"' in page
        oldest = client.get(PAGE, params={"liste": "reponses", "tri": "jour"}).text
        last = client.get(PAGE, params={"liste": "reponses", "tri": "jour", "page": 2}).text
    assert ("réponse 00" in oldest, "réponse 49" in oldest, "réponse 50" in oldest) == (True, True, False)
    assert (last.count("<td>réponse "), "réponse 52" in last) == (3, True)


def test_it_is_one_of_the_things_to_do_until_it_is_settled(ledger, airflow):
    [one, two] = came(ledger, WORDS, "rendu lundi")
    with browsing() as client:
        first = text_of(client.get("/"))
        assert "2 réponses à des SMS à lire" in first
        assert 'href="/bureau#reponses"' in first
        assert '<h2 id="reponses">' in client.get(PAGE).text
        client.post(SETTLED, data={"reponse": str(one)})
        assert "1 réponse à un SMS à lire" in text_of(client.get("/"))
        client.post(SETTLED, data={"reponse": str(two)})
        badge.forget()
        assert "SMS à lire" not in text_of(client.get("/"))


def test_the_number_of_an_answer_is_put_on_the_list_without_being_typed(ledger):
    [one] = came(ledger, "ne plus STOP", number="33612345678")
    with browsing("chloé") as client:
        assert 'name="numero" type="tel" maxlength="100" value=""' in client.get("/desinscriptions").text
        page = client.get("/desinscriptions", params={"reponse": one}).text
        assert 'value="06 12 34 56 78"' in page
        assert 'value=""' in client.get("/desinscriptions", params={"reponse": one + 1}).text
        assert client.get("/desinscriptions", params={"reponse": "x"}).status_code == 400
        client.post("/desinscriptions", data={"numero": "06 12 34 56 78", "note": "l'a écrit"})
    [line] = ledger.feedback().suppressions()
    assert (line.recipient, line.in_force) == ("33612345678", True)


def test_the_readers_page_shows_them_all_with_what_was_done(ledger):
    a_whole_story(ledger)
    first, _ = came(ledger, "rendu lundi", "et encore", "STOP")
    came(ledger, "d'un autre", number="33639980099")
    with browsing("chloé") as client:
        client.post(SETTLED, data={"reponse": str(first)})
        page = text_of(client.get(address(ledger)))
        shown = text_of(client.post(f"{address(ledger)}/coordonnees"))
    for words in (
        "Ses réponses aux SMS",
        "« rendu lundi »",
        "« et encore »",
        "« STOP »",
        "par chloé",
    ):
        assert words in page, words
    assert page.count("à régler au bureau") == 1
    assert "d'un autre" not in page
    assert ("06 39 98 00 01" in page, "06 39 98 00 01" in shown) == (False, True)


def test_a_number_that_is_another_readers_now_tells_nothing_of_the_one_before(ledger):
    a_whole_story(ledger)
    came(ledger, "rendu lundi")
    rows(ledger, "UPDATE readers SET mobile = '33639980077' WHERE library = :library", library=settings().library.code)
    with browsing() as client:
        assert "« rendu lundi »" in text_of(client.get(address(ledger)))
        a_reader(ledger, "P2", card="2", mobile=NUMBER)
        assert "« rendu lundi »" not in text_of(client.get(address(ledger)))
