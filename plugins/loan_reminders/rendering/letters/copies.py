"""PDFs made from a stored PDF of letters: without some of its letters, one letter alone, or stamped as a copy.

The stored file itself never changes. The same file and the same wishes give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from loan_reminders.domain.errors import LettersNotPrinted
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER

if TYPE_CHECKING:
    from pikepdf import Object, Pdf

MM = 72 / 25.4
_PAGE_KEYS = frozenset(
    {"/Type", "/Contents", "/Resources", "/MediaBox", "/CropBox", "/TrimBox", "/BleedBox", "/Rotate"}
)
_STAMP = "/CopyStamp"
_ENCODING = "cp1252"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What is printed on each page of a copy: `word` large and pale across it, `line` small at its head."""

    word: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpan:
    """Pages of one PDF, counted from 1, the last one included; with `blank_verso` an empty page comes behind them."""

    first: int
    last: int
    blank_verso: bool = False


def derive(
    source: Path | IO[bytes], output: IO[bytes], *, keep: Sequence[PageSpan] | None = None, stamp: Stamp | None = None
) -> int:
    """Write to `output` (which must allow seeking) the pages of `source` to keep, stamped if asked; returns how many.

    With `keep` None every page stays, and so do the tags and whatever the file says of itself: the stamp is an
    artifact of pagination (ISO 32000-1, 14.8.2.2) whose font is embedded, which PDF/A and PDF/UA allow. Otherwise the
    pages are carried into a new file with nothing else of the old one but its bookmarks to them, title, author, date
    and language: it has no tags, and claims no conformance it has not. Raises LettersNotPrinted for a file that is
    damaged or has not these pages.
    """
    import pikepdf

    try:
        with pikepdf.open(source) as pdf:
            if keep is None:
                return _write(pdf, output, stamp)
            with pikepdf.new() as cut:
                _carry(pdf, cut, keep)
                return _write(cut, output, stamp)
    except pikepdf.PdfError as error:
        raise LettersNotPrinted(f"Le PDF de ces lettres est illisible ({type(error).__name__}). {_RESTORE}") from None


_RESTORE = "Prévenir l'administrateur : il faut le reprendre d'une sauvegarde."


