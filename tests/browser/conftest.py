"""One browser for this folder, and a person of each role in it; the day's runs were made."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from loan_reminders.domain.stages import Stage
from tests.browser.visitor import A_CARD, chromium, open_browser, session
from tests.e2e.conftest import run
from tests.e2e.installation import Installation

SHOWN = ("biblio", "lecteur", "admin")
"""The librarian, the viewer, the administrator."""


@pytest.fixture(scope="session", autouse=True)
def a_browser_is_installed() -> None:
    """Without one, nothing of this folder can be looked at; it takes minutes, so `make browser` asks for it."""
    if not os.environ.get("BROWSER"):
        pytest.skip("the pages in a real browser take minutes: make browser")
    if not chromium():
        pytest.skip("no Chromium is installed: apt-get install chromium")


@pytest.fixture(scope="session")
def browser(a_browser_is_installed: None) -> Iterator[Browser]:
    """Chromium."""
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def house(installation: Installation) -> Installation:
    """The installation, with the day's runs in its ledger: those of other tests, or else made now."""
    [(runs,)] = installation.postgres.execute("SELECT count(*) FROM runs WHERE NOT dry_run", database="ledger")
    if not runs:
        run(installation, *Stage)
    return installation


@pytest.fixture(scope="session")
def tokens(house: Installation) -> dict[str, str]:
    """A session of each person who can log in."""
    return {user: session(house.url, user, house.passwords[user]) for user in (*SHOWN, "personne")}


@pytest.fixture(scope="session")
def card(house: Installation) -> str:
    """The card of a reader who was written to."""
    [(number,)] = house.postgres.execute(A_CARD, database="ledger")
    return str(number)
