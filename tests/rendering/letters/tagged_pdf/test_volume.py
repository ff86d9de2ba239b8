"""Tagged PDFs joined into one: nothing of what was said of their pages is lost, mixed up or said twice."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
import typst

from loan_reminders.rendering.letters.tagged_pdf import NotTagged, TaggedVolume
from tests.scenes.printed_letters import find_nothing_wrong

MARKED = re.compile(rb"/MCID\s+(\d+)")
PLAIN = "= Lettre {n}\n\nUn texte *fort* de la lettre {n}."
TABLE = """= Lettre {n}
#table(columns: 2, table.header[Titre][Cote], [Titre {n}], [Cote {n}])
#pagebreak()
= Suite {n}
Un texte#footnote[Une note {n}.] et sa note."""
LINKED = (
    '= Lettre {n}\n#link(<fin>)[Voir la fin {n}]\n#pagebreak()\n= Fin {n} <fin>\n#link("https://example.org")[ailleurs]'
)
PICTURED = """= Lettre {n}
#image("logo.png", alt: "Logo")
#pagebreak()
#image("logo.png", alt: "Logo encore")
#image("dessin.svg", alt: "Dessin")"""
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="3"/></svg>'


def a_png(size: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\x00" + bytes((5 * row, 9, 7, 128)) * size for row in range(size)))
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def compiled(folder: Path, *templates: str, **options: Any) -> list[Path]:
    """A PDF for each template, as the letters' chunks are made."""
    (folder / "logo.png").write_bytes(a_png(12))
    (folder / "dessin.svg").write_text(DRAWING)
    found = []
    for number, template in enumerate(templates, start=1):
        source = '#set document(title: "Lot")\n#set text(lang: "fr")\n' + template.replace("{n}", str(number))
        (folder / "main.typ").write_text(source, encoding="utf-8")
        pdf: Any = typst.compile(
            folder / "main.typ", root=folder, timestamp=0, **{"pdf_standards": ["a-2a", "ua-1"], **options}
        )
        found.append(folder / f"{number}.pdf")
        found[-1].write_bytes(pdf)
    return found


def joined(folder: Path, paths: Sequence[Path], *, blanks: bool = False, name: str = "joined") -> Path:
    volume = TaggedVolume()
    marks = []
    for number, path in enumerate(paths, start=1):
        if blanks and volume.pages % 2:
            volume.add_blank_page()
        marks.append((f"Lecteur {number}", volume.pages))
        volume.add(path)
    volume.save(folder / f"{name}.pdf", marks)
    return folder / f"{name}.pdf"


def spoken(pdf: Path) -> list[str]:
    """The kinds of the elements in the order a screen reader meets them, as deep as they are."""

    def within(element: Any, depth: int) -> Iterator[str]:
        yield f"{depth} {element.S}"
        kids = element.get("/K", ())
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield from within(kid, depth + 1)

    with pikepdf.open(pdf) as file:
        return list(within(file.Root.StructTreeRoot.K[0], 0))[1:]


def texts(*pdfs: Path) -> list[str]:
    found = []
    for pdf in pdfs:
        with pypdf.PdfReader(pdf) as reader:
            found += [page.extract_text() for page in reader.pages]
    return found


def leaves(tree: Any, key: str) -> list[Any]:
    """The entries of a number or name tree, whose limits are true."""
    if key in tree:
        return list(tree[key])
    found = []
    for kid in tree.Kids:
        listed = leaves(kid, key)
        assert [str(limit) for limit in kid.Limits] == [str(listed[0]), str(listed[-2])]
        found += listed
    return found


def elements(file: pikepdf.Pdf) -> list[Any]:
    return [one for one in file.objects if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/StructElem"]


ALL = (PLAIN, TABLE, LINKED, PICTURED, TABLE)


def test_pages_and_what_is_said_of_them_come_in_order(tmp_path: Path) -> None:
    paths = compiled(tmp_path, *ALL)
    pdf = joined(tmp_path, paths)
    assert texts(pdf) == texts(*paths)
    assert spoken(pdf) == [kind for path in paths for kind in spoken(path)]


def test_every_mark_of_every_page_leads_to_an_element_of_this_page(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, *ALL), blanks=True)
    with pikepdf.open(pdf) as file:
        listed = leaves(file.Root.StructTreeRoot.ParentTree, "/Nums")
        numbers = [int(number) for number in listed[::2]]
        assert numbers == sorted(set(numbers))
        assert int(file.Root.StructTreeRoot.ParentTreeNextKey) > numbers[-1]
        parents = dict(zip(numbers, listed[1::2], strict=True))
        for page in file.pages:
            contents = page.obj.get("/Contents")
            marks = {int(mark) for mark in MARKED.findall(contents.read_bytes())} if contents else set()
            for mark in marks:
                element = parents[int(page.obj.StructParents)][mark]
                assert element.Pg.objgen == page.obj.objgen
                while element.S != "/Document":
                    element = element.P
                assert element.objgen == file.Root.StructTreeRoot.K[0].objgen
            for annotation in page.obj.get("/Annots", ()):
                element = parents[int(annotation.StructParent)]
                assert annotation.objgen in [
                    kid.Obj.objgen for kid in element.K if isinstance(kid, pikepdf.Dictionary) and "/Obj" in kid
                ]


def test_headings_and_footnotes_have_names_of_their_own(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, TABLE, PLAIN, TABLE))
    with pikepdf.open(pdf) as file:
        listed = leaves(file.Root.StructTreeRoot.IDTree, "/Names")
        names = [str(name) for name in listed[::2]]
        assert names == sorted(set(names))
        assert [str(element.ID) for element in listed[1::2]] == names
        named = {str(element.S) for element in listed[1::2]}
        assert "/TH" in named
        assert {str(element.ID) for element in elements(file) if "/ID" in element} == set(names)
        of_cells = [
            (element, str(name))
            for element in elements(file)
            if element.S == "/TD"
            for said in element.get("/A", ())
            for name in said.get("/Headers", ())
        ]
        assert len(of_cells) == 4
        headings = dict(zip(names, listed[1::2], strict=True))
        for cell, name in of_cells:
            assert headings[name].Pg.objgen == cell.Pg.objgen


