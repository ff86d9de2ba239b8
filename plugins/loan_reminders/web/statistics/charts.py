"""Figures drawn: bars, rows and lines as SVG inside the page, which needs neither script nor style of its own.

pygal draws them. It is pure Python of 0.4 MB, starts nothing and needs some ten milliseconds a chart. Altair would draw
more, but its `vl-convert` (84 MB) starts a JavaScript engine inside the web server: a second and a half for the first
chart, two tenths for each after it, and 70 MB more in each process. (pygal is under the LGPL 3: used as it is, by
import.)
Of what pygal draws only shapes and words are kept: the security policy of the pages allows no style and no script
inside them, and colours come from `relances.css`, so that dark mode changes them with everything else.

A chart is one image for a screen reader, with its title; its figures are in the table that a page shows beside it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

# pygal leaves a finder of its plugins among Python's own, of a kind that Python warns of at every import after it.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

Shape = Literal["bars", "stacked", "rows", "lines"]
Colour = Literal["mail", "sms", "letter", "registered", "none", "hue-1", "hue-2", "hue-3", "hue-4"]
"""A class of `relances.css`: the channels have theirs on all pages, the last four are for anything else."""

KEPT = 128
"""Drawings kept: the same figures are drawn once, since a drawing costs more than all else on its page."""

_drawing = threading.Lock()

WIDTH, HEIGHT = 760, 250
_LETTERS = 13
"""Size of the words, in units of the drawing."""
_LONGEST = 34
"""Signs of a name beside a row; the whole of it is where the pointer rests."""
_LABELS = 10
"""As many words as fit below a chart of the usual width."""
_KINDS: dict[Shape, Any] = {
    "bars": pygal.Bar,
    "stacked": pygal.StackedBar,
    "rows": pygal.HorizontalStackedBar,
    "lines": pygal.Line,
}
_SHAPES = {"rect", "path", "circle", "text", "g"}
_PLACES = ("x", "y", "width", "height", "d", "cx", "cy", "r", "transform")
_LEFT_OUT = {"background", "tooltip", "tooltip-overlay", "text-overlay", "titles", "defs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One colour of a chart: what it is called, and its value for each label (`None`: not known)."""

    words: str
    colour: Colour
    values: tuple[float | None, ...]


def written(number: float) -> str:
    """A number as a librarian writes it: `1 234`, `12,5`."""
    digits = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"
    return digits.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")


