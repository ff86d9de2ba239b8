"""Every page opened by everybody: sound, readable aloud, within a phone's width, and nothing refused by the browser."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SHOWN
from tests.browser.visitor import COLOURS, NARROWEST, Visitor, sideways, violations
from tests.browser.walk import HOME, pages

KNOWN: set[str] = set()
"""The kinds of pages that axe has read: what the librarian saw is not read again for the others."""


@pytest.mark.parametrize("user", SHOWN)
def test_every_page_is_sound_for_whoever_is_led_to_it(user, browser, house, tokens, card):
    """Opened by its link; read by axe in light and dark; as wide as a phone; nothing in the browser's console."""
    visitor = Visitor.of(browser, house.url, token=tokens[user])
    page = visitor.page()
    seen, wrong = [], []
    for visit in pages(page, visitor.url, known=card, each=1):
        seen.append(visit.kind)
        assert visit.response.status == 200, visit
        assert page.locator("h1").count() == 1, visit.path
        assert page.title().endswith(" · Relances"), visit.path
        for light in ("light", "dark") if user == "biblio" or visit.kind not in KNOWN else ():
            page.emulate_media(color_scheme=light)
            wrong += [f"{light} : {one}" for one in violations(page, only=COLOURS if light == "dark" else ())]
        page.set_viewport_size({"width": NARROWEST, "height": 740})
        if sideways(page) > 0:
            wrong.append(f"{visit.path} : {sideways(page)} pixels wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 900})
    KNOWN.update(seen)
    assert HOME in seen
    assert len(seen) > 1
    assert wrong == []
    assert visitor.complaints == []
    visitor.close()


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
