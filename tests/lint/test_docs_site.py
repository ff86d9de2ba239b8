"""The documentation as a site: every link and anchor leads somewhere; links out of it, and paths in it, exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PLACE = re.compile(r"`((?:dags|docs|docker|plugins|sql|templates|tests)/[\w./-]+)`")
MADE_UP = {"sql/evergreen/", "templates/inscription_expires/"}
"""Places that a page names as an example."""


def names(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_is_built_and_no_link_of_it_leads_nowhere(site: Path) -> None:
    made = {path.relative_to(site).with_suffix(".md").as_posix() for path in site.rglob("*.html")}
    assert {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} <= made


def test_every_page_is_in_a_menu_and_fetches_nothing_from_elsewhere(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() in home, names(page)
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?://', html) == [], page.name


@pytest.mark.parametrize("place", ["README.md", "docs/index.md", "mkdocs.yml"])
def test_every_page_is_named_where_one_looks_for_it(place: str) -> None:
    named = (ROOT / place).read_text(encoding="utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    assert {page for page in pages - {"index.md"} if not re.search(rf"\b{re.escape(page)}", named)} == set()


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_what_a_page_leads_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if not link.startswith(("http", "#", "mailto:")):
            assert (page.parent / link.partition("#")[0]).exists(), link
    for place in PLACE.findall(text):
        if not place.startswith(tuple(MADE_UP)):
            assert (ROOT / place).exists(), place


def test_the_changelog_knows_the_version_and_the_tables() -> None:
    from loan_reminders.ledger.tables import SCHEMA_REVISION

    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    assert f"## [{version[1]}]" in changes
    assert f"Ledger revision {SCHEMA_REVISION}." in changes


def test_the_licence_is_the_one_that_the_readme_names() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.split("\n")[0].strip() == "EUROPEAN UNION PUBLIC LICENCE v. 1.2"
    assert "[EUPL-1.2](LICENSE)" in (ROOT / "README.md").read_text(encoding="utf-8")
