"""One PDF out of several that the page engine made, with their tags: still PDF/A-2a and PDF/UA-1.

Pages alone are easily put together; what is said of them (the structure tree, ISO 32000-1, 14.7) is one tree a file. So
each file's tree is joined to the one tree here: its elements under the one document element, its pages under numbers
and its table headings under names that no other file has.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pikepdf import Object, Pdf

_OF_THE_CATALOG = ("/MarkInfo", "/Lang", "/Metadata", "/ViewerPreferences", "/OutputIntents")
"""What the first file says of itself that is true of all."""

_ROWS, _CELLS = ("/THead", "/TBody", "/TFoot", "/TR"), ("/TH", "/TD")
"""The elements of a table (ISO 32000-1, 14.8.4.3.4)."""

_VERSION = "1.7"
"""That of PDF/A-2: nothing here needs more."""

_TOP = 842
"""The top of an A4 page, where a bookmark leads, in points from its foot."""


class NotTagged(ValueError):
    """A PDF without the tree of one document. Never of the engine's making: it tags whatever it lays out."""


class TaggedVolume:
    """A PDF being put together in memory; `save` writes it.

    It takes about 0.1 MB a letter of two pages. All files added come from one engine and one run of it: what the first
    says of its title, its language and its norms goes for all.
    """

    def __init__(self) -> None:
        import pikepdf

        self._pdf: Pdf = pikepdf.new()
        self._tree: Any = None
        self._elements: list[Object] = []
        self._numbers: list[Object] = []
        self._names: list[Object] = []
        self._next_number = 0
        self._files = 0
        self._digest = hashlib.sha256()
        self._pictures: dict[bytes, Object] = {}

    @property
    def pages(self) -> int:
        """Pages so far, blank ones too."""
        return len(self._pdf.pages)

    def add(self, path: Path) -> None:
        """Put the pages of a file behind those there are; the file is not needed any more. Raises NotTagged."""
        import pikepdf

        content = path.read_bytes()
        self._digest.update(content)
        with pikepdf.open(io.BytesIO(content)) as source:
            tree: Any = source.Root.get("/StructTreeRoot")
            if tree is None or len(tree.K) != 1:
                raise NotTagged("a PDF without the tree of one document")
            self._rename(source, tree)
            copied = self._copy(source, tree)
        if self._tree is None:
            self._tree = self._pdf.Root.StructTreeRoot = copied
        elements, root_element = list(copied.K[0].K), self._tree.K[0]
        for element in elements:
            element.P = root_element
        self._elements += elements
        self._numbers += self._branch(copied.ParentTree, "/Nums")
        if "/IDTree" in copied:
            self._names += self._branch(copied.IDTree, "/Names")
        self._files += 1

    def add_blank_page(self, *, width: float = 595.2756, height: float = 841.8898) -> None:
        """An empty A4 page, so that what follows begins on the front of a sheet."""
        from pikepdf import Array, Dictionary, Name, Page

        page = Dictionary(Type=Name.Page, MediaBox=Array([0, 0, width, height]), Resources=Dictionary(), Tabs=Name.S)
        self._pdf.pages.append(Page(self._pdf.make_indirect(page)))

    def save(self, path: Path, bookmarks: Sequence[tuple[str, int]]) -> None:
        """Write it with its bookmarks: (title, page from 0). The same files give the same bytes. Needs one at least."""
        from pikepdf import Array, Dictionary, Name, ObjectStreamMode

        pdf, tree = self._pdf, self._tree
        tree.K[0].K = pdf.make_indirect(Array(self._elements))
        tree.ParentTree = pdf.make_indirect(Dictionary(Kids=Array(self._numbers)))
        tree.ParentTreeNextKey = self._next_number
        if self._names:
            tree.IDTree = pdf.make_indirect(Dictionary(Kids=Array(self._names)))
        self._bookmark(bookmarks)
        pdf.Root.PageMode = Name.UseOutlines
        self._say_of_itself()
        pdf.save(path, deterministic_id=True, object_stream_mode=ObjectStreamMode.generate, min_version=_VERSION)

    def _rename(self, source: Pdf, tree: Any) -> None:
        """Give a file's pages and table headings numbers and names that no file before it has."""
        from pikepdf import Array, Name, String

        first, prefix = self._next_number, f"{self._files:06d}-".encode("ascii")
        self._next_number += int(tree.ParentTreeNextKey)
        numbers = tree.ParentTree.Nums
        for place in range(0, len(numbers), 2):
            numbers[place] = int(numbers[place]) + first
        for one in _numbered(source):
            for key in (Name.StructParents, Name.StructParent):
                if key in one:
                    one[key] = int(one[key]) + first
        if Name.IDTree not in tree:
            return
        names = tree.IDTree.Names
        headings = [names[place] for place in range(1, len(names), 2)]
        for place, heading in enumerate(headings):
            names[2 * place] = heading.ID = String(prefix + bytes(names[2 * place]))
        for cell in _cells_under(headings):
            for said in _listed(cell.get("/A", ())):
                if Name.Headers in said:
                    said.Headers = Array([String(prefix + bytes(name)) for name in said.Headers])

    def _copy(self, source: Pdf, tree: Any) -> Any:
        """Take the pages, then the tree, which finds its pages here; returns the tree as it is here."""
        pdf, before = self._pdf, self.pages
        pdf.pages.extend(source.pages)
        for holder, name, drawing in _drawings(pdf.pages[place] for place in range(before, self.pages)):
            if drawing.get("/Subtype") == "/Image":
                holder[name] = self._pictures.setdefault(_digest(drawing), drawing)
        if self._tree is None:
            from pikepdf import Dictionary

            said = {key: source.Root[key] for key in _OF_THE_CATALOG if key in source.Root}
            for key, value in pdf.copy_foreign(source.make_indirect(Dictionary(said))).items():
                pdf.Root[key] = value
            for key, value in source.docinfo.items():
                pdf.docinfo[key] = value
        return pdf.copy_foreign(tree)

    def _branch(self, node: Any, key: str) -> list[Object]:
        """The part of a number or name tree (ISO 32000-1, 7.9.6 and 7.9.7) that one file brings."""
        from pikepdf import Array, Dictionary

        listed = node[key]
        if not len(listed):
            return []
        limits = Array([listed[0], listed[len(listed) - 2]])
        return [self._pdf.make_indirect(Dictionary({"/Limits": limits, key: listed}))]

    def _bookmark(self, bookmarks: Iterable[tuple[str, int]]) -> None:
        from pikepdf import OutlineItem, PageLocation

        with self._pdf.open_outline() as outline:
            outline.root.extend(
                OutlineItem(title, page, PageLocation.XYZ, left=0, top=_TOP, zoom=0) for title, page in bookmarks
            )

    def _say_of_itself(self) -> None:
        """In the file's metadata (XMP): how many pages it has, and an identifier of its own."""
        identifier = self._digest.hexdigest()[:32]
        with self._pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["{http://ns.adobe.com/xap/1.0/t/pg/}NPages"] = str(self.pages)
            metadata["xmpMM:DocumentID"] = metadata["xmpMM:InstanceID"] = identifier


