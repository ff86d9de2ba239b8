"""One PDF out of several that the page engine made, with their tags: still PDF/A-2a and PDF/UA-1.

Pages alone are easily put together; what is said of them (the structure tree, ISO 32000-1, 14.7) is one tree a file. So
each file's tree is joined to the one tree here: its elements under the one document element, its pages under numbers
and its table headings and footnotes under names that no other file has.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loan_reminders.rendering.private_files import open_private

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
        with open_private(path) as file:
            pdf.save(file, deterministic_id=True, object_stream_mode=ObjectStreamMode.generate, min_version=_VERSION)

    def _rename(self, source: Pdf, tree: Any) -> None:
        """Give a file's pages numbers, and its elements names, that no file before it has."""
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
        named = [names[place] for place in range(1, len(names), 2)]
        for place, element in enumerate(named):
            names[2 * place] = element.ID = String(prefix + bytes(names[2 * place]))
        for cell in _cells_beside(named):
            for said in _listed(cell.get("/A", ())):
                if Name.Headers in said:
                    said.Headers = Array([String(prefix + bytes(name)) for name in said.Headers])

    def _copy(self, source: Pdf, tree: Any) -> Any:
        """Take the pages, then the tree, which finds its pages here; returns the tree as it is here."""
        pdf, before = self._pdf, self.pages
        _lead_to_pages(source)
        pdf.pages.extend(source.pages)
        self._share_pictures(pdf.pages[place].obj for place in range(before, self.pages))
        if self._tree is None:
            self._say_the_same(source)
        return pdf.copy_foreign(tree)

    def _share_pictures(self, pages: Iterable[Any]) -> None:
        """Let pages use the picture that is here already instead of the same one again: a logo is once in a file."""
        shared: dict[tuple[int, int], Object] = {}
        for holder, name, drawing in _drawings(pages):
            if drawing.get("/Subtype") == "/Image":
                if drawing.objgen not in shared:
                    shared[drawing.objgen] = self._pictures.setdefault(_digest(drawing), drawing)
                holder[name] = shared[drawing.objgen]

    def _say_the_same(self, source: Pdf) -> None:
        """Say of this file what the first says of itself."""
        from pikepdf import Dictionary

        said = {key: source.Root[key] for key in _OF_THE_CATALOG if key in source.Root}
        for key, value in self._pdf.copy_foreign(source.make_indirect(Dictionary(said))).items():
            self._pdf.Root[key] = value
        for key, value in source.docinfo.items():
            self._pdf.docinfo[key] = value

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
    """Whatever the parent tree of a file may number: pages, their annotations, the drawings they use."""
    pages = [page.obj for page in source.pages]
    for page in pages:
        yield page
        yield from page.get("/Annots", ())
    yield from {drawing.objgen: drawing for _, _, drawing in _drawings(pages)}.values()


def _lead_to_pages(source: Pdf) -> None:
    """Let links within a file lead to a page instead of to a name, which other files have too."""
    from pikepdf import NameTree, String

    names = source.Root.get("/Names", {}).get("/Dests")
    if names is None:
        return
    places = NameTree(names)
    for annotation in (one for page in source.pages for one in page.obj.get("/Annots", ())):
        name = annotation.get("/Dest")
        if isinstance(name, String) and str(name) in places:
            annotation.Dest = places[str(name)]


def _drawings(pages: Iterable[Any]) -> Iterator[tuple[Any, str, Any]]:
    """Each use of a picture or a drawing: the dictionary that names it, its name there, and itself."""
    waiting = list(pages)
    seen: set[tuple[int, int]] = set()
    while waiting:
        resources = waiting.pop().get("/Resources", {})
        if getattr(resources, "is_indirect", False):
            if resources.objgen in seen:
                continue
            seen.add(resources.objgen)
        holder = resources.get("/XObject", {})
        for name, drawing in list(holder.items()):
            yield holder, name, drawing
            if drawing.objgen not in seen:
                seen.add(drawing.objgen)
                waiting.append(drawing)


def _cells_beside(named: Iterable[Any]) -> Iterator[Any]:
    """All cells of the tables in which some of these elements are; other elements have names too, such as footnotes."""
    tables: dict[tuple[int, int], Any] = {}
    for element in named:
        while (kind := element.get("/S")) is not None and kind != "/Table":
            element = element.P
        if kind is not None:
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