def _write(pdf: Pdf, output: IO[bytes], stamp: Stamp | None) -> int:
    import pikepdf

    if stamp is not None:
        _stamp(pdf, stamp)
    pdf.save(output, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return len(pdf.pages)


def _carry(source: Pdf, cut: Pdf, keep: Sequence[PageSpan]) -> None:
    """Carry pages over: what they show, and none of what they point to, where the other letters are."""
    from pikepdf import Dictionary, Name, String

    pages = list(source.pages)
    if not keep or not all(1 <= span.first <= span.last <= len(pages) for span in keep):
        raise LettersNotPrinted(f"Le PDF de ces lettres n'a pas toutes ses pages ({len(pages)}). {_RESTORE}")
    places: dict[int, int] = {}
    for span in keep:
        for number in range(span.first - 1, span.last):
            page = pages[number]
            for key in set(page.obj.keys()) - _PAGE_KEYS - {"/Parent"}:
                del page.obj[key]
            places[number] = len(cut.pages)
            cut.pages.append(page)
        if span.blank_verso:
            left, bottom, right, top = (float(edge) for edge in pages[span.last - 1].mediabox)
            cut.add_blank_page(page_size=(right - left, top - bottom))
    for key in ("/Title", "/Author", "/CreationDate"):
        if key in source.docinfo:
            cut.docinfo[key] = str(source.docinfo[key])
    cut.Root.Lang = String(str(source.Root.get("/Lang", "fr")))
    cut.Root.PageMode = Name.UseOutlines
    cut.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    _carry_bookmarks(source, cut, places)


def _carry_bookmarks(source: Pdf, cut: Pdf, places: Mapping[int, int]) -> None:
    """The bookmarks to pages that are carried over, in their order; those inside others come to the top.

    `places` says where each page of the source that is carried over is now, both from 0.
    """
    from pikepdf import OutlineItem

    old = {page.obj.objgen: number for number, page in enumerate(source.pages)}
    with source.open_outline() as outline:
        found = [(title, old.get(page.objgen, -1)) for title, page in _targets(source, outline.root)]
    with cut.open_outline() as outline:
        outline.root.extend(OutlineItem(title, places[number]) for title, number in found if number in places)


def _targets(source: Pdf, items: Iterable[Any]) -> Iterator[tuple[str, Object]]:
    from pikepdf import Array

    for item in items:
        where = item.destination
        if where is None and item.action is not None:
            where = item.action.get("/D")
        if not isinstance(where, Array):
            where = _named(source, where)
        if isinstance(where, Array) and len(where) and hasattr(where[0], "objgen"):
            yield item.title, where[0]
        yield from _targets(source, item.children)


def _named(source: Pdf, name: Any) -> Any:
    """Where a named destination leads, None when nowhere."""
    from pikepdf import Dictionary, NameTree

    names = source.Root.get("/Names", {}).get("/Dests")
    if name is None or names is None:
        return None
    found = NameTree(names).get(str(name))
    return found.get("/D") if isinstance(found, Dictionary) else found


def _stamp(pdf: Pdf, stamp: Stamp) -> None:
    """Draw the stamp beneath every page's own content."""
    from pikepdf import Name

    font = _font(pdf, stamp)
    forms: dict[tuple[float, ...], Any] = {}
    mark = f"/Artifact <</Type /Pagination /Subtype /Watermark>> BDC q {_STAMP} Do Q EMC\n".encode()
    for page in pdf.pages:
        box = tuple(float(edge) for edge in page.mediabox)
        if box not in forms:
            forms[box] = _form(pdf, stamp, font, box)
        page.add_resource(forms[box], Name.XObject, Name(_STAMP))
        page.contents_add(mark, prepend=True)


def _form(pdf: Pdf, stamp: Stamp, font: Object, box: tuple[float, ...]) -> Object:
    """The stamp for one size of page, as a drawing that every page shares."""
    from pikepdf import Array, Dictionary, Name

    left, bottom, right, top = box
    wide = sum(_widths(font, stamp.word))
    length = 0.72 * ((right - left) ** 2 + (top - bottom) ** 2) ** 0.5
    size = min(length * 1000 / wide, 150.0)
    half, turn = wide * size / 2000, 0.7071
    x = (left + right) / 2 - half * turn + size * 0.36 * turn
    y = (bottom + top) / 2 - half * turn - size * 0.36 * turn
    drawing = (
        f"BT 0.88 g /F {size:.2f} Tf {turn} {turn} -{turn} {turn} {x:.2f} {y:.2f} Tm {_text(stamp.word)} Tj ET\n"
        f"BT 0.4 g /F 9 Tf 1 0 0 1 {left + 20 * MM:.2f} {top - 9 * MM:.2f} Tm {_text(stamp.line)} Tj ET\n"
    )
    return pdf.make_stream(
        drawing.encode("ascii"),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array(box),
        Resources=Dictionary(Font=Dictionary(F=font)),
    )


def _text(text: str) -> str:
    return f"<{text.encode(_ENCODING, 'replace').hex()}>"


def _widths(font: Object, text: str) -> list[float]:
    table: Any = font.Widths
    return [float(table[code - 32]) for code in text.encode(_ENCODING, "replace")]


def _font(pdf: Pdf, stamp: Stamp) -> Object:
    """The stamp's font, embedded with the characters it needs (a simple TrueType font, WinAnsiEncoding)."""
    from pikepdf import Array, Dictionary, Name

    data, widths, ascent, descent, box = _subset("".join(sorted(set(stamp.word + stamp.line))))
    name = Name("/COPIES+NotoSans-Bold")
    described = Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        Flags=32,
        FontBBox=Array(box),
        ItalicAngle=0,
        Ascent=ascent,
        Descent=descent,
        CapHeight=714,
        StemV=140,
        FontFile2=pdf.make_stream(data, Length1=len(data)),
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.TrueType,
            BaseFont=name,
            Encoding=Name.WinAnsiEncoding,
            FirstChar=32,
            LastChar=255,
            Widths=Array(widths),
            FontDescriptor=pdf.make_indirect(described),
        )
    )


@cache
def _subset(characters: Collection[str]) -> tuple[bytes, list[int], int, int, list[int]]:
    """The font file with these characters alone, and its measures in thousandths of an em."""
    import io

    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    options = subset.Options(
        layout_features=[], name_IDs=[], notdef_outline=True, hinting=False, recalc_timestamp=False
    )
    with TTFont(FONTS_FOLDER / "NotoSans-Bold.ttf", recalcTimestamp=False) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(characters))
        subsetter.subset(font)
        scale = 1000 / font["head"].unitsPerEm
        names = font.getBestCmap()
        widths = []
        for code in range(32, 256):
            glyph = names.get(ord(bytes([code]).decode(_ENCODING, "replace")))
            widths.append(round(font["hmtx"][glyph][0] * scale) if glyph else 0)
        head, lines = font["head"], font["hhea"]
        box = [round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)]
        measures = round(lines.ascent * scale), round(lines.descent * scale)
        file = io.BytesIO()
        font.save(file)
    return file.getvalue(), widths, *measures, box
