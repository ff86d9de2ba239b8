"""The page of registered letters: who may, in which order, by scanner, by file, and undone again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_registered import ONE, THREE, TWO, in_a_batch, number, post, ref, take, trace
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
PAGE = "/recommandes"
NUMBER, FOLLOW, BATCH, IMPORT, SEARCH = (
    f"{PAGE}/{name}" for name in ("numero", "suivi", "depot", "import", "recherche")
)
TODAY = datetime.now(settings().zone).date()


def printed(ledger, count=2, days_ago=60, **changes):
    """A batch printed some days ago."""
    found = in_a_batch(ledger, count, **changes)
    at = datetime.now(settings().zone) - timedelta(days=days_ago)
    rows(ledger, "UPDATE letter_batches SET printed_at = :at WHERE batch_id = :id", at=at, id=found[0])
    return found


def states(ledger):
    query = "SELECT letter.reference, state FROM registered_letters JOIN letters letter USING (delivery_id)"
    return dict(map(tuple, rows(ledger, query)))


def follow(client, text, outcome, day=TODAY):
    return client.post(FOLLOW, data={"numero": text, "suite": outcome, "jour": str(day)})


def test_numbers_are_scanned_one_after_the_other(ledger):
    _, [letter, _] = printed(ledger)
    with browsing("chloé") as client:
        page = client.get(PAGE)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert page.text.count("autofocus") == 1
        assert page.text.index("autofocus") < page.text.index('name="numero"')
        answer = client.post(NUMBER, data={"reference": f"*{ref(0).lower()}*", "numero": "%01a 000 000 0001 1\r\n"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?fait={ref(0)}")
        assert f"Enregistré : {ref(0)}." in client.get(PAGE, params={"fait": ref(0)}).text
    assert [(act, who) for act, who, _, _ in trace(ledger, letter)] == [("numbered", "chloé")]
    assert states(ledger) == {ref(0): "numbered", ref(1): "printed"}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"reference": ref(0), "numero": "RK123456784FR"}, "La clé de ce numéro est fausse"),
        ({"reference": "R3-9", "numero": ONE}, "Aucun recommandé"),
        ({"reference": "", "numero": ONE}, "référence de la lettre"),
        ({"reference": ref(1), "numero": TWO}, f"déjà celui de la lettre {ref(0)}"),
        ({"reference": ref(0), "numero": ONE}, "déjà le numéro"),
    ],
)
def test_a_wrong_number_is_told_and_the_reference_kept(ledger, form, words):
    printed(ledger)
    take(ledger, ref(0), number(TWO))
    with browsing() as client:
        answer = client.post(NUMBER, data=form)
    assert answer.status_code == 400
    assert words in answer.text
    assert not form["reference"] or f'value="{form["reference"]}"' in answer.text
    assert states(ledger) == {ref(0): "numbered", ref(1): "printed"}


def test_a_letter_is_posted_and_acknowledged_by_its_number(ledger):
    printed(ledger)
    take(ledger, ref(0), number(ONE))
    with browsing() as client:
        posted = follow(client, "1A 000 000 0001 1", "poste", f"{TODAY - timedelta(days=3):%d/%m/%Y}")
        assert posted.status_code == 303
        again = client.get(posted.headers["location"]).text
        assert f'name="jour" type="date" value="{TODAY - timedelta(days=3)}"' in again
        assert follow(client, ONE, "recu").headers["location"].endswith(ref(0))
        assert f"avis de réception reçu le {TODAY:%d/%m/%Y}" in client.post(SEARCH, data={"q": ONE}).text
    assert states(ledger)[ref(0)] == "acknowledged"


@pytest.mark.parametrize(
    ("outcome", "day", "words"),
    [
        ("recu", TODAY, "Il faut d&#39;abord noter son dépôt à la poste"),
        ("non", TODAY, "Choisir ce qui est arrivé"),
        ("poste", TODAY + timedelta(days=1), "dans l&#39;avenir"),
        ("poste", TODAY - timedelta(days=61), "avant l&#39;impression"),
        ("poste", "demain", "ce n&#39;en est pas une"),
    ],
)
def test_a_step_out_of_order_or_on_an_impossible_day_is_told(ledger, outcome, day, words):
    printed(ledger)
    take(ledger, ref(0), number(ONE))
    with browsing() as client:
        answer = follow(client, ONE, outcome, day)
    assert (answer.status_code, words in answer.text) == (400, True)
    assert states(ledger)[ref(0)] == "numbered"


def test_npai_is_undone_on_the_letters_page_and_its_address_is_free_again(ledger):
    _, [letter, _] = printed(ledger)
    take(ledger, ref(0), number(ONE))
    where = f"{PAGE}/{letter.delivery_id}"
    with browsing("chloé") as client:
        follow(client, ONE, "poste", TODAY - timedelta(days=3))
        follow(client, ONE, "returned_undeliverable")
        listed = client.get("/desinscriptions").text
        assert "LECTEUR 0, 12 RUE DES LILAS, 06000 NICE" in listed
        assert "{" not in listed.split("<tbody>")[1].split("</tbody>")[0]
        assert "1 adresse morte" in listed
        page = client.get(where).text
        assert "Annuler la dernière étape" in page
        step = page.split('name="etape" value="')[1].split('"')[0]
        answer = client.post(f"{where}/annuler", data={"etape": step})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}/{letter.delivery_id}")
        again = client.post(f"{where}/annuler", data={"etape": step})
        assert (again.status_code, "Seule la dernière étape" in again.text) == (400, True)
        page = client.get(where).text
    assert "dernière étape annulée" in page
    assert page.count("chloé") == 3
    assert states(ledger)[ref(0)] == "posted"
    assert not [line for line in ledger.feedback().suppressions() if line.in_force]


def test_an_address_can_be_lifted_on_the_list_too(ledger):
    printed(ledger)
    take(ledger, ref(0), number(ONE))
    why = {"raison": "adresse vérifiée"}
    with browsing("chloé") as client:
        follow(client, ONE, "poste")
        follow(client, ONE, "returned_undeliverable")
        [line] = ledger.feedback().suppressions()
        assert client.post(f"/desinscriptions/{line.suppression_id}/levee", data=why).status_code == 303
    assert ledger.feedback().suppressions()[0].lifted_by == "chloé"


def test_a_batch_is_posted_on_a_day(ledger):
    batch_id, _ = printed(ledger, 3)
    take(ledger, ref(0), number(ONE))
    take(ledger, ref(1), number(TWO))
    with browsing() as client:
        assert f"Lot n° {batch_id} : 2 à poster, 1 sans numéro" in client.get(PAGE).text
        answer = client.post(BATCH, data={"lot": batch_id, "jour": str(TODAY)})
        assert "2 lettres notées postées" in answer.text
        assert ref(2) in answer.text.split("notées postées")[1][:200]
        assert client.post(BATCH, data={"lot": batch_id + 1, "jour": str(TODAY)}).status_code == 400
    assert states(ledger) == {ref(0): "posted", ref(1): "posted", ref(2): "printed"}


def test_a_file_of_numbers_is_imported_and_its_wrong_lines_told(ledger):
    printed(ledger, 3)
    content = f"reference;x;numero_recommande\r\n{ref(0)};é;{ONE}\r\n{ref(1)};é;1A\r\n{ref(2)};é;{THREE}\r\n"
    with browsing() as client:
        for words in ("2 numéros enregistrés", "0 numéro enregistré, 2 déjà connus"):
            answer = client.post(IMPORT, files={"fichier": ("numeros.csv", content.encode("cp1252"), "text/csv")})
            assert (answer.status_code, words in answer.text) == (200, True)
            assert '<th scope="row">3</th>' in answer.text
        huge = client.post(IMPORT, files={"fichier": ("numeros.csv", b"x" * (2 * 1024 * 1024 + 1), "text/csv")})
        assert (huge.status_code, "2 Mo" in huge.text) == (400, True)
    assert states(ledger) == {ref(0): "numbered", ref(1): "printed", ref(2): "numbered"}


def test_overdue_acknowledgements_come_first(ledger):
    days = settings().letters.acknowledgement_days
    printed(ledger, 3, days_ago=days + 60)
    for which, (text, ago) in enumerate([(ONE, days + 1), (TWO, days), (THREE, days + 9)]):
        day = TODAY - timedelta(days=ago)
        take(ledger, ref(which), number(text), type(post())(day=day, today=TODAY, zone=settings().zone))
    with browsing() as client:
        page = client.get(PAGE).text
    overdue = page.split("Avis de réception en retard")[1].split("</table>")[0]
    assert ref(2) in overdue
    assert overdue.index(ref(2)) < overdue.index(ref(0))
    assert ref(1) not in overdue
    assert f"{days + 9} jours" in overdue


@pytest.mark.parametrize("wanted", [ref(0).lower(), "1a 000 000 0001 1", "PL0", "21000L0"])
def test_letters_are_found_by_reference_number_or_reader(ledger, wanted):
    printed(ledger)
    take(ledger, ref(0), number(ONE))
    with browsing() as client:
        page = client.post(SEARCH, data={"q": wanted})
        assert (page.status_code, "Lecteur L0" in page.text, "Lecteur L1" in page.text) == (200, True, False)
        assert "Aucune lettre." in client.post(SEARCH, data={"q": "<b>rien</b>"}).text


def test_letters_of_one_state(ledger):
    printed(ledger)
    take(ledger, ref(0), number(ONE))
    with browsing() as client:
        page = client.get(PAGE, params={"etat": "numbered"}).text
        assert (ref(0) in page, ref(1) in page) == (True, False)
        assert client.get(PAGE, params={"etat": "n'importe"}).status_code == 400


ROUTES = [("GET", PAGE), ("GET", f"{PAGE}/{{letter}}"), ("POST", SEARCH)]
CHANGES = [("POST", path) for path in (NUMBER, FOLLOW, BATCH, IMPORT, f"{PAGE}/{{letter}}/annuler")]


@pytest.mark.parametrize(("method", "path"), ROUTES + CHANGES)
def test_without_login_there_is_nothing_to_see(ledger, method, path):
    _, [letter, _] = printed(ledger)
    with browsing("") as client:
        answer = client.request(method, path.format(letter=letter.delivery_id))
    assert (answer.status_code, ref(0) in answer.text) == (401, False)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_reader_of_dags_changes_nothing(ledger, method, path):
    batch_id, [letter, _] = printed(ledger)
    take(ledger, ref(0), number(ONE))
    form = {"reference": ref(1), "numero": TWO, "suite": "poste", "jour": str(TODAY), "lot": batch_id, "etape": 1}
    with browsing("lecteur") as client:
        assert client.get(f"{PAGE}?etat=numbered").status_code == 403
        answer = client.request(method, path.format(letter=letter.delivery_id), data=form)
    assert answer.status_code == 403
    assert states(ledger) == {ref(0): "numbered", ref(1): "printed"}


def test_a_letter_nobody_knows_is_told():
    with browsing() as client:
        assert client.get(f"{PAGE}/{'0' * 8}-0000-0000-0000-{'0' * 12}").status_code == 404
        assert client.get(f"{PAGE}/abc").status_code == 404


def test_what_others_wrote_is_never_markup(ledger):
    _, [letter, _] = printed(ledger)
    with browsing("<img src=x>") as client:
        client.post(NUMBER, data={"reference": ref(0), "numero": ONE})
        page = client.get(f"{PAGE}/{letter.delivery_id}").text
        assert ("<img" in page, "&lt;img" in page) == (False, True)
        assert "<img" not in client.get(PAGE, params={"fait": "<img src=x>"}).text


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    form = {"reference": ref(0), "numero": ONE, "suite": "poste", "jour": str(date.min), "lot": 1}
    with browsing() as client:
        answers = (client.get(PAGE), *(client.post(path, data=form) for path in (NUMBER, FOLLOW, BATCH)))
    for answer in answers:
        assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)
