"""The style sheet of the e-mails, written into the tags of a template once, when it is loaded.

Mail programs drop or rewrite style sheets, so every rule that can stand in a `style` attribute is put there by
css-inline; what cannot (`@media`) stays in one `<style>`. The inliner reads HTML, not Jinja: Jinja's statements go
through it as comments, which may stand anywhere between tags, and its values as words, which may stand in attributes.
A table is written with its `<tbody>`: HTML adds a missing one, and not where a loop begins.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from css_inline import CSSInliner

_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_STANDIN = re.compile(r"<!--j(\d+)j-->|jinja(\d+)j")
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def inlined(source: str, css: str) -> str:
    """The source of an HTML template with the style sheet in its tags; Jinja and line numbers as they were.

    Raises ValueError, in French, when a Jinja statement stands inside a tag.
    """
    if not css.strip():
        return source
    pieces: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        pieces.append(found[0])
        return f"jinja{len(pieces) - 1}j" if found[0].startswith("{{") else f"<!--j{len(pieces) - 1}j-->"

    html = _JINJA.sub(stand_in, source)
    head, opening, page = html.partition("<head>")
    styled = _page(head, opening, page, css) if opening else _inliner().inline_fragment(html, css)
    if len(_STANDIN.findall(styled)) != len(pieces):
        raise ValueError("une instruction {% ... %} ne peut pas être à l'intérieur d'une balise HTML")
    return _STANDIN.sub(lambda found: pieces[int(found[1] or found[2])], styled)


def _page(head: str, opening: str, page: str, css: str) -> str:
    """A whole page: what comes before `<head>` stays to the letter, the `@media` rules end the head."""
    styled = _inliner().inline(f"<!DOCTYPE html><html>{opening}<style>{css}</style>{page}").partition(opening)[2]
    kept = _STYLE.search(styled)
    if kept:
        rules = " ".join(kept[0].split())
        styled = styled.replace(kept[0], "", 1).replace("</head>", f"{rules}</head>", 1)
    return f"{head}{opening}{styled}"


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner

    return CSSInliner(
        keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False, minify_css=True, cache=None
    )
