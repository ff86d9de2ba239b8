"""A PDF out of the pieces of several processes, archivable (PDF/A-2a, ISO 19005-2) and accessible (PDF/UA-1, 14289-1).

Pieces are written as they come and forgotten: a volume of any length costs the memory of its table of objects. Object
streams and the table's own stream are those of ISO 32000-1, 7.5.7 and 7.5.8.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from loan_reminders.rendering.letters.pieces import MARK, PieceObjects

_CATALOG, _PAGES, _TREE, _DOCUMENT = 1, 2, 3, 4
_PER_STREAM = 200
_NUMBER_OF_PAGES = re.compile(r"(<xmpTPg:NPages>)\d+(</xmpTPg:NPages>)")


class Volume:
    """A PDF being written to `path`. `finish` makes it whole, without it the file is of no use; `close` in any case."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._offset = 0
        self._places: list[tuple[int, int, int]] = [(0, 0, 65535)] + [(0, 0, 0)] * _DOCUMENT
        self._plain: list[tuple[int, str]] = []
        self._first: PieceObjects | None = None
        self._intents = ""
        self._pages: list[int] = []
        self._nodes: list[tuple[int, int]] = []
        self._kids: list[str] = []
        self._key_nodes: list[str] = []
        self._name_nodes: list[str] = []
        self._next_key = 0
        self._pieces = 0
        self._shared: dict[str, int] = {}
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def pages(self) -> int:
        """Pages written so far, blank ones too."""
        return len(self._pages)

    def add(self, piece: PieceObjects, blob: bytes) -> None:
        """Write the pages of a piece after those there are, with their part of the structure tree."""
        node = self._reserve()
        numbers = _Numbers(
            prefix=f"{self._pieces:06d}-",
            first_key=self._next_key,
            known={piece.root_pages: node, piece.tree: _TREE, piece.document: _DOCUMENT},
        )
        known = {local: digest for local, digest in piece.shared if digest in self._shared}
        for local, digest in known.items():
            numbers.give(local, self._shared[digest])
        for local in (*(number for number, _ in piece.objects), *(number for number, *_ in piece.streams)):
            if local not in known:
                numbers.give(local, self._reserve())
        self._shared |= {digest: numbers.of(local) for local, digest in piece.shared}
        for local, text in piece.objects:
            if local not in known:
                self._keep(numbers.of(local), numbers.fill(text))
        self._flush()
        at = 0
        for local, text, length in piece.streams:
            if local not in known:
                self._stream(numbers.of(local), numbers.fill(text), blob[at : at + length])
            at += length
        pages = [numbers.of(number) for number in piece.pages]
        self._keep(node, f"<</Type/Pages/Parent {_PAGES} 0 R/Count {len(pages)}/Kids[{_references(pages)}]>>")
        self._nodes.append((node, len(pages)))
        self._pages += pages
        self._kids += map(numbers.fill, piece.kids)
        if piece.keys:
            self._key_nodes.append(self._key_node(piece, numbers))
            self._next_key += piece.keys[-1][0] + 1
        if piece.names:
            self._name_nodes.append(self._name_node(piece, numbers))
        if self._first is None:
            self._first, self._intents = piece, numbers.fill(piece.intents)
        self._pieces += 1

    def add_blank_page(self, *, width: float = 595.2756, height: float = 841.8898) -> None:
        """An empty A4 page, so that what follows begins on the front of a sheet."""
        number = self._reserve()
        self._keep(number, f"<</Type/Page/Parent {_PAGES} 0 R/MediaBox[0 0 {width} {height}]/Resources<<>>/Tabs/S>>")
        self._nodes.append((number, 1))
        self._pages.append(number)

    def finish(self, bookmarks: Sequence[tuple[str, int]]) -> None:
        """Close the file with its bookmarks: (title, page from 0). Needs one piece at least."""
        first = self._first
        if first is None:
            raise ValueError("a volume needs a piece")
        outlines = self._outline(bookmarks)
        kids = self._added(f"[{' '.join(self._kids)}]")
        keys = self._added(f"<</Kids[{' '.join(self._key_nodes)}]>>")
        names = f"/IDTree<</Kids[{' '.join(self._name_nodes)}]>>" if self._name_nodes else ""
        self._keep(_DOCUMENT, f"<</Type/StructElem/S/Document/P {_TREE} 0 R/K {kids} 0 R>>")
        self._keep(
            _TREE,
            f"<</Type/StructTreeRoot/K[{_DOCUMENT} 0 R]/ParentTree {keys} 0 R/ParentTreeNextKey {self._next_key}"
            f"/RoleMap {first.roles}{names}>>",
        )
        nodes = " ".join(f"{number} 0 R" for number, _ in self._nodes)
        self._keep(_PAGES, f"<</Type/Pages/Count {len(self._pages)}/Kids[{nodes}]>>")
        info = self._added(first.info)
        self._flush()
        identifier = self._digest.hexdigest()[:32].upper()
        metadata = self._reserve()
        xmp = _NUMBER_OF_PAGES.sub(rf"\g<1>{len(self._pages)}\g<2>", first.metadata)
        xmp = xmp.replace(first.identifier, identifier)
        self._stream(metadata, "<</Type/Metadata/Subtype/XML>>", xmp.encode("utf-8"))
        self._keep(
            _CATALOG,
            f"<</Type/Catalog/Pages {_PAGES} 0 R/StructTreeRoot {_TREE} 0 R/MarkInfo<</Marked true/Suspects false>>"
            f"/Lang({first.language})/Metadata {metadata} 0 R/OutputIntents {self._intents}/Outlines {outlines} 0 R"
            "/PageMode/UseOutlines/ViewerPreferences<</DisplayDocTitle true/Direction/L2R>>>>",
        )
        self._flush()
        self._table(info, identifier)

    def _key_node(self, piece: PieceObjects, numbers: _Numbers) -> str:
        first, last = (self._next_key + piece.keys[place][0] for place in (0, -1))
        pairs = " ".join(f"{self._next_key + key} {numbers.fill(text)}" for key, text in piece.keys)
        return f"{self._added(f'<</Limits[{first} {last}]/Nums[{pairs}]>>')} 0 R"

    def _name_node(self, piece: PieceObjects, numbers: _Numbers) -> str:
        pairs = sorted((f"{numbers.prefix}{name}", numbers.fill(text)) for name, text in piece.names)
        listed = " ".join(f"({name}) {text}" for name, text in pairs)
        return f"{self._added(f'<</Limits[({pairs[0][0]})({pairs[-1][0]})]/Names[{listed}]>>')} 0 R"

    def _outline(self, bookmarks: Sequence[tuple[str, int]]) -> int:
        top = self._reserve()
        marks = [self._reserve() for _ in bookmarks]
        for place, (title, page) in enumerate(bookmarks):
            before = f"/Prev {marks[place - 1]} 0 R" if place else ""
            after = f"/Next {marks[place + 1]} 0 R" if place + 1 < len(marks) else ""
            words = title.encode("utf-16-be").hex().upper()
            self._keep(
                marks[place],
                f"<</Title<FEFF{words}>/Parent {top} 0 R{before}{after}/Dest[{self._pages[page]} 0 R/XYZ 0 842 0]>>",
            )
        ends = f"/First {marks[0]} 0 R/Last {marks[-1]} 0 R/Count {len(marks)}" if marks else ""
        self._keep(top, f"<</Type/Outlines{ends}>>")
        return top

    def _reserve(self) -> int:
        self._places.append((0, 0, 0))
        return len(self._places) - 1

    def _added(self, text: str) -> int:
        number = self._reserve()
        self._keep(number, text)
        return number

    def _keep(self, number: int, text: str) -> None:
        self._plain.append((number, text))
        if len(self._plain) == _PER_STREAM:
            self._flush()

    def _flush(self) -> None:
        """Write the plain objects that wait, as one object stream."""
        if not self._plain:
            return
        container = self._reserve()
        heads, bodies, at = [], [], 0
        for place, (number, text) in enumerate(self._plain):
            body = text.encode("latin-1")
            heads.append(f"{number} {at}")
            bodies.append(body)
            at += len(body) + 1
            self._places[number] = (2, container, place)
        head = " ".join(heads).encode("ascii") + b"\n"
        packed = zlib.compress(head + b"\n".join(bodies), 6)
        self._stream(container, f"<</Type/ObjStm/N {len(bodies)}/First {len(head)}/Filter/FlateDecode>>", packed)
        self._plain = []

    def _stream(self, number: int, dictionary: str, content: bytes) -> None:
        self._places[number] = (1, self._offset, 0)
        words = f"{dictionary.removesuffix('>>').rstrip()}/Length {len(content)}>>"
        self._write(f"{number} 0 obj\n{words}\nstream\n".encode("latin-1"))
        self._write(content)
        self._write(b"\nendstream\nendobj\n")

    def _table(self, info: int, identifier: str) -> None:
        number = self._reserve()
        start = self._offset
        self._places[number] = (1, start, 0)
        rows = b"".join(
            kind.to_bytes(1, "big") + where.to_bytes(5, "big") + place.to_bytes(2, "big")
            for kind, where, place in self._places
        )
        self._stream(
            number,
            f"<</Type/XRef/Size {len(self._places)}/W[1 5 2]/Root {_CATALOG} 0 R/Info {info} 0 R"
            f"/ID[<{identifier}><{identifier}>]/Filter/FlateDecode>>",
            zlib.compress(rows, 6),
        )
        self._write(f"startxref\n{start}\n%%EOF\n".encode("ascii"))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self._offset += len(content)


class _Numbers:
    """What a piece's markers stand for in the volume."""

    def __init__(self, *, prefix: str, first_key: int, known: dict[int, int]) -> None:
        self.prefix = prefix
        self._first_key = first_key
        self._known = {str(local): number for local, number in known.items()}
        self._words = {local: f"{number} 0 R" for local, number in self._known.items()} | {"i": prefix}

    def give(self, local: int, number: int) -> None:
        self._known[str(local)] = number
        self._words[str(local)] = f"{number} 0 R"

    def of(self, local: int) -> int:
        return self._known[str(local)]

    def fill(self, text: str) -> str:
        parts = text.split(MARK)
        parts[1::2] = map(self._word, parts[1::2])
        return "".join(parts)

    def _word(self, marker: str) -> str:
        word = self._words.get(marker)
        return str(self._first_key + int(marker.removeprefix("p"))) if word is None else word


def _references(numbers: Sequence[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)
