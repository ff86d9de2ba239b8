"""The file of a loan as PDF: all of it in words, the letters behind, and nothing that data could make it do."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from loan_reminders.domain.dispute.loan_file import DisputePdf
from loan_reminders.domain.errors import LettersNotPrinted, LetterStoreUnavailable, TemplateError
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering.dispute.renderer import DisputeRenderer
from tests.scenes.builders import a_library, a_loan, a_patron
from tests.scenes.disputed_loan import TRACKING, a_whole_story, in_batch, sent
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import reply

MOMENT = datetime(2027, 1, 11, 9, 30, tzinfo=UTC)


def a_volume(pages: int = 3, *, archivable: bool = False) -> bytes:
    """A stored PDF whose page number n is n centimetres narrower than A4."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        for number in range(1, pages + 1):
            page = pdf.add_blank_page(page_size=(595 - 28 * number, 842))
            page.obj.StructParents = number
        if archivable:
            with pdf.open_metadata() as metadata:
                metadata["pdfaid:part"] = "2"
                metadata["pdfaid:conformance"] = "A"
        pdf.save(out)
    return out.getvalue()


def store(content: bytes | Exception) -> Any:
    def read(_location: str) -> Iterator[bytes]:
        if isinstance(content, Exception):
            raise content
        yield content[:100]
        yield content[100:]

    return read


def made(ledger: PostgresLedger, content: bytes | Exception = b"", loan_id: str = "L1", **options: Any) -> DisputePdf:
    dispute = ledger.dispute().file(loan_id)
    assert dispute is not None
    renderer = DisputeRenderer(a_library(), zone=UTC, **options)
    return renderer.render(dispute, read=store(content or a_volume()), made_at=MOMENT)


