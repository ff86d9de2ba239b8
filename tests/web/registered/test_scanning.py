"""What the scanner answers beside its field: each scan, what it changes, and which field waits for the next one."""

from __future__ import annotations

import html
from datetime import datetime, timedelta

import pytest

from loan_reminders.settings.library_toml import settings
from tests.scenes.ledger_registered import ONE, TWO, in_a_batch, number, ref, take
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
PAGE = "/recommandes"
PRINTED_ONE = "1A 000 000 0001 1"
TODAY = datetime.now(settings().zone).date()


@pytest.fixture
def letters(ledger):
    """Two letters, printed two months ago."""
    batch_id, found = in_a_batch(ledger)
    at = datetime.now(settings().zone) - timedelta(days=60)
    rows(ledger, "UPDATE letter_batches SET printed_at = :at WHERE batch_id = :id", at=at, id=batch_id)
    return found


def scan(client, text, waiting=""):
    """One scan in the field that the page shows: of a number while a letter waits for it, else of a letter."""
    form = {"reference": waiting, "numero": text} if waiting else {"reference": text}
    answer = client.post(f"{PAGE}/numero", data=form)
    if answer.status_code == 303:
        where = answer.headers["location"]
        return where.removeprefix(PAGE), html.unescape(client.get(where).text)
    return answer.status_code, html.unescape(answer.text)


def waits_for_number(page, reference):
    """Whether the field of the page takes the number of a letter, and is the one that a scanner writes to."""
    held = f'<input type="hidden" name="reference" value="{reference}">' in page
    [field] = [piece.split(">")[0] for piece in page.split("<input ") if "autofocus" in piece.split(">")[0]]
    return held and 'name="numero"' in field


def is_good(page):
    return 'class="field-answer good" id="dit-numeros"' in page


def journal(ledger):
    """The lines about letters, without that of the printing of their batch."""
    query = "SELECT act, who, patron_id FROM journal WHERE act <> 'batch_printed' ORDER BY entry_id"
    return [tuple(row) for row in rows(ledger, query)]


def test_a_letter_that_is_read_waits_for_its_number(letters, ledger):
    with browsing() as client:
        where, page = scan(client, f"*{ref(0).lower()}*")
    assert where == f"?lettre={ref(0)}"
    assert f"Lettre {ref(0)} lue. Scanner maintenant son numéro de recommandé." in page
    assert (is_good(page), waits_for_number(page, ref(0))) == (True, True)
    assert journal(ledger) == []


def test_its_number_is_kept_and_the_next_letter_awaited(letters, ledger):
    with browsing("chloé") as client:
        where, page = scan(client, ONE, waiting=ref(0))
    assert where == f"?fait={ref(0)}"
    assert f"Enregistré : {ref(0)}. Son numéro est le {PRINTED_ONE}. Scanner la lettre suivante." in page
    assert (is_good(page), waits_for_number(page, ref(0))) == (True, False)
    assert journal(ledger) == [("letter_numbered", "chloé", "PL0")]


def test_a_letter_that_has_its_number_changes_nothing(letters, ledger):
    take(ledger, ref(0), number(ONE))
    with browsing() as client:
        where, page = scan(client, ref(0))
    assert where == f"?lettre={ref(0)}"
    assert f"La lettre {ref(0)} a déjà le numéro {PRINTED_ONE}" in page
    assert "Rien n'est changé." in page
    assert (is_good(page), waits_for_number(page, ref(0))) == (False, False)


def test_the_same_number_scanned_twice_says_whose_it_is(letters, ledger):
    with browsing() as client:
        scan(client, ONE, waiting=ref(0))
        where, page = scan(client, ONE)
    assert where == f"?lu={ref(0)}"
    assert f"Le {PRINTED_ONE} est déjà le numéro de la lettre {ref(0)}" in page
    assert "avis de réception, reçu aujourd'hui" not in page
    assert [act for act, *_ in journal(ledger)] == ["letter_numbered"]


