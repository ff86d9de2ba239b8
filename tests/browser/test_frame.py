"""In Airflow's own frame, and alone: the same pages, the same light; and the keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Frame, Page

from tests.browser.visitor import NARROWEST, Visitor
from tests.browser.walk import HOME, not_made_yet

SHOWN = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def at_the_desk(browser, house, tokens):
    """The librarian on our pages alone."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    yield visitor
    visitor.close()


@pytest.fixture
def framed(browser, house, tokens):
    """The at_the_desk on Airflow's own page, with ours in its frame."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    page = visitor.page()
    page.goto(f"{house.url}/plugin/relances")
    page.frame_locator("iframe").locator("nav.tabs").wait_for()
    yield page
    visitor.close()


def inside(page: Page, url: str) -> Frame:
    """Our page in Airflow's."""
    return next(one for one in page.frames if one.url.startswith(f"{url}{HOME}"))


def test_each_tab_opens_in_airflows_frame(framed, house):
    frame = framed.frame_locator("iframe")
    tabs = frame.locator("nav.tabs a")
    opened = []
    for place in range(tabs.count()):
        words = tabs.nth(place).inner_text()
        tabs.nth(place).click()
        frame.locator("nav.tabs a[aria-current]").filter(has_text=words).wait_for()
        frame.locator("h1").wait_for()
        assert inside(framed, house.url).locator("h1").count() == 1, words
        opened.append(words)
    assert "Courriers" in opened


def test_no_tab_leads_nowhere():
    assert not_made_yet() == set()


def test_dark_follows_airflows_own_switch(framed, house):
    ours = inside(framed, house.url)
    light = ours.evaluate(SHOWN)
    for mode in ("Mode sombre", "Mode clair"):
        framed.get_by_role("button", name="Utilisateur").click()
        framed.get_by_role("menuitem", name="Apparence").click()
        framed.get_by_text(mode, exact=True).click()
        theme = "dark" if mode == "Mode sombre" else "light"
        ours.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")
        assert (ours.evaluate(SHOWN) == light) is (theme == "light")


def test_the_keyboard_reaches_the_content_first_then_the_tabs(at_the_desk):
    page = at_the_desk.page()
    page.goto(f"{at_the_desk.url}{HOME}lots")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    assert page.locator("a.skip").evaluate("link => link.getBoundingClientRect().top") >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('nav.tabs') !== null")


def test_where_something_is_scanned_or_searched_the_field_is_ready(at_the_desk):
    page = at_the_desk.page()
    for path in ("recommandes", "lecteurs"):
        page.goto(f"{at_the_desk.url}{HOME}{path}")
        if page.locator("[data-focus]").count():
            assert page.evaluate("() => document.activeElement.matches('[data-focus]')"), path


def test_the_current_tab_is_in_sight_on_a_phone(at_the_desk):
    page = at_the_desk.page()
    page.set_viewport_size({"width": NARROWEST, "height": 740})
    page.goto(f"{at_the_desk.url}{HOME}lots")
    left, right = page.locator("nav.tabs a[aria-current]").evaluate(
        "tab => [tab.getBoundingClientRect().left, tab.getBoundingClientRect().right]"
    )
    assert left >= 0
    assert right <= NARROWEST


def test_on_paper_it_is_light_whole_and_without_what_is_pressed(at_the_desk):
    """Printed while Airflow is dark: black on white, no button, and tables as wide as an A4 page within its margins."""
    page = at_the_desk.page()
    for path in ("", "bureau", "lots", "desinscriptions", "statistiques", "installation"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{at_the_desk.url}{HOME}{path}")
        page.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
        page.emulate_media(media="print")
        assert page.evaluate(SHOWN) == "rgb(255, 255, 255)", path
        assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(22, 29, 45)", path
        assert page.locator("button:visible, nav:visible, input:visible").count() == 0, path
        scrolled = page.evaluate("""() => [...document.querySelectorAll('.wide, main table')]
            .filter(one => !['visible', ''].includes(getComputedStyle(one).overflowX)).length""")
        assert scrolled == 0, path
        page.emulate_media(media="screen")


def test_a_list_at_the_shelf_shows_all_its_columns(at_the_desk):
    page = at_the_desk.page()
    page.set_viewport_size({"width": NARROWEST, "height": 740})
    for path in ("lots", "a-corriger", "desinscriptions"):
        page.goto(f"{at_the_desk.url}{HOME}{path}")
        ends = page.evaluate("""() => [...document.querySelectorAll('table.stacked tbody tr, table.stacked tbody td')]
            .map(one => one.getBoundingClientRect().right)""")
        assert max(ends, default=0) <= NARROWEST, path
