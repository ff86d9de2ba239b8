"""Every button pressed once: none leads to a page that broke, and what was sent shows its answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SHOWN
from tests.browser.forms import buttons, press
from tests.browser.visitor import Visitor
from tests.browser.walk import opened, pages


@pytest.mark.parametrize("user", SHOWN)
def test_every_button_answers(user, browser, house, tokens, card):
    visitor = Visitor.of(browser, house.url, token=tokens[user])
    page = visitor.page()
    found = {}
    for visit in pages(page, visitor.url, known=card, each=1):
        for form, place, purpose, words in buttons(page):
            found.setdefault(purpose, (visit.path, form, place, words))
    pressed = []
    for path, form, place, words in found.values():
        opened(page, visitor.url + path)
        if any((form, place) == (one[0], one[1]) for one in buttons(page)):
            done = press(page, form, place, words, text="ZZ-999", day=house.today.isoformat())
            pressed.append(done)
            assert done.file or done.status in (200, 400, 404, 409), done
            if not done.file:
                # The answer is here before its page is: this waits for it.
                expect(page.locator("h1")).to_have_count(1)
    assert user == "lecteur" or len(pressed) > 5
    did = [done for done in pressed if done.file or done.status == 200]
    assert len(did) * 2 > len(pressed), f"most do what they say with a usual answer: {pressed}"
    assert visitor.complaints == []
    visitor.close()