def _numbered(source: Pdf) -> Iterator[Any]:
    """Whatever the parent tree of a file may number: pages, their annotations, drawings used by several."""
    for page in source.pages:
        yield page.obj
        yield from page.obj.get("/Annots", ())
    for _, _, drawing in _drawings(source.pages):
        yield drawing


def _drawings(pages: Iterable[Any]) -> Iterator[tuple[Any, str, Any]]:
    """Each picture or drawing that pages use, once, with the dictionary that names it and its name there."""
    waiting = [page.obj for page in pages]
    seen: set[tuple[int, int]] = set()
    while waiting:
        holder = waiting.pop().get("/Resources", {}).get("/XObject", {})
        for name, drawing in list(holder.items()):
            if drawing.objgen not in seen:
                seen.add(drawing.objgen)
                yield holder, name, drawing
                waiting.append(drawing)


def _cells_under(headings: Iterable[Any]) -> Iterator[Any]:
    """All cells of the tables that have these headings."""
    tables: dict[tuple[int, int], Any] = {}
    for element in headings:
        while element.S != "/Table":
            element = element.P
        tables.setdefault(element.objgen, element)
    waiting = list(tables.values())
    while waiting:
        for part in _listed(waiting.pop().K):
            kind = part.get("/S")
            if kind in _CELLS:
                yield part
            elif kind in _ROWS:
                waiting.append(part)


def _listed(value: Any) -> Iterable[Any]:
    """What may stand alone or in a list, as a list."""
    from pikepdf import Dictionary

    return (value,) if isinstance(value, Dictionary) else value


def _digest(value: Any) -> bytes:
    """What makes a picture the same as another: all that it says and all that it is made of."""
    from pikepdf import Array, Dictionary, Stream

    if isinstance(value, Stream):
        parts = [value.read_raw_bytes(), _digest(Dictionary(value.stream_dict))]
    elif isinstance(value, Dictionary):
        parts = [part for key, said in sorted(value.items()) for part in (key.encode(), _digest(said))]
    elif isinstance(value, Array):
        parts = [_digest(said) for said in value]
    else:
        parts = [str(value).encode()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d " % len(part) + part)
    return digest.digest()
