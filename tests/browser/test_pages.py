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
    assert nobody.complaints == []
    nobody.close()


@pytest.mark.parametrize(
    ("locale", "order"), [("en-US", "mois/jour/année"), ("sv-SE", "année/mois/jour"), ("fr-FR", None), ("fr-CA", None)]
)
def test_a_day_is_plain_in_a_browser_of_another_language(locale, order, browser, house, tokens):
    """Which writes 1 March as 03/01: the same day stands below in French words, and follows what is typed."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"], locale=locale)
    page = visitor.page()
    page.goto(f"{house.url}/relances/statistiques?du=01/03/2026&au=2026-04-02")
    said = page.locator(".said-day")
    if order is None:
        assert said.count() == 0
    else:
        assert said.all_inner_texts() == ["dimanche 1 mars 2026", "jeudi 2 avril 2026"]
        day = page.locator("input[name=du]")
        assert page.locator(f"#{day.get_attribute('aria-describedby')}").inner_text() == "dimanche 1 mars 2026"
        day.fill("2026-03-09")
        assert said.first.inner_text() == "lundi 9 mars 2026"
        day.fill("")
        assert said.first.inner_text() == order
    assert violations(page) == []
    assert visitor.complaints == []
    visitor.close()


def test_paper_is_light_whatever_the_screen_is(browser, house, tokens):
    """And a table that is scrolled on a screen is whole on paper."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"], dark=True)
    page = visitor.page()
    page.goto(f"{house.url}/relances/statistiques")
    text = "() => getComputedStyle(document.documentElement).getPropertyValue('--text')"
    on_screen = page.evaluate(text)
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    assert page.evaluate(text) == on_screen
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    assert page.evaluate(text) != on_screen
    assert sideways(page) <= 0
    assert visitor.complaints == []
    visitor.close()


def test_a_file_is_asked_for_once_however_often_one_clicks(browser, house, tokens):
    """A second click would call off the first file before it came, and be told that it is already in hand."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    page = visitor.page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.goto(f"{house.url}/relances/a-corriger")
    with page.expect_download():
        page.evaluate(
            "() => { const form = document.querySelector('form[data-download]');"
            " for (const wait of [0, 200, 400]) setTimeout(() => form.requestSubmit(), wait); }"
        )
    page.wait_for_timeout(600)
    assert len(asked) == 1
    assert visitor.complaints == []
    visitor.close()
