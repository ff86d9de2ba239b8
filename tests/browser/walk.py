"""Every page that can be reached by links from the first one, one of each kind; nobody has to list them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, Response

HOME = "/relances/"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<![a-z])\d+|\d{4}-\d\d-\d\d")
_LINKS = """() => [...document.querySelectorAll('a[href]:not([href^="#"])')]
    .filter(a => !a.hasAttribute('download') && !a.target).map(a => a.href)"""
_SEARCHES = """() => [...document.querySelectorAll('main form[role=search] input:not([type=hidden])')]
    .filter(field => ['text', 'search'].includes(field.type)).map(field => `input[name="${field.name}"]`)"""
EACH = 2
"""Pages of one kind that are opened: two batches say as much as fifty."""
ORDERED = 2
"""Pages of one list that are opened besides, filtered or in another order."""
MOST = 120


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that was opened: its path, and what kind of page it is."""

    path: str
    kind: str
    response: Response


def not_made_yet() -> set[str]:
    """The tabs of the frame that lead to no page of the application: none, once all pages are made."""
    from loan_reminders.web.app import create_app
    from loan_reminders.web.frame import TABS

    made = {getattr(route, "path", "").strip("/") for route in create_app().routes}
    return {f"{HOME}{tab.path}" for one in TABS for tab in (one, *one.subtabs) if tab.path not in made}


def kind_of(path: str) -> str:
    """The path without what tells one page of a kind from another, and without the order of a list."""
    parts = urlsplit(path)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    return _ID.sub("*", parts.path) + (f"?{'&'.join(names)}" if names else "")


def pages(page: Page, url: str, *, known: str = "", each: int = EACH) -> Iterator[Visit]:
    """Open one page after the other, breadth first; what is a file to download is passed over.

    `known` is what every search field is asked for, such as the number of a reader's card: what it finds is opened too.
    """
    waiting, kinds, asked = [HOME], {}, set()
    seen = {HOME}
    while waiting and len(seen) < 4000:
        path = waiting.pop(0)
        kind = kind_of(path)
        like = sum(number for other, number in kinds.items() if other.partition("?")[0] == kind.partition("?")[0])
        if kinds.get(kind, 0) >= each or like >= each + ORDERED or sum(kinds.values()) >= MOST:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        response = opened(page, url + path)
        if response is None:
            continue
        yield Visit(path=path, kind=kind, response=response)
        links = page.evaluate(_LINKS)
        while known and (field := next((one for one in page.evaluate(_SEARCHES) if one not in asked), None)):
            asked.add(field)
            links += found_by(page, field, known)
            opened(page, url + path)
        for link in links:
            parts = urlsplit(urljoin(page.url, link))
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if f"{parts.scheme}://{parts.netloc}" == url and parts.path.startswith(HOME) and target not in seen:
                seen.add(target)
                waiting.append(target)


def found_by(page: Page, field: str, known: str) -> list[str]:
    """Where a search field leads: to the page that it opens, and to those that its list names."""
    page.locator(f"main form {field}").first.fill(known)
    with page.expect_navigation(wait_until="load") as moved:
        page.locator(f"main form {field}").first.press("Enter")
    # What was answered to the search itself has no address to open again.
    led_to = [page.url] if moved.value.request.method == "GET" else []
    return [*led_to, *page.evaluate(_LINKS)]


def opened(page: Page, address: str) -> Response | None:
    """The answer to opening a page; None when it is a file, which the browser downloads instead."""
    try:
        response = page.goto(address, wait_until="load")
    except Exception as error:
        if "Download is starting" in str(error) or "ERR_ABORTED" in str(error):
            return None
        raise
    if response is None or "text/html" not in response.headers.get("content-type", ""):
        return None
    return response