def test_a_link_leads_to_the_page_of_its_own_letter(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, LINKED, PLAIN, LINKED))
    with pikepdf.open(pdf) as file:
        pages = {page.obj.objgen: number for number, page in enumerate(file.pages)}
        found = []
        for number, page in enumerate(file.pages):
            for annotation in page.obj.get("/Annots", ()):
                where = annotation.get("/Dest", annotation.get("/A", {}).get("/D"))
                if isinstance(where, pikepdf.Array):
                    found.append((number, pages[where[0].objgen]))
        assert found == [(0, 1), (3, 4)]


def test_a_picture_is_once_in_the_file_and_drawn_wherever_it_was(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, PICTURED, PLAIN, PICTURED))
    with pikepdf.open(pdf) as file:
        pictures = [one for one in file.objects if isinstance(one, pikepdf.Stream) and "/SMask" in one]
        assert len(pictures) == 1
        figures = [str(one.Alt) for one in elements(file) if one.S == "/Figure"]
        assert figures == ["Logo", "Logo encore", "Dessin"] * 2
        assert [len(page.get_images(recursive=False)) for page in file.pages] == [1, 1, 0, 1, 1]


def test_it_says_what_it_is(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, PLAIN, TABLE), blanks=True)
    with pikepdf.open(pdf) as file:
        assert (file.pdf_version, len(file.pages)) == ("1.7", 4)
        assert file.Root.MarkInfo.Marked
        assert str(file.Root.Lang) == "fr"
        assert "/Filter" not in file.Root.Metadata
        with file.open_metadata() as said:
            assert (said.pdfa_status, said["{http://www.aiim.org/pdfua/ns/id/}part"]) == ("2A", "1")
            assert said["{http://ns.adobe.com/xap/1.0/t/pg/}NPages"] == "4"
            assert said["dc:title"] == str(file.docinfo["/Title"]) == "Lot"
        with file.open_outline() as outline:
            assert [mark.title for mark in outline.root] == ["Lecteur 1", "Lecteur 2"]


def test_the_same_files_give_the_same_bytes_and_others_another_identifier(tmp_path: Path) -> None:
    paths = compiled(tmp_path, PLAIN, TABLE)
    one, same, other = (
        joined(tmp_path, some, name=name) for name, some in (("a", paths), ("b", paths), ("c", paths[::-1]))
    )
    assert one.read_bytes() == same.read_bytes()
    with pikepdf.open(one) as first, pikepdf.open(other) as second:
        assert first.trailer.ID[0] == first.trailer.ID[1] != second.trailer.ID[0]
        assert first.open_metadata()["xmpMM:DocumentID"] != second.open_metadata()["xmpMM:DocumentID"]


def test_two_programs_find_nothing_wrong(tmp_path: Path) -> None:
    pdf = joined(tmp_path, compiled(tmp_path, *ALL), blanks=True)
    find_nothing_wrong(pdf)


def test_a_file_without_tags_is_refused(tmp_path: Path) -> None:
    (path,) = compiled(tmp_path, PLAIN, pdf_standards=[], pdf_tags=False)
    with pytest.raises(NotTagged):
        TaggedVolume().add(path)
