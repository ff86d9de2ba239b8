"""What MkDocs is told beside mkdocs.yml: no page without a menu, and what to make of links to the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
OUTSIDE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+(?!docs/)[^)#\s]+)(?:#[^)]*)?\)")


def on_config(config: Any) -> Any:
    """Put every page that no menu names under the last one."""
    named = set(re.findall(r"[\w/]+\.md", str(config.nav)))
    menu = next(iter(config.nav[-1].values()))
    menu += sorted(
        name for name in (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")) if name not in named
    )
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Name the file that a link outside of the documentation leads to: the site has no such page."""
    here = (DOCS / page.file.src_uri).parent

    def named(link: re.Match[str]) -> str:
        place = (here / link[2]).resolve()
        if place.is_relative_to(DOCS) or not place.exists():
            return link[0]  # MkDocs says that it leads nowhere
        path = place.relative_to(DOCS.parent).as_posix()
        return f"`{path}`" if link[1].strip("`") == path else f"{link[1]} (`{path}`)"

    return OUTSIDE.sub(named, markdown)
