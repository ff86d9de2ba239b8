"""Every page opened by everybody: sound, readable aloud, within a phone's width, and nothing refused by the browser."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SHOWN
from tests.browser.visitor import NARROWEST, Visitor, sideways, violations
from tests.browser.walk import HOME, pages


@pytest.fixture(params=SHOWN)
def person(request, browser, house, tokens):
    visitor = Visitor.of(browser, house.url, token=tokens[request.param])
    yield visitor
    visitor.close()


def test_every_page_opens_for_whoever_is_led_to_it(person):
    page = person.page()
    seen = []
    for visit in pages(page, person.url, each=1):
        seen.append(visit.kind)
        assert visit.response.status == 200, (visit.path, visit.response.status)
        assert page.locator("h1").count() == 1, visit.path
        assert page.title().endswith(" · Relances"), visit.path
    assert HOME in seen
    assert len(seen) > 1
    assert person.complaints == []


def test_no_page_is_wrong_by_axe_nor_wider_than_a_phone(librarian):
    wrong, wide = [], []
    page = librarian.page()
    for visit in pages(page, librarian.url, each=1):
        wrong += violations(page)
        page.set_viewport_size({"width": NARROWEST, "height": 740})
        if sideways(page) > 0:
            wide.append((visit.path, sideways(page)))
        page.set_viewport_size({"width": 1280, "height": 900})
    assert wrong == []
    assert wide == []
    assert librarian.complaints == []


def test_a_stranger_is_led_to_the_log_in_and_whoever_has_no_right_is_told(browser, house, tokens):
    stranger = Visitor.of(browser, house.url)
    page = stranger.page()
    page.goto(f"{house.url}{HOME}")
    assert "/relances" not in page.url.partition("?")[0]
    assert page.locator("input[name=password]").count() == 1
    stranger.close()
    nobody = Visitor.of(browser, house.url, token=tokens["personne"])
    page = nobody.page()
    answer = page.goto(f"{house.url}{HOME}")
    assert answer is not None
    assert answer.status == 403
    assert page.locator("main").inner_text().strip()
    assert violations(page) == []
    nobody.close()
