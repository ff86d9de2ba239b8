"""The letters of a batch: copied alone, left out, taken out; the lists and files that go with it."""

from __future__ import annotations

import csv
import io
import uuid
import zipfile

import pypdf
import pytest

from tests.scenes.batch_desk import pages
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS_OF_PAGES = ("fichier", "page_debut", "page_fin")


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


def test_readers_who_brought_everything_back_are_left_out(desk):
    desk.days_ago()
    desk.note_return(*desk.deliveries[0].loans, *desk.deliveries[2].loans, desk.deliveries[3].loans[0])
    with browsing() as client:
        told = client.post(f"{desk.path}/impression")
        assert "2 lettres retirées : tout a été rendu." in told.text
        assert "1 lettre nomme un document rendu" in told.text
        assert "REF-4" in told.text
        assert desk.state() == "ready"
        printed = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    texts, bookmarks = pages(printed.content)
    assert [text.split()[0] for text in texts] == ["LETTRE2", "LETTRE2", "LETTRE4", "LETTRE4"]
    assert bookmarks == ["LETTRE2", "LETTRE4"]
    assert [row[0] for row in rows(desk.ledger, "SELECT left_out FROM letters ORDER BY position")] == [
        "returned", None, "returned", None,
    ]  # fmt: skip


def test_when_everything_came_back_nothing_is_printed(desk):
    desk.days_ago()
    desk.note_return(*(loan for one in desk.deliveries for loan in one.loans))
    with browsing() as client:
        client.post(f"{desk.path}/impression")
        last = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
        assert (last.status_code, "ne reste aucune lettre" in last.text) == (409, True)
    assert desk.state() == "ready"


def test_without_the_ils_nothing_is_printed_blind(desk, monkeypatch):
    desk.days_ago()
    monkeypatch.delenv("AIRFLOW_CONN_ILS_ORACLE")
    with browsing() as client:
        answered = client.post(f"{desk.path}/impression", data={"confirme": "oui"})
    assert (answered.status_code, "rien n&#39;a été imprimé" in answered.text) == (503, True)
    assert "Nouvel essai automatique" not in answered.text
    assert desk.state() == "ready"


def test_a_missing_file_is_told_and_the_batch_still_waits(desk):
    (desk.folder / "lot" / "lettres.pdf").unlink()
    with browsing() as client:
        for answered in (client.post(f"{desk.path}/impression"), client.get(f"{desk.path}/apercu/1")):
            assert (answered.status_code, "lot/lettres.pdf" in answered.text) == (503, True)
    assert desk.state() == "ready"


def test_a_damaged_file_is_told_and_the_batch_still_waits(desk):
    (desk.folder / "lot" / "lettres.pdf").write_bytes(b"%PDF-1.7 nothing more")
    with browsing() as client:
        answered = client.get(f"{desk.path}/apercu/1")
    assert (answered.status_code, "illisible" in answered.text) == (503, True)


def test_a_librarian_takes_a_letter_out_with_a_reason(desk):
    letter = {"lettre": str(desk.deliveries[0].delivery_id)}
    with browsing("chloé") as client:
        assert client.post(f"{desk.path}/retrait", data=letter).status_code == 400
        assert client.post(f"{desk.path}/retrait", data={**letter, "motif": "litige"}).status_code == 303
        assert client.post(f"{desk.path}/retrait", data={**letter, "motif": "litige"}).status_code == 409
        assert len(pages(client.post(f"{desk.path}/impression").content)[0]) == 6
        other = {"lettre": str(desk.deliveries[1].delivery_id), "motif": "trop tard"}
        assert client.post(f"{desk.path}/retrait", data=other).status_code == 409
    assert ("taken_out", "chloé") in desk.events()


def test_a_draft_is_shown_stamped_and_not_printed(desk):
    rows(desk.ledger, "UPDATE letter_batches SET state = 'draft'")
    with browsing() as client:
        told = client.get(desk.path).text
        assert "Actions requises" in told
        assert "/questions/" in told
        texts, _ = pages(client.get(f"{desk.path}/apercu/1").content)
        refused = client.post(f"{desk.path}/impression")
    assert all("À VALIDER" in text for text in texts)
    assert (refused.status_code, desk.state()) == (409, "draft")


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