def chart(
    shape: Shape,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    say: Callable[[float], str] = written,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Markup:
    """A drawing with its legend, ready to stand in a page; put the table of its figures beside it.

    Args:
        shape: Bars side by side, bars on top of each other, the same lying in rows, or lines.
        title: What it shows; also what a screen reader says of it.
        labels: What stands below, in order: days, weeks, months. Some are left out where they would not fit. Beside
            rows all of them stand, from the top.
        series: Its colours; a single one has no legend, its title says what it is.
        say: How a value is written, on the axis and where the pointer rests.
        width: Of the drawing, in its own units (13 is the height of a letter). Below 400 it shrinks with its place;
            above it, it is scrolled where its place is narrow, so that its words stay readable.
        height: Of the drawing, in the same units.
    """
    # Those who look at once wait for one drawing: each making its own would take the processor from all of them.
    with _drawing:
        svg = _svg(shape, title, tuple(labels), tuple(series), say, width, height)
    if width < 400:
        return Markup('<figure class="chart">{}{}</figure>').format(svg, _legend(series))
    return Markup(
        '<figure class="chart"><div class="wide" tabindex="0" role="group" aria-label="{}">{}</div>{}</figure>'
    ).format(title, svg, _legend(series))


@lru_cache(maxsize=KEPT)
def _svg(
    shape: Shape,
    title: str,
    labels: tuple[str, ...],
    series: tuple[Series, ...],
    say: Callable[[float], str],
    width: int,
    height: int,
) -> Markup:
    root = ElementTree.Element("svg", {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": title})
    ElementTree.SubElement(root, "title").text = title
    for part in _drawn(shape, labels, series, say, width, height):
        _copy(part, root, series)
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704 - escaped there


def _drawn(
    shape: Shape,
    labels: Sequence[str],
    series: Sequence[Series],
    say: Callable[[float], str],
    width: int,
    height: int,
) -> Any:
    kind = _KINDS[shape](
        css=[],
        js=[],
        width=width,
        height=height,
        margin=8,
        spacing=8,
        show_legend=False,
        include_x_axis=True,
        range=(0, _highest(shape, series)),
        min_scale=3,
        max_scale=5,
        value_formatter=say,
        allow_interruptions=True,
        truncate_label=-1,
        order_min=0,
        style=Style(label_font_size=_LETTERS, major_label_font_size=_LETTERS, font_family="sans-serif"),
    )
    if shape == "rows":  # pygal begins at the bottom
        labels = labels[::-1]
        series = [replace(one, values=one.values[::-1]) for one in series]
        kind.x_labels = [f"{label[: _LONGEST - 1]}…" if len(label) > _LONGEST else label for label in labels]
    else:
        every = max(1, -(-len(labels) * WIDTH // (_LABELS * width)))
        kind.x_labels = [label if number % every == 0 else "" for number, label in enumerate(labels)]
    for one in series:
        kind.add("", [_point(label, one, value, say) for label, value in zip(labels, one.values, strict=True)])
    return kind.render_tree()


def _point(label: str, one: Series, value: float | None, say: Callable[[float], str]) -> dict[str, Any] | None:
    return None if value is None else {"value": value, "label": f"{label} · {one.words} : {say(value)}"}


def _highest(shape: Shape, series: Sequence[Series]) -> float:
    """The highest value, so that a chart of nothing has an axis too."""
    columns = zip(*([value or 0 for value in one.values] for one in series), strict=True)
    heights = [sum(column) if shape in ("stacked", "rows") else max(column) for column in columns]
    return max([*heights, 0]) or 1


def _copy(drawn: Any, into: ElementTree.Element, series: Sequence[Series]) -> None:
    """Copy the shapes and the words of a drawing, with our classes in the place of its own."""
    tag = drawn.tag.rpartition("}")[2] if isinstance(drawn.tag, str) else ""
    classes = (drawn.get("class") or "").split()
    nothing = tag == "rect" and not (float(drawn.get("height") or 0) and float(drawn.get("width") or 0))
    if tag not in _SHAPES or _LEFT_OUT.intersection(classes) or nothing or (tag == "text" and not drawn.text):
        return
    copy = ElementTree.SubElement(into, tag, {name: drawn.get(name) for name in _PLACES if drawn.get(name)})
    ours = _class(tag, classes, series)
    if ours:
        copy.set("class", ours)
    copy.text = drawn.text if tag == "text" else None
    for part in drawn:
        _copy(part, copy, series)
    words = _words_of(drawn)
    if words:
        for shape in copy.iter():
            if shape.tag in ("rect", "circle"):
                ElementTree.SubElement(shape, "title").text = words


def _class(tag: str, classes: list[str], series: Sequence[Series]) -> str:
    number = next((name.removeprefix("serie-") for name in classes if name.startswith("serie-")), "")
    if number:
        return series[int(number)].colour
    if tag == "path":
        return "drawn" if "nofill" in classes else "guide" if "guide" in classes else "axis"
    return "across" if tag == "g" and {"axis", "x"} <= set(classes) else ""


def _words_of(drawn: Any) -> str:
    """The words of one bar or dot, which pygal writes beside it."""
    return next((part.text or "" for part in drawn if part.get("class") == "label"), "")


def _legend(series: Sequence[Series]) -> Markup:
    if len(series) < 2:
        return Markup("")
    entries = Markup("").join(
        Markup('<li><i class="dot {}"></i>{}</li>').format(one.colour, one.words) for one in series
    )
    return Markup('<figcaption><ul class="legend">{}</ul></figcaption>').format(entries)
