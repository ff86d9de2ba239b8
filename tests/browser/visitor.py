"""Debian's Chromium, a logged-in person in it, and what the browser complained of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import axe_core_python
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from loan_reminders.commands.previews import browser as installed_browser

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PATIENCE_MS = 60_000
NARROWEST = 360


def chromium() -> str:
    """The path of Chromium, empty when it is not installed."""
    found = installed_browser()
    return (shutil.which(found) or "") if found else ""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """One browser for many pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=fr-FR"],
            env={**os.environ, "LANGUAGE": "fr"},  # its own words, where it has French: the order of a date
        )
        try:
            yield browser
        finally:
            browser.close()


def session(url: str, user: str, password: str) -> str:
    """The token that Airflow's own log-in gives a person."""
    answer = requests.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


A_CARD = """
    SELECT seen.record #>> '{patron,barcode}' FROM notices JOIN loans_seen seen USING (run_id, patron_id)
    WHERE notices.stage IN ('first_reminder', 'second_reminder') AND seen.record #>> '{patron,barcode}' <> ''
    ORDER BY notices.run_id DESC, seen.seq LIMIT 1
"""
"""In the ledger, the card of a reader who was written to lately."""


@dataclass
class Visitor:
    """Somebody at a browser. `complaints` are what its console said: errors, and what the policy of content refused."""

    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, browser: Browser, url: str, *, token: str = "", dark: bool = False, **options: Any) -> Visitor:
        """A person with this session, in light or dark."""
        context = browser.new_context(
            color_scheme="dark" if dark else "light",
            timezone_id="Europe/Paris",
            accept_downloads=True,
            **{"locale": "fr-FR", "viewport": {"width": 1280, "height": 900}, **options},
        )
        context.set_default_timeout(PATIENCE_MS)
        if token:
            context.add_cookies([{"name": "_token", "value": token, "url": url}])
        return cls(context=context, url=url)

    def page(self) -> Page:
        """A new page, whose complaints are heard."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url} : {error}"))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # A page that says no with 400 or 404 is an answer like another; the browser notes it as an error all the same.
        # Not so its style or its script: whoever is refused by a page has them too.
        url = message.location.get("url", "")
        if message.type == "error" and ("status of 4" not in message.text or "/static/" in url):
            self.complaints.append(f"{url} : {message.text}")

    def close(self) -> None:
        self.context.close()


COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe that look at colours: all that can differ from light to dark."""


def violations(page: Page, *, only: Sequence[str] = ()) -> list[str]:
    """What axe finds wrong on a page as it stands, of any level; empty when nothing is. `only` some of its rules."""
    # The policy of our pages lets no foreign script in by an address: this one comes by the browser's own door.
    # Colours that are on their way from one mode to the other are of none.
    page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))")
    page.evaluate(AXE)
    asked = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [
        f"{page.url} : {one['id']} ({one['impact']}) {node['html'][:160]} : {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))
