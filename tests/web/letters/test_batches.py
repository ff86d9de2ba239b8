"""The librarians' pages of letters: look at a batch, print it once, take letters out, copy them."""

from __future__ import annotations

import csv
import html
import io
import json
import uuid
import zipfile

import pypdf
import pytest

from loan_reminders.settings.library_toml import settings
from tests.scenes.batch_desk import closed_batch, pages
from tests.scenes.ledger_runs import rows
from tests.simulators.oracle_server import SERVICE, OracleServer
from tests.web.client import browsing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
COLUMNS_OF_PAGES = ("fichier", "page_debut", "page_fin")


def journal(desk):
    return [tuple(row) for row in rows(desk.ledger, "SELECT act, who, detail FROM journal ORDER BY entry_id")]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    from sql.demo.generator import build_library
    from tests.scenes.aleph import TODAY

    path = tmp_path_factory.mktemp("ils") / "library.db"
    build_library(path, today=TODAY)
    return path


@pytest.fixture
def desk(installed, monkeypatch, tmp_path, ledger, library):
    import shutil

    from loan_reminders.domain.loans import Loan
    from loan_reminders.hooks.ils import loan_source
    from tests.scenes.aleph import CODES, TODAY, due_day

    # However busy the machine is: an ILS that is slow is not what these tests are about.
    monkeypatch.setattr("loan_reminders.web.letters.printing.WAIT_S", 60.0)
    database = tmp_path / "library.db"
    shutil.copyfile(library, database)
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    with OracleServer(database) as server:
        extra = {"service_name": SERVICE}
        values = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
        monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({"conn_type": "oracle", **values, "extra": extra}))
        source = loan_source("ils_oracle", ils=settings().ils, codes=CODES)
        open_loans = [row for row in source.loans_due(due_day("C"), today=TODAY) if isinstance(row, Loan)][:5]
        yield closed_batch(ledger, database, tmp_path / "letters", [*([one] for one in open_loans[:3]), open_loans[3:]])


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
        assert "Actions requises" in client.get(desk.path).text
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
