"""The librarians' pages of letters: look at a batch, print it once, take letters out, copy them."""

from __future__ import annotations

import html
import uuid

import pytest

from loan_reminders.settings.library_toml import settings
from tests.scenes.batch_desk import pages
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS_OF_PAGES = ("fichier", "page_debut", "page_fin")


def journal(desk):
    return [tuple(row) for row in rows(desk.ledger, "SELECT act, who, detail FROM journal ORDER BY entry_id")]


def test_the_pages_say_what_waits(desk):
    with browsing() as client:
        listed, one = client.get("/lots").text, client.get(desk.path).text
    assert "à imprimer" in listed
    assert "REF-4" in one
    assert "Lecteur 4" in one
    assert 'href="/recommandes"' in one
    assert "Copie du lot" not in one


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/lots"), ("GET", "/lots/1"), ("GET", "/lots/1/apercu/1"), ("GET", "/lots/1/destinataires.csv"),
        ("POST", "/lots/1/impression"), ("POST", "/lots/1/retrait"), ("POST", "/lots/1/copie"),
        ("POST", f"/lots/1/lettres/{uuid.UUID(int=1)}/copie"),
    ],
)  # fmt: skip
def test_without_login_or_permission_nothing_is_given_or_changed(desk, method, path):
    with browsing("") as client:
        assert client.request(method, path).status_code == 401
    with browsing("lecteur") as client:
        assert client.request(method, path).status_code == (200 if path == "/lots" else 403)
    assert desk.state() == "ready"


@pytest.mark.parametrize(
    "path", ["/lots/999", "/lots/999/apercu/1", "/lots/999/destinataires.csv", "/lots/999/bordereau"]
)
def test_an_unknown_batch_is_told(desk, path):
    rows(desk.ledger, "UPDATE letter_batches SET library = 'autre'")
    with browsing() as client:
        for place in (path, path.replace("999", str(desk.batch_id))):
            answered = client.get(place)
            assert (answered.status_code, "Il n&#39;y a pas de lot" in answered.text) == (404, True)
        assert client.post(f"{desk.path}/impression").status_code == 404


def test_a_batch_is_printed_once_and_then_copied(desk):
    with browsing("chloé") as client:
        first = client.post(f"{desk.path}/impression")
        copy = client.post(f"{desk.path}/copie")
        page = client.get(desk.path).text
    with browsing("zoé") as client:
        again = client.post(f"{desk.path}/impression")
        others_page = client.get(desk.path).text
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    assert first.headers["content-disposition"] == f'attachment; filename="lot-{desk.batch_id}.pdf"'
    texts, _ = pages(first.content)
    assert len(texts) == 8
    assert not any("COPIE" in text for text in texts)
    assert (again.status_code, "déjà imprimé" in again.text) == (409, True)
    texts, _ = pages(copy.content)
    assert len(texts) == 8
    assert all("COPIE du" in text for text in texts)
    assert "Aujourd'hui à" in html.unescape(page)
    assert ("par vous" in page, "par chloé" in others_page) == (True, True)
    assert desk.events()[-2:] == [("printed", "chloé"), ("copied", "chloé")]
    assert journal(desk) == [("batch_printed", "chloé", ""), ("batch_copied", "chloé", "")]


@pytest.mark.parametrize("pour", ["imprimante", "prestataire"])
def test_a_lost_file_is_given_again_to_the_same_person_for_ten_minutes(desk, pour):
    with browsing("chloé") as client:
        client.post(f"{desk.path}/retrait", data={"lettre": str(desk.deliveries[0].delivery_id), "motif": "litige"})
        first = client.post(f"{desk.path}/impression", data={"pour": pour})
        assert "Reprendre le même fichier" in client.get(desk.path).text
        again = client.post(f"{desk.path}/impression")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-disposition"] == first.headers["content-disposition"]
    with browsing("zoé") as client:
        assert "Reprendre" not in client.get(desk.path).text
        assert client.post(f"{desk.path}/impression").status_code == 409
    rows(desk.ledger, "UPDATE letter_batches SET printed_at = printed_at - interval '601 seconds'")
    with browsing("chloé") as client:
        assert "Reprendre" not in client.get(desk.path).text
        late = client.post(f"{desk.path}/impression")
    assert (late.status_code, "seule une copie" in late.text) == (409, True)
    assert desk.events()[-2:] == [("printed", "chloé"), ("given_again", "chloé")]
    printed = "batch_printed" if pour == "imprimante" else "batch_exported"
    assert [act for act, _, _ in journal(desk)] == ["letter_taken_out", printed, "batch_given_again"]


def test_a_file_that_is_gone_is_not_called_given_again(desk):
    with browsing("chloé") as client:
        client.post(f"{desk.path}/impression")
        (desk.folder / "lot" / "lettres.pdf").unlink()
        assert client.post(f"{desk.path}/impression").status_code == 503
    assert desk.events()[-1] == ("printed", "chloé")


def test_lists_that_are_downloaded_are_in_the_journal(desk):
    rows(desk.ledger, "UPDATE letter_batches SET kind = 'registered_letter', slip = 'lot/bordereau.pdf'")
    with browsing("chloé") as client:
        assert client.get(f"{desk.path}/bordereau").status_code == 503
        (desk.folder / "lot" / "bordereau.pdf").write_bytes(b"slip")
        client.get(f"{desk.path}/bordereau")
        client.get(f"{desk.path}/destinataires.csv")
    assert journal(desk) == [
        ("list_downloaded", "chloé", "bordereau de dépôt"), ("list_downloaded", "chloé", "liste des destinataires"),
    ]  # fmt: skip


def test_the_pages_of_paper_are_seen_one_by_one(desk):
    with browsing() as client:
        client.post(f"{desk.path}/retrait", data={"lettre": str(desk.deliveries[1].delivery_id), "motif": "litige"})
        page = client.get(desk.path, params={"feuille": 4}).text
        image = client.get(f"{desk.path}/page/4.png")
        assert (image.status_code, image.headers["content-type"]) == (200, "image/png")
        assert image.headers["cache-control"] == "no-store"
        beyond = client.get(f"{desk.path}/page/7.png")
        assert (beyond.status_code, "cette page" in beyond.text) == (404, True)
        assert client.get(f"{desk.path}/page/0.png").status_code == 404
        client.post(f"{desk.path}/impression")
        assert client.get(f"{desk.path}/page/1.png").status_code == 409
        assert "Ce qui sera imprimé" not in client.get(desk.path).text
    assert f'src="{desk.path}/page/4.png"' in page
    assert 'alt="Lettre REF-3, Lecteur 3, page 2 sur 2"' in page
    assert ("feuille=3#apercu" in page, "feuille=5#apercu" in page, "sur 6" in page) == (True, True, True)
    assert image.content.startswith(b"\x89PNG")


def test_a_letter_to_a_reader_held_since_is_left_out_once_that_is_read(desk):
    from datetime import datetime, timedelta

    from tests.scenes.holds import hold

    patron_id = desk.deliveries[0].notice.patron.patron_id
    hold(desk.ledger, patron_id, until=datetime.now(settings().zone).date() + timedelta(days=1))
    with browsing() as client:
        told = client.post(f"{desk.path}/impression")
        assert (told.status_code, desk.state()) == (200, "ready")
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
        page = client.get(desk.path).text
    assert "1 lettre retirée : un bibliothécaire a demandé de ne pas écrire" in told.text
    assert printed.headers["content-type"] == "application/pdf"
    assert len(pages(printed.content)[0]) == 6
    assert "à ne pas écrire pour le moment" in page
