"""The librarians' pages of letters: look at a batch, print it once, take letters out, copy them."""

from __future__ import annotations

import io
import uuid

import pypdf
import pytest

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


def test_one_letter_is_copied_alone_by_its_reference(desk):
    second = desk.deliveries[1].delivery_id
    with browsing("chloé") as client:
        assert client.post(f"{desk.path}/lettres/{second}/copie").status_code == 409
        client.post(f"{desk.path}/impression")
        found = client.post("/lots/recherche", data={"reference": " REF-2 "})
        copy = client.post(f"{desk.path}/lettres/{second}/copie")
        assert client.post(f"{desk.path}/lettres/{uuid.uuid4()}/copie").status_code == 404
        assert client.post("/lots/recherche", data={"reference": "REF-9"}).status_code == 404
    assert found.headers["location"] == f"/lots/{desk.batch_id}#{second}"
    texts, bookmarks = pages(copy.content)
    assert ["LETTRE2" in text and "COPIE" in text for text in texts] == [True, True]
    assert bookmarks == ["LETTRE2"]
    assert desk.events()[-1] == ("copied", "chloé")


def test_a_damaged_file_is_told_and_the_batch_still_waits(desk):
    (desk.folder / "lot" / "lettres.pdf").write_bytes(b"%PDF-1.7 nothing more")
    with browsing() as client:
        answered = client.get(f"{desk.path}/apercu/1")
    assert (answered.status_code, "illisible" in answered.text) == (503, True)


def test_a_librarian_takes_a_letter_out_with_a_reason(desk):
    letter = {"lettre": str(desk.deliveries[0].delivery_id)}
    with browsing("chloé") as client:
        assert client.post(f"{desk.path}/retrait", data=letter).status_code == 400
        place = "montrer=a-poster&feuille=3"
        assert f'name="ici" value="{place}#lettres"'.replace("&", "&amp;") in client.get(f"{desk.path}?{place}").text
        done = client.post(f"{desk.path}/retrait", data={**letter, "motif": "litige", "ici": f"{place}#lettres"})
        assert (done.status_code, done.headers["location"]) == (303, f"{desk.path}?{place}#lettres")
        assert "La lettre est retirée du lot." in client.get(done.headers["location"]).text
        assert client.post(f"{desk.path}/retrait", data={**letter, "motif": "litige"}).status_code == 409
        assert len(pages(client.post(f"{desk.path}/impression").content)[0]) == 6
        other = {"lettre": str(desk.deliveries[1].delivery_id), "motif": "trop tard"}
        assert client.post(f"{desk.path}/retrait", data=other).status_code == 409
    assert ("taken_out", "chloé") in desk.events()


def test_a_draft_is_shown_stamped_and_not_printed(desk):
    rows(desk.ledger, "UPDATE letter_batches SET state = 'draft'")
    with browsing() as client:
        assert "Actions requises" in client.get(desk.path).text
        texts, _ = pages(client.get(f"{desk.path}/apercu/1").content)
        refused = client.post(f"{desk.path}/impression")
    assert all("À VALIDER" in text for text in texts)
    assert (refused.status_code, desk.state()) == (409, "draft")


def test_the_posting_slip_names_only_what_is_to_be_posted(desk):
    rows(desk.ledger, "UPDATE letter_batches SET kind = 'registered_letter', slip = 'lot/bordereau.pdf'")
    (desk.folder / "lot" / "bordereau.pdf").write_bytes(b"as laid out")
    with browsing() as client:
        assert client.get(f"{desk.path}/bordereau").content == b"as laid out"
        client.post(f"{desk.path}/retrait", data={"lettre": str(desk.deliveries[1].delivery_id), "motif": "litige"})
        slip = client.get(f"{desk.path}/bordereau")
    with pypdf.PdfReader(io.BytesIO(slip.content)) as reader:
        text = "".join(page.extract_text() for page in reader.pages)
    assert [f"REF-{n}" in text for n in range(1, 5)] == [True, False, True, True]
