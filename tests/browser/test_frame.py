"""In Airflow's own frame, and alone: the same pages, the same light; and the keyboard."""

from __future__ import annotations

import pytest

from tests.browser.visitor import Visitor
from tests.browser.walk import HOME

THEME = "() => document.documentElement.dataset.theme || ''"
SHOWN = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def framed(browser, house, tokens):
    """The librarian on Airflow's own page, with ours in its frame."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    page = visitor.page()
    page.goto(f"{house.url}/plugin/relances")
    frame = page.frame_locator("iframe")
    frame.locator("nav.tabs").wait_for()
    yield page, frame, visitor
    visitor.close()


def test_each_tab_opens_in_airflows_frame(framed, house):
    page, frame, _ = framed
    tabs = frame.locator("nav.tabs a")
    for place in range(tabs.count()):
        words = tabs.nth(place).inner_text()
        tabs.nth(place).click()
        current = frame.locator("nav.tabs a[aria-current]")
        current.wait_for()
        frame.locator("h1").wait_for()
        inside = next(one for one in page.frames if "/relances/" in one.url and one != page.main_frame)
        inside.wait_for_load_state("load")
        assert inside.url.startswith(f"{house.url}{HOME}"), words


def test_dark_follows_airflows_own_switch(framed):
    page, frame, _ = framed
    inside = next(one for one in page.frames if one.url.split("?")[0].endswith(HOME))
    before = inside.evaluate(SHOWN)
    kept = "dark" if page.evaluate("() => document.documentElement.classList.contains('dark')") else "light"
    assert inside.evaluate(THEME) == kept
    other = "light" if kept == "dark" else "dark"
    page.evaluate("theme => { localStorage.setItem('theme', theme); }", other)
    page.reload()
    frame.locator("nav.tabs").wait_for()
    inside = next(one for one in page.frames if one.url.split("?")[0].endswith(HOME))
    inside.wait_for_function(f"() => document.documentElement.dataset.theme === '{other}'")
    assert inside.evaluate(SHOWN) != before


def test_the_keyboard_reaches_the_content_first_then_the_tabs(librarian):
    page = librarian.page()
    page.goto(f"{librarian.url}{HOME}lots")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    assert page.locator("a.skip").evaluate("link => link.getBoundingClientRect().top") >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('nav.tabs') !== null")


def test_where_something_is_scanned_or_searched_the_field_is_ready(librarian):
    page = librarian.page()
    for path in ("recommandes", "lecteurs"):
        page.goto(f"{librarian.url}{HOME}{path}")
        if page.locator("[data-focus]").count():
            assert page.evaluate("() => document.activeElement.matches('[data-focus]')"), path