def text_of(pdf: DisputePdf) -> str:
    """The words of the file, without the breaks that lines bring."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages]
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def test_what_the_reader_answered_is_told_with_who_saw_to_it(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    ledger.feedback().keep_replies([reply("Ce n'est pas mon livre <b>"), reply("STOP", reply_id="mo-2")])
    number = rows(ledger, "SELECT reply_number FROM sms_replies WHERE to_read")[0][0]
    ledger.desk().settle_reply(number, who="zoé")
    text = text_of(made(ledger))
    for words in ("du +33639980001 : « Ce n'est pas mon livre <b> »", "« STOP »", "réglée, par zoé"):
        assert words in text, words


def test_the_whole_story_is_told_and_the_letters_follow(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    ledger.desk().note_return("R1-7ZK3QD4M", since=MOMENT, who="zoé")
    pdf = made(ledger)
    text = text_of(pdf)
    for words in (
        "Dossier du prêt L1", "Fait le 11/01/2027 à 09:30:00", "Introduction à l'économie", "0935000123",
        "Camille Martin", "camille.martin@etu.example.fr", "250 2.0.0 OK queued as 4XyZ", "- L'Étranger",
        "550 5.1.1 user unknown", "refus définitif", "en doute : aucune réponse du serveur", "aucune réponse à temps",
        "+33639980001", "12 RUE DES LILAS", "R1-7ZK3QD4M", "celui-ci et 2 de plus", TRACKING, "18/12/2026",
        "pli avisé et non réclamé", "étape annulée", "dépôt à La Poste noté par erreur",
        "état : déposée à La Poste → numérotée", "coordonnées absentes (mobile : absent)", "adresse électronique morte",
        "motif du retour : rien → destinataire inconnu à l'adresse (NPAI)",
    ):  # fmt: skip
        assert words in text, words
    for code in ("no_recipient", "returned_undeliverable", "suppression_id", "ReadTimeout"):
        assert code not in text
    assert (pdf.deliveries, pdf.missing) == (4, 0)
    with pikepdf.open(io.BytesIO(pdf.content)) as read:
        assert len(read.pages) == pdf.pages
        widths = [round(float(page.mediabox[2])) for page in read.pages]
        assert widths[-3:] == [595 - 56, 595 - 84, 595 - 28]
        assert set(widths[:-3]) == {595}
        assert all("/StructParents" not in page.obj for page in list(read.pages)[-3:])
        with read.open_outline() as outline:
            assert [item.title for item in outline.root][-2:] == [
                "Pièce n° 1 — R1-7ZK3QD4M",
                "Pièce n° 2 — MD-0000AAAA",
            ]
    own = pdf.pages - 3
    assert f"pièce n° 1, pages {own + 1} à {own + 2} de ce fichier" in text.replace("\u00a0", " ")
    assert f"pièce n° 2, page {own + 3} de ce fichier" in text.replace("\u00a0", " ")
    assert f"page 1/{pdf.pages}" in text.replace("\u00a0", " ")


def test_the_same_facts_at_the_same_moment_are_the_same_bytes(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    assert made(ledger).content == made(ledger).content


@pytest.mark.parametrize(
    ("content", "promise"), [(a_volume(archivable=True), "2B"), (a_volume(), ""), (LetterStoreUnavailable("x"), "2A")]
)
def test_the_file_promises_no_more_than_its_pages_hold(
    ledger: PostgresLedger, content: bytes | Exception, promise: str
) -> None:
    a_whole_story(ledger)
    with pikepdf.open(io.BytesIO(made(ledger, content).content)) as read:
        assert read.open_metadata().pdfa_status == promise


@pytest.mark.parametrize(
    ("content", "missing"),
    [
        (LetterStoreUnavailable("plus là"), 2),
        (FileNotFoundError("plus là"), 2),
        (b"not a PDF at all" * 20, 2),
        (a_volume(1), 1),
    ],
)
def test_a_letter_whose_file_is_gone_or_spoilt_is_told_in_words(
    ledger: PostgresLedger, content: bytes | Exception, missing: int
) -> None:
    a_whole_story(ledger)
    pdf = made(ledger, content)
    assert "La lettre elle-même n'est pas jointe" in text_of(pdf).replace("\u2019", "'")
    assert pdf.missing == missing


def test_pages_come_from_the_right_volume(ledger: PostgresLedger) -> None:
    letter = sent(ledger, Channel.LETTER, Stage.FIRST_REMINDER)
    in_batch(ledger, letter, "R1-00000000", "premiere.pdf", volume=2)
    asked = []

    def read(location: str) -> Iterator[bytes]:
        asked.append(location)
        yield a_volume()

    dispute = ledger.dispute().file("L1")
    assert dispute is not None
    assert DisputeRenderer(a_library(), zone=UTC).render(dispute, read=read, made_at=MOMENT).missing == 0
    assert asked == ["seconde.pdf"]


@pytest.mark.parametrize(
    "evil",
    [
        '#panic("x") *gras* $x^2$ @ref #read("/etc/passwd")',
        "ספר \u202eעברית\u202c",
        "nul\x00 et\x07 cloche",
        "ꦲꦏ 中文 🙂",
        "\\ ] } ) // /*",
        "A" * 5000,
    ],
)
def test_what_others_wrote_is_text_and_never_stops_the_file(ledger: PostgresLedger, evil: str) -> None:
    patron = a_patron(name=evil, barcode=evil)
    loan = a_loan(title=evil, author=evil, item_barcode=evil, price_text=evil, call_number=evil, patron=patron)
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=(loan,), words=(evil, f"{evil}\r\n{evil}"), raw=evil)
    pdf = made(ledger)
    if evil.startswith("#"):
        assert text_of(pdf).count('#panic("x") *gras* $x^2$ @ref #read("/etc/passwd")') >= 3
    if evil.startswith("nul"):
        assert "nul et cloche" in text_of(pdf)


def test_words_that_were_not_kept_are_said_so(ledger: PostgresLedger) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    assert "Mots non conservés." in text_of(made(ledger))


def test_very_long_words_are_cut_and_it_says_so(ledger: PostgresLedger) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, words=("", "ligne\n" * 20_000))
    text = text_of(made(ledger))
    assert "La suite, très longue, n'est pas reproduite" in text.replace("\u2019", "'")


@pytest.mark.parametrize("line", ['#eval("1")', '#import "@preview/x:1.0.0"'])
def test_a_template_that_could_run_data_or_fetch_code_is_refused(
    ledger: PostgresLedger, tmp_path: Path, line: str
) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    with pytest.raises(TemplateError, match="ligne 1"):
        made(ledger, templates=own_templates(tmp_path, line))


@pytest.mark.parametrize(
    "body", ["#facts.nothing", "#assert(false)", '#import "/../x.typ": *', "#for i in range(10000000) [#i]"]
)
def test_a_template_that_fails_or_never_ends_is_told_without_the_reader(
    ledger: PostgresLedger, tmp_path: Path, body: str
) -> None:
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)
    head = "#let facts = json(bytes(sys.inputs.facts))\n"
    with pytest.raises(LettersNotPrinted) as caught:
        made(ledger, templates=own_templates(tmp_path, head + body), timeout_s=3)
    assert "dossier du prêt" in str(caught.value)
    assert "Camille" not in str(caught.value)


def own_templates(folder: Path, text: str) -> Path:
    (folder / "_layouts").mkdir()
    shutil.copyfile(TEMPLATES / "_layouts/dispute.typ", folder / "_layouts/dispute.typ")
    (folder / "_layouts/dispute.typ").write_text(text, encoding="utf-8")
    return folder


def test_what_was_redirected_is_said_to_be_no_proof_and_its_letters_do_not_follow(ledger: PostgresLedger) -> None:
    a_whole_story(ledger)
    pages = made(ledger).pages
    rows(ledger, "UPDATE deliveries SET redirected = true")
    pdf = made(ledger)
    text = text_of(pdf).replace("\u00a0", " ")
    assert text.count("ce n'est pas une preuve qu'il a été prévenu") == 4
    assert text.count("(essai)") >= 4
    assert "pièce n°" not in text
    assert pdf.pages < pages
