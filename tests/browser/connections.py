"""Airflow's page of connections, as an administrator uses it: add one, try it, read what is said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from playwright.sync_api import Locator, Page

STANDARD, EXTRA = "Champs standards", "Champs Supplémentaires"


def open_form(page: Page, url: str, conn_id: str, name: str) -> Locator:
    """The form of a new connection, its type chosen by its name, all its fields in sight."""
    page.goto(f"{url}/connections")
    page.get_by_role("button", name="Ajouter une connexion").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill(conn_id)
    kind = form.get_by_role("combobox").first
    kind.click()
    kind.fill(name)
    page.get_by_role("option", name=name, exact=True).click()
    return form


def open_extra(form: Locator) -> None:
    """Show the further fields; the standard ones close."""
    form.get_by_role("button", name=EXTRA, exact=True).click()


def labels(form: Locator) -> list[str]:
    """The labels in sight, without the star of what must be filled in."""
    found = form.locator("label[data-scope=field]:visible").all_inner_texts()
    return [re.sub(r"\s*\*$", "", text) for text in found]


def fill(
    form: Locator,
    standard: Mapping[str, str],
    *,
    choices: Mapping[str, str] = MappingProxyType({}),
    texts: Mapping[str, str] = MappingProxyType({}),
    switches: Sequence[str] = (),
) -> None:
    """Fill in and save: standard fields by their name, choices by their label, texts and switches by their extra."""
    for name, value in standard.items():
        form.locator(f"input[name={name}]").fill(value)
    open_extra(form)
    for label, option in choices.items():
        form.get_by_role("combobox", name=label).click()
        form.page.get_by_role("option", name=option, exact=True).click()
    for name, value in texts.items():
        form.locator(f"input[name=element_{name}]").fill(value)
    for name in switches:
        form.locator(f"label[data-scope=switch]:has(input[name=element_{name}])").click()
    form.get_by_role("button", name="Sauvegarder").click()
    form.wait_for(state="hidden")


def tried(page: Page, conn_id: str) -> tuple[bool, str]:
    """Press *Test* in the line of a connection: whether Airflow shows it green, and the sentence."""
    row = page.get_by_role("row").filter(has_text=conn_id)
    row.get_by_role("button", name="Tester la connexion").click()
    told = page.locator("[data-scope=toast][data-part=root]").filter(
        has_text=re.compile("Test de connexion réussi|Échec du test de connexion")
    ).last  # fmt: skip
    told.wait_for()
    title = told.locator("[data-part=title]").inner_text()
    return title == "Test de connexion réussi", told.locator("[data-part=description]").inner_text()
