"""One process that lays out the file of a loan, appends the letters' own pages, and ends.

Run as `python -m loan_reminders.rendering.dispute.worker` with a job in JSON on the standard input; the answer, in
JSON, is alone on the standard output. A job holds a reader's data: it travels neither by the command line nor by a
file.
"""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

STANDARD: Final = "a-2a"
"""PDF/A-2a (ISO 19005-2); with letters behind it that are PDF/A-2 too the file says 2b, with others nothing."""

_MOST_LAYOUTS = 5
_PAGE_KEYS = frozenset({"/Contents", "/CropBox", "/MediaBox", "/Parent", "/Resources", "/Rotate", "/Type"})


class _Faulty(Exception):
    """The template cannot be laid out; the message says so in French."""


def make(job: dict[str, Any]) -> dict[str, Any]:
    """Lay out `facts` by the template `main` below `root`, with the pages `pieces` behind it, into the PDF `output`.

    A piece is a `path` (None: the file could not be had), its `first` and `last` page from 1, and its `title`.
    Answers the `pages` of the whole and how many pieces are `missing`, or `fault`.
    """
    import pikepdf

    opened: list[Any] = []
    try:
        for piece in job["pieces"]:
            opened.append(_open(pikepdf, piece))
        lengths = [
            0 if source is None else piece["last"] - piece["first"] + 1
            for source, piece in zip(opened, job["pieces"], strict=True)
        ]
        try:
            summary = _summary(pikepdf, job, lengths)
        except _Faulty as faulty:
            return {"fault": str(faulty)}
        pages = _bind(pikepdf, summary, job, opened)
    finally:
        for source in opened:
            if source is not None:
                source.close()
    return {"pages": pages, "missing": lengths.count(0)}


def _open(pikepdf: Any, piece: dict[str, Any]) -> Any:
    """The stored PDF of a piece; None when it is gone, is no PDF, or has not its pages."""
    if piece["path"] is None:
        return None
    try:
        source = pikepdf.open(piece["path"])
    except pikepdf.PdfError:
        return None
    if 0 < piece["first"] <= piece["last"] <= len(source.pages):
        return source
    source.close()
    return None


def _summary(pikepdf: Any, job: dict[str, Any], lengths: list[int]) -> bytes:
    """The pages of the template, laid out again until what they say of their own number is true."""
    own = 1
    for _ in range(_MOST_LAYOUTS):
        places, next_page = [], own + 1
        for length in lengths:
            places.append([next_page, next_page + length - 1] if length else [])
            next_page += length
        pdf = _compile(job, {"pages": next_page - 1, "pieces": places})
        with pikepdf.open(io.BytesIO(pdf)) as read:
            found = len(read.pages)
        if found == own:
            return pdf
        own = found
    raise _Faulty("le nombre de pages ne se stabilise pas")


def _compile(job: dict[str, Any], layout: dict[str, Any]) -> bytes:
    """One layout: it reaches nothing outside `root`, no system font, and no package."""
    import typst

    root = job["root"]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[job["fonts"]])
    compiler = typst.Compiler(
        str(Path(root) / job["main"]),
        root=root,
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(job["facts"]), "layout": json.dumps(layout)},
        package_path=root,
        package_cache_path=root,
    )
    try:
        pdf: Any = compiler.compile(
            format="pdf", timestamp=datetime.fromisoformat(job["timestamp"]), pdf_standards=[STANDARD]
        )
    except typst.TypstError as error:
        # What is in quotes may be what was to be written.
        message = re.sub(r'"[^"]*"', "…", error.message)
        raise _Faulty(f"Typst répond « {message} »") from None
    return bytes(pdf)


def _bind(pikepdf: Any, summary: bytes, job: dict[str, Any], opened: list[Any]) -> int:
    """Append the pieces with their bookmarks; the same summary and pieces give the same bytes."""
    with pikepdf.open(io.BytesIO(summary)) as bound:
        marks, archivable = [], True
        for source, piece in zip(opened, job["pieces"], strict=True):
            if source is None:
                continue
            marks.append((piece["title"], len(bound.pages)))
            archivable = archivable and source.open_metadata().pdfa_status.startswith("2")
            for number in range(piece["first"] - 1, piece["last"]):
                bound.pages.append(source.pages[number])
                page = bound.pages[-1].obj
                for key in set(page.keys()) - _PAGE_KEYS:
                    # Marks of another file's structure tree would be read in this one's.
                    del page[key]
        if marks:
            with bound.open_outline() as outline:
                outline.root.extend(pikepdf.OutlineItem(title, page) for title, page in marks)
            _promise(bound, archivable=archivable)
        pages = len(bound.pages)
        bound.save(job["output"], deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return pages


def _promise(bound: Any, *, archivable: bool) -> None:
    """Say of the whole file what is true of all its pages."""
    with bound.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        if archivable:
            metadata["pdfaid:conformance"] = "B"
        else:
            for key in [key for key in metadata if key.startswith("{http://www.aiim.org/pdfa/ns/id/}")]:
                del metadata[key]


def main() -> None:
    """Do the job that comes on the standard input; `unwritable` in the answer says that the disk refused the file."""
    job = json.load(sys.stdin.buffer)
    try:
        answer = make(job)
    except OSError as error:
        answer = {"unwritable": error.strerror or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
