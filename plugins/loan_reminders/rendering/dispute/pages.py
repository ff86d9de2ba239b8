"""The pages of a loan's file: those of its template, then the letters' own.

Done in a process that can be stopped (`preloaded_process`), because stored files come from anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypedDict

from loan_reminders.rendering.compile_pdf import PdfJob, compile_pdf, without_quotes

MAKE_FILE: Final = "make_dispute_file"
"""What `process_pool` calls this work."""

_MOST_LAYOUTS = 5
_PAGE_KEYS = frozenset({"/Contents", "/CropBox", "/MediaBox", "/Parent", "/Resources", "/Rotate", "/Type"})


class Piece(TypedDict):
    """A letter to append: pages `first` to `last` (from 1) of the PDF `path`, None when it could not be had."""

    path: str | None
    first: int
    last: int
    title: str


class FileJob(TypedDict):
    """A file to make: `summary` lays out the template's pages, `pieces` come behind them, `output` is all of it."""

    summary: PdfJob
    pieces: list[Piece]
    output: str


class FileAnswer(TypedDict, total=False):
    """`pages` of the whole and how many pieces are `missing`; or `fault`, why there is no file, in French."""

    pages: int
    missing: int
    fault: str


class _Faulty(Exception):
    """The template cannot be laid out; the message says so in French."""


def make_file(job: FileJob) -> FileAnswer:
    """Lay out the summary, append the pieces, write the whole. Raises OSError when the disk refuses a file.

    The summary is PDF/A-2a; with letters behind it that are PDF/A-2 too the whole says 2b, with others nothing.
    """
    opened: list[Any] = []
    try:
        for piece in job["pieces"]:
            opened.append(_open(piece))
        lengths = [
            0 if source is None else piece["last"] - piece["first"] + 1
            for source, piece in zip(opened, job["pieces"], strict=True)
        ]
        try:
            _lay_out_summary(job["summary"], lengths)
        except _Faulty as faulty:
            return {"fault": str(faulty)}
        pages = _bind(job, opened)
    finally:
        for source in opened:
            if source is not None:
                source.close()
    return {"pages": pages, "missing": lengths.count(0)}


def _open(piece: Piece) -> Any:
    """The stored PDF of a piece; None when it is gone, is no PDF, or has not its pages."""
    import pikepdf

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


def _lay_out_summary(job: PdfJob, lengths: Sequence[int]) -> None:
    """Lay the template out, again until what it says of its own number of pages is true."""
    import pikepdf

    own = 1
    for _ in range(_MOST_LAYOUTS):
        places, next_page = [], own + 1
        for length in lengths:
            places.append([next_page, next_page + length - 1] if length else [])
            next_page += length
        layout = {"pages": next_page - 1, "pieces": places}
        answer = compile_pdf({**job, "inputs": {**job["inputs"], "layout": layout}})
        if "fault" in answer:
            raise _Faulty(f"Typst répond « {without_quotes(answer['fault'])} »")
        with pikepdf.open(job["output"]) as read:
            found = len(read.pages)
        if found == own:
            return
        own = found
    raise _Faulty("le nombre de pages ne se stabilise pas")


def _bind(job: FileJob, opened: Sequence[Any]) -> int:
    """Append the pieces with their bookmarks; the same summary and pieces give the same bytes."""
    import pikepdf

    with pikepdf.open(job["summary"]["output"]) as bound:
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
