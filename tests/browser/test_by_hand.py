"""The pages as hands use them: without a script, with a scanner, and what is answered to a form."""

from __future__ import annotations

from datetime import timedelta

from tests.browser.visitor import Visitor, violations
from tests.browser.walk import HOME

UNKNOWN = "ZZ-404"


def test_without_a_script_a_reader_is_found_and_held(browser, house, tokens, card):
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"], java_script_enabled=False)
    page = visitor.page()
    page.goto(f"{house.url}{HOME}")
    assert page.locator("h1").count() == 1
    page.get_by_role("link", name="Lecteurs et prêts").first.click()
    page.locator("main form input[name=recherche]").first.fill(card)
    page.locator("main form input[name=recherche]").first.press("Enter")
    assert "/lecteurs/" in page.url
    form = page.locator("form[action*='suspension']").first
    until = form.locator("input[name=jusqu_au]")
    if not until.is_visible():  # folded where something of this reader is held already
        form.locator("xpath=ancestor::details").last.locator("summary").click()
    until.fill((house.today + timedelta(days=5)).isoformat())
    form.locator("[name=motif]").fill("sans script")
    form.locator("button").first.click()
    page.wait_for_load_state("load")
    assert "sans script" in page.locator("main").inner_text()
    visitor.close()


def test_a_scanner_types_and_ends_with_enter_and_goes_on(browser, house, tokens):
    """What is unknown is said beside the field, which has the focus again: the next scan stands in its place."""
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    page = visitor.page()
    page.goto(f"{house.url}{HOME}recommandes")
    for number in (1, 2):
        scanned = f"{UNKNOWN}-{number}"
        page.keyboard.type(scanned)
        assert page.locator("input:focus").input_value() == scanned
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press("Enter")
        said = page.locator(f"#{page.locator('input:focus').get_attribute('aria-describedby')}")
        assert scanned in said.inner_text()
    visitor.close()


def test_what_a_search_and_a_refusal_answer_is_readable_aloud(browser, house, tokens):
    visitor = Visitor.of(browser, house.url, token=tokens["biblio"])
    page = visitor.page()
    for path, field, words in (
        ("lecteurs", "recherche", "martin"),
        ("lecteurs", "recherche", UNKNOWN),
        ("recommandes", "q", UNKNOWN),
        ("desinscriptions", "numero", UNKNOWN),
        ("lots", "reference", UNKNOWN),
    ):
        page.goto(f"{house.url}{HOME}{path}")
        found = page.locator(f"main form input[name={field}]").first
        found.fill(words)
        found.press("Enter")
        page.wait_for_load_state("load")
        assert page.locator("h1").count() == 1, page.url
        assert violations(page) == [], (path, words)
    assert visitor.complaints == []
    visitor.close()
