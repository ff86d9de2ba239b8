"""PDFs made from a batch's PDF: what is on their pages, what is left of the others, and that they are sound."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
import typst

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.rendering.letters.copies import PageSpan, Stamp, derive

COPY = Stamp(word="COPIE", line="COPIE du 23/11/2026")


@pytest.fixture(scope="module", params=[True, False], ids=["tagged", "untagged"])
def batch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five letters of a page each, with a bookmark each, as PDF/A or without tags."""
    path = tmp_path_factory.mktemp("batch") / "lettres.pdf"
    texts = "\n#pagebreak()\n".join(f"= LETTRE{number}\n Bonjour" for number in range(1, 6))
    settings = '#set page("a4")\n#set text(lang: "fr")'
    source = (
        f'{settings}\n#set document(title: "Lot", date: datetime(year: 2026, month: 11, day: 23))\n{texts}'.encode()
    )
    if request.param:
        path.write_bytes(typst.compile(source, pdf_standards=["a-2a"]))
    else:
        path.write_bytes(typst.compile(source, pdf_tags=False))
    return path


def derived(source: Path, keep: list[PageSpan] | None = None, stamp: Stamp | None = None) -> bytes:
    out = io.BytesIO()
    derive(source, out, keep=keep, stamp=stamp)
    with pikepdf.open(out) as pdf:
        assert pdf.check_pdf_syntax() == []
    return out.getvalue()


def read(data: bytes) -> tuple[list[str], list[str]]:
    with pypdf.PdfReader(io.BytesIO(data)) as reader:
        outline: list[Any] = list(reader.outline)
        return [page.extract_text() for page in reader.pages], [item.title for item in outline]


def test_every_page_of_a_copy_says_so_and_its_letters_stay(batch: Path) -> None:
    texts, bookmarks = read(derived(batch, stamp=COPY))
    assert [("COPIE du 23/11/2026" in text, f"LETTRE{n}" in text) for n, text in enumerate(texts, 1)] == [
        (True, True)
    ] * 5
    assert bookmarks == [f"LETTRE{n}" for n in range(1, 6)]


def test_the_stamp_is_an_artifact_and_its_font_is_in_the_file(batch: Path) -> None:
    with pikepdf.open(batch) as before, pikepdf.open(io.BytesIO(derived(batch, stamp=COPY))) as pdf:
        assert ("/StructTreeRoot" in pdf.Root) == ("/StructTreeRoot" in before.Root)
        for page in pdf.pages:
            first, *_ = pikepdf.parse_content_stream(page)
            assert (str(first.operator), first.operands[0]) == ("BDC", "/Artifact")
            font = page.resources.XObject["/CopyStamp"].Resources.Font.F
            assert font.FontDescriptor.FontFile2.Length > 1000


def test_pages_are_taken_out_with_their_bookmarks_and_nothing_of_them_is_left(batch: Path) -> None:
    data = derived(batch, keep=[PageSpan(first=1, last=1), PageSpan(first=4, last=5)])
    texts, bookmarks = read(data)
    assert [text.split()[0] for text in texts] == ["LETTRE1", "LETTRE4", "LETTRE5"]
    assert bookmarks == ["LETTRE1", "LETTRE4", "LETTRE5"]
    with pikepdf.open(io.BytesIO(data)) as pdf:
        kinds = [one.get("/Type") for one in pdf.objects if isinstance(one, pikepdf.Dictionary)]
        assert kinds.count("/Page") == 3
        assert "/StructElem" not in kinds


def test_an_empty_page_of_the_same_size_comes_behind_pages_where_it_is_asked_for(batch: Path) -> None:
    keep = [PageSpan(first=1, last=1, blank_verso=True), PageSpan(first=3, last=4), PageSpan(first=5, last=5)]
    data = derived(batch, keep=keep)
    texts, bookmarks = read(data)
    assert [text.split()[:1] for text in texts] == [["LETTRE1"], [], ["LETTRE3"], ["LETTRE4"], ["LETTRE5"]]
    assert bookmarks == ["LETTRE1", "LETTRE3", "LETTRE4", "LETTRE5"]
    with pikepdf.open(io.BytesIO(data)) as pdf, pdf.open_outline() as outline:
        leads_to = [item.destination[0].objgen for item in outline.root]
        assert leads_to == [pdf.pages[place].obj.objgen for place in (0, 2, 3, 4)]
        assert len({tuple(round(float(edge), 3) for edge in page.mediabox) for page in pdf.pages}) == 1
    stamped, _ = read(derived(batch, keep=keep, stamp=COPY))
    assert all(COPY.line in text for text in stamped)


def test_a_cut_file_claims_no_tags_and_no_conformance(batch: Path) -> None:
    with pikepdf.open(io.BytesIO(derived(batch, keep=[PageSpan(first=2, last=2)], stamp=COPY))) as pdf:
        assert not {"/StructTreeRoot", "/MarkInfo", "/Metadata"} & set(pdf.Root.keys())
        assert "/StructParents" not in pdf.pages[0].obj
        assert pdf.docinfo["/Title"] == "Lot"
        assert str(pdf.Root.Lang).startswith("fr")


def test_the_same_wishes_give_the_same_bytes(batch: Path) -> None:
    keep = [PageSpan(first=2, last=3)]
    assert derived(batch, keep, COPY) == derived(batch, keep, COPY)


def test_a_stamp_may_have_accents(batch: Path) -> None:
    texts, _ = read(derived(batch, stamp=Stamp(word="À VALIDER", line="lot 12 – ne pas poster")))
    assert all("À VALIDER" in text and "lot 12 – ne pas poster" in text for text in texts)


@pytest.mark.parametrize("span", [PageSpan(first=5, last=6), PageSpan(first=0, last=1), PageSpan(first=9, last=9)])
def test_pages_that_are_not_there_are_told(batch: Path, span: PageSpan) -> None:
    with pytest.raises(LettersNotPrinted, match="pages"):
        derived(batch, keep=[span])


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 nothing more", b"<html>"])
def test_a_file_that_is_no_pdf_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pdf").write_bytes(data)
    with pytest.raises(LettersNotPrinted, match="illisible"):
        derived(tmp_path / "x.pdf", stamp=COPY)
