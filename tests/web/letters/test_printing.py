"""The printing of a batch: once, and the same again; lost files, missing files, the packet for a mailing service."""

from __future__ import annotations

import csv
import html
import io
import zipfile

import pytest

from tests.scenes.batch_desk import pages
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS_OF_PAGES = ("fichier", "page_debut", "page_fin")


def journal(desk):
    return [tuple(row) for row in rows(desk.ledger, "SELECT act, who, detail FROM journal ORDER BY entry_id")]


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


def test_a_missing_file_is_told_and_the_batch_still_waits(desk):
    (desk.folder / "lot" / "lettres.pdf").unlink()
    with browsing() as client:
        for answered in (client.post(f"{desk.path}/impression"), client.get(f"{desk.path}/apercu/1")):
            assert (answered.status_code, "lot/lettres.pdf" in answered.text) == (503, True)
    assert desk.state() == "ready"


def test_the_export_holds_what_is_to_be_posted_and_says_its_pages(desk):
    with browsing() as client:
        client.post(f"{desk.path}/retrait", data={"lettre": str(desk.deliveries[1].delivery_id), "motif": "litige"})
        packed = client.post(f"{desk.path}/impression", data={"pour": "prestataire"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.namelist() == ["lettres.pdf", "destinataires.csv", "LISEZ-MOI.txt"]
        texts, _ = pages(archive.read("lettres.pdf"))
        table = csv.DictReader(io.StringIO(archive.read("destinataires.csv").decode("utf-8-sig")), delimiter=";")
        lines = list(table)
    assert [tuple(line[name] for name in ("reference", *COLUMNS_OF_PAGES)) for line in lines] == [
        ("REF-1", "lettres.pdf", "1", "2"), ("REF-3", "lettres.pdf", "3", "4"), ("REF-4", "lettres.pdf", "5", "6"),
    ]  # fmt: skip
    for line in lines:
        assert f"LETTRE{line['reference'][-1]}" in texts[int(line["page_debut"]) - 1]
    assert desk.state() == "printed"


class TestTrial:
    """A batch made while messages were redirected, looked at after the trial."""

    @pytest.fixture(autouse=True)
    def trial(self, desk):
        rows(desk.ledger, "UPDATE letter_batches SET trial = true")

    def test_it_is_printed_looked_at_and_copied_with_its_stamp_on_each_page(self, desk):
        with browsing("chloé") as client:
            page = client.get(desk.path).text
            shown = client.get(f"{desk.path}/apercu/1")
            printed = client.post(f"{desk.path}/impression")
            again = client.post(f"{desk.path}/impression")
            copy = client.post(f"{desk.path}/copie")
        assert "Lot d'essai : rien de ce lot n'est à poster." in page
        assert "prestataire" not in page.partition("</form>")[0]
        for file in (shown, printed, copy):
            texts, _ = pages(file.content)
            assert len(texts) == 8
            assert all("Essai : ne pas envoyer" in text and "ESSAI" in text for text in texts)
        assert again.content == printed.content
        assert printed.headers["content-disposition"] == f'attachment; filename="lot-{desk.batch_id}-essai.pdf"'

    def test_no_mailing_service_gets_it(self, desk):
        with browsing() as client:
            answer = client.post(f"{desk.path}/impression", data={"pour": "prestataire"})
        assert (answer.status_code, "aucun prestataire ne doit les recevoir" in answer.text) == (409, True)
        assert desk.state() == "ready"
