"""A tagged PDF taken apart, so that the letters of several processes become one file and stay tagged.

A piece is what one process laid out: the objects of its pages and of their structure tree (ISO 32000-1, 14.7), with a
marker wherever an object number, a key of the parent tree or a name of an element stands. The file that takes the piece
in (`volumes`) puts its own numbers there, so that nothing is read twice and one piece at a time is in memory.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "\x00"
"""On both sides of what is filled in: a local object number, `p` and a local key, `i` for the piece's own prefix."""

_TOKENS = re.compile(
    r"/ID \((?P<id>(?:\\.|[^\\)])*)\)"
    r"|/Headers \[(?P<headers>[^\]]*)\]"
    r"|(?P<string>\((?:\\.|[^\\)])*\)|<[0-9a-fA-F]*>)"
    r"|(?P<key>/StructParents?) (?P<number>\d+)"
    r"|\b(?P<object>\d+) 0 R",
    re.DOTALL,
)
_REFERENCE = re.compile(f"{MARK}(\\d+){MARK}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceObjects:
    """The parts of a laid out PDF, as `separate` writes and a volume reads them.

    `pages`, `tree` (structure root), `document` (its one element) and `root_pages` are local object numbers. `kids` are
    the document element's, `keys` the parent tree's (key, object), `names` the table headings' (name, object).
    `objects` holds text by local number, `streams` (number, dictionary, length) in the order of the bytes after it.
    `shared` gives pictures and what they are made of a digest: those of one digest are one in the volume.
    """

    pages: list[int]
    tree: int
    document: int
    root_pages: int
    kids: list[str]
    keys: list[tuple[int, str]]
    names: list[tuple[str, str]]
    roles: str
    intents: str
    info: str
    metadata: str
    identifier: str
    language: str
    objects: list[tuple[int, str]]
    streams: list[tuple[int, str, int]]
    shared: list[tuple[int, str]]


def separate(pdf: bytes, output: Path) -> None:
    """Write a piece file from a tagged PDF. Raises ValueError for a PDF without a structure tree of one document."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as source:
        root = source.Root
        if "/StructTreeRoot" not in root:
            raise ValueError("le PDF n'est pas balisé")
        tree = root.StructTreeRoot
        if len(tree.K) != 1:
            raise ValueError("la structure du PDF n'a pas un seul document")
        document = tree.K[0]
        nums, names = tree.ParentTree.Nums, tree.get("/IDTree", pikepdf.Dictionary(Names=[])).Names
        special = {tree.objgen[0], document.objgen[0], root.Pages.objgen[0]}
        starts = [page.obj.objgen[0] for page in source.pages]
        kids = [_marked(kid.unparse()) for kid in document.K]
        keys = [(int(nums[place]), _marked(nums[place + 1].unparse())) for place in range(0, len(nums), 2)]
        headings = [
            (bytes(names[place]).decode("latin-1"), _marked(names[place + 1].unparse()))
            for place in range(0, len(names), 2)
        ]
        intents = _marked(root.OutputIntents.unparse(resolved=True))
        doors = [*map(_mark, starts), *kids, *(text for _, text in keys), intents]
        objects, streams, blob = _reached(source, doors, special)
        piece = {
            "pages": starts,
            "tree": tree.objgen[0],
            "document": document.objgen[0],
            "root_pages": root.Pages.objgen[0],
            "kids": kids,
            "keys": keys,
            "names": headings,
            "roles": _text(tree.get("/RoleMap", pikepdf.Dictionary()).unparse(resolved=True)),
            "intents": intents,
            "info": _text(source.trailer.Info.unparse(resolved=True)),
            "metadata": root.Metadata.read_raw_bytes().decode("utf-8"),
            "identifier": bytes(source.trailer.ID[0]).decode("latin-1"),
            "language": str(root.Lang),
            "objects": objects,
            "streams": streams,
            "shared": _shared(objects, streams, blob),
        }
    with output.open("wb") as file:
        file.write(json.dumps(piece).encode("ascii"))
        file.write(b"\n")
        file.writelines(blob)


def read_piece(path: Path) -> tuple[PieceObjects, bytes]:
    """A piece and the bytes of its streams, one after the other."""
    content = path.read_bytes()
    head, _, blob = content.partition(b"\n")
    return PieceObjects(**json.loads(head)), blob


def _reached(
    source: Any, starts: list[str], special: set[int]
) -> tuple[list[tuple[int, str]], list[tuple[int, str, int]], list[bytes]]:
    """Every object that pages and structure lead to: plain ones, streams, and the bytes of the streams."""
    import pikepdf

    objects: list[tuple[int, str]] = []
    streams: list[tuple[int, str, int]] = []
    blob: list[bytes] = []
    waiting = [number for text in starts for number in _references(text)]
    seen = set(special)
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        found = source.get_object((number, 0))
        if isinstance(found, pikepdf.Stream):
            content = found.read_raw_bytes()
            words = {key: value for key, value in found.stream_dict.items() if key != "/Length"}
            text = _marked(pikepdf.Dictionary(words).unparse())
            streams.append((number, text, len(content)))
            blob.append(content)
        else:
            text = _marked(found.unparse(resolved=True))
            objects.append((number, text))
        waiting += _references(text)
    order = sorted(range(len(streams)), key=lambda place: streams[place][0])
    return sorted(objects), [streams[place] for place in order], [blob[place] for place in order]


def _shared(
    objects: list[tuple[int, str]], streams: list[tuple[int, str, int]], blob: list[bytes]
) -> list[tuple[int, str]]:
    """Pictures, and what they refer to, each with a digest of all it says."""
    texts = dict(objects) | {number: text for number, text, _ in streams}
    contents = {number: content for (number, *_), content in zip(streams, blob, strict=True)}
    found: dict[int, str] = {}
    for number, text, _ in streams:
        if "/Subtype /Image" in text:
            _digest(number, texts, contents, found)
    return sorted(found.items())


def _digest(number: int, texts: Mapping[int, str], contents: Mapping[int, bytes], found: dict[int, str]) -> str:
    if number not in found:
        found[number] = ""  # a picture cannot contain itself; a wrong one is only not shared with another
        said = _REFERENCE.sub(lambda part: _digest(int(part[1]), texts, contents, found), texts[number])
        found[number] = hashlib.sha256(said.encode("latin-1") + contents.get(number, b"")).hexdigest()
    return found[number]


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def _mark(number: int) -> str:
    return f"{MARK}{number}{MARK}"


def _marked(raw: bytes) -> str:
    text = _text(raw)
    if MARK in text:
        raise ValueError("un caractère nul dans le PDF")
    return _TOKENS.sub(_replaced, text)


def _replaced(found: re.Match[str]) -> str:
    if (number := found["object"]) is not None:
        return f"{MARK}{number}{MARK}"
    if found["string"] is not None:
        return found.group()
    if found["id"] is not None:
        return f"/ID ({MARK}i{MARK}{found['id']})"
    if found["headers"] is not None:
        return "/Headers [" + found["headers"].replace("(", f"({MARK}i{MARK}") + "]"
    return f"{found['key']} {MARK}p{found['number']}{MARK}"


def _references(text: str) -> Iterator[int]:
    return map(int, _REFERENCE.findall(text))