def test_the_next_letter_in_the_place_of_a_number_is_understood(letters, ledger):
    with browsing() as client:
        where, page = scan(client, ref(1), waiting=ref(0))
    assert where == f"?lettre={ref(1)}"
    assert waits_for_number(page, ref(1))
    assert journal(ledger) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TWO, "Ce numéro n'est encore à aucune lettre : scanner d'abord la référence"),
        ("R3-9", "Aucun recommandé n'a la référence R3-9."),
        ("RK123456784FR", "La clé de ce numéro est fausse"),
        ("  ", "Il manque la référence de la lettre."),
    ],
)
def test_what_is_no_letter_is_told_beside_the_field(letters, ledger, text, words):
    with browsing() as client:
        status, page = scan(client, text)
    assert (status, words in page.split('id="dit-numeros"')[1].split("</p>")[0]) == (400, True)
    assert 'aria-describedby="dit-numeros" aria-invalid="true" autofocus' in page
    assert journal(ledger) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [("RK123456784FR", "La clé de ce numéro est fausse"), (TWO, f"déjà celui de la lettre {ref(1)}"), ("12", "")],
)
def test_a_letter_waits_on_when_its_number_is_refused(letters, ledger, text, words):
    take(ledger, ref(1), number(TWO))
    with browsing() as client:
        status, page = scan(client, text, waiting=ref(0))
        assert (status, words in page) == (400, True)
        assert f"La lettre {ref(0)} attend toujours son numéro : le scanner." in page
        assert (is_good(page), waits_for_number(page, ref(0))) == (False, True)
        assert scan(client, ONE, waiting=ref(0))[0] == f"?fait={ref(0)}"


def test_a_letter_that_is_not_printed_takes_no_number(ledger):
    in_a_batch(ledger, printed=False)
    with browsing() as client:
        status, page = scan(client, ref(0))
        assert (status, "marquer son lot comme imprimé" in page) == (400, True)
        assert not waits_for_number(page, ref(0))


def test_the_acknowledgement_of_a_posted_letter_is_noted_by_one_button(letters, ledger):
    take(ledger, ref(0), number(ONE))
    with browsing("chloé") as client:
        client.post(f"{PAGE}/suivi", data={"numero": ONE, "suite": "poste", "jour": str(TODAY - timedelta(days=3))})
        _, page = scan(client, ONE)
        assert "Est-ce son avis de réception, ou le pli revenu ?" in page
        form = page.split("Noter son avis de réception, reçu aujourd'hui")[0].rpartition("<form")[2]
        sent = {name: form.split(f'name="{name}" value="')[1].split('"')[0] for name in ("numero", "suite", "jour")}
        noted = client.post(f"{PAGE}/suivi", data=sent)
        page = html.unescape(client.get(noted.headers["location"]).text)
    assert f"Enregistré : {ref(0)}. Maintenant : avis de réception reçu" in page
    assert [(act, who) for act, who, _ in journal(ledger)] == [
        ("letter_numbered", "zoé"), ("letter_posted", "chloé"), ("letter_acknowledged", "chloé"),
    ]  # fmt: skip


def test_outcomes_stay_chosen_from_scan_to_scan(letters, ledger):
    take(ledger, ref(0), number(ONE))
    day = str(TODAY - timedelta(days=3))
    with browsing() as client:
        noted = client.post(f"{PAGE}/suivi", data={"numero": ONE, "suite": "poste", "jour": day})
        pages = [client.get(noted.headers["location"]).text]
        pages.append(client.post(f"{PAGE}/suivi", data={"numero": TWO, "suite": "poste", "jour": day}).text)
    for page in pages:
        form = page.rpartition("Ce qui est arrivé")[2].split("</form>")[0]
        assert ('value="poste" selected' in form, f'value="{day}"' in form, "autofocus" in form) == (True, True, True)
    assert "Aucun recommandé n&#39;a ce numéro." in pages[1]


def test_an_undone_step_is_in_the_journal(letters, ledger):
    take(ledger, ref(0), number(ONE))
    where = f"{PAGE}/{letters[0].delivery_id}"
    with browsing("chloé") as client:
        step = client.get(where).text.split('name="etape" value="')[1].split('"')[0]
        client.post(f"{where}/annuler", data={"etape": step})
    assert journal(ledger)[-1] == ("step_undone", "chloé", "PL0")


@pytest.mark.parametrize("name", ["lettre", "lu", "fait"])
def test_an_address_that_tells_of_nothing_done_is_not_believed(letters, name):
    with browsing() as client:
        unknown = client.get(PAGE, params={name: "R3-9"})
        assert (unknown.status_code, "Enregistré" in unknown.text) == (404, False)
        assert "Enregistré" not in client.get(PAGE, params={name: ref(0)}).text
