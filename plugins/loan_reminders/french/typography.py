"""French typography: no line begins with : ; ! ? or », and none ends with «.

Whoever writes words types an ordinary space; what leaves gets one that does not break, here and nowhere else: pages
(`web/page.py`), e-mails (`rendering/email`), alerts (`services/alerts`). Letters and files on paper have the same rule
in their layouts (`templates/_layouts/`). An SMS is not touched: the alphabet of the telephone has no such space.

The ordinary no-break space, also where print has a narrow one: not every mail program has a sign for that.
"""

from __future__ import annotations

import re

_NO_BREAK = "\N{NO-BREAK SPACE}"
_KEPT = (*((f" {sign}", f"{_NO_BREAK}{sign}") for sign in ":;!?»"), ("« ", f"«{_NO_BREAK}"))
_AS_IT_IS = re.compile(r"<(pre|textarea|style)\b.*?</\1>|value=\"[^\" ]* [^\"]*\"", re.DOTALL)


def spaced(text: str) -> str:
    """The text with spaces that do not break at its double signs."""
    for plain, kept in _KEPT:
        text = text.replace(plain, kept)
    return text


def spaced_page(html: str) -> str:
    """The same for HTML: what a form sends back, what stands in `<pre>` as it was sent, and styles stay as they are."""
    pieces, end = [], 0
    for found in _AS_IT_IS.finditer(html):
        pieces += [spaced(html[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*pieces, spaced(html[end:])])
