"""`make screens`: pictures of every page, light and dark, wide and narrow, of a library three months into use.

The real installation with today's runs on top of the months lived; each page is reached by its links. What axe finds,
what is wider than its window and what the console says is told beside. With `--readme`, three of them go to
`docs/screens/` as well.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from tests.browser.visitor import A_CARD, Visitor, chromium, open_browser, session, sideways, violations
from tests.browser.walk import HOME, opened, pages
from tests.e2e.conftest import run
from tests.e2e.installation import ROOT, Installation

FOLDER, README = ROOT / "var" / "screens", ROOT / "docs" / "screens"
WIDTHS = (1280, 390)
TALLEST = 2_400
MOST_BYTES = 200_000
FOR_README = {"": "aujourdhui", "lecteurs/*": "lecteur", "statistiques": "statistiques"}
"""Which kinds of pages below `/relances/` the README shows, wide and light, and the names of their pictures."""
WHO = {"biblio": "", "admin": "installation"}
"""Who looks, and below which path alone; the librarian sees everything but what administrators do."""


def main() -> int:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--readme", action="store_true", help="write the README's pictures too")
    options = arguments.parse_args()
    if not chromium():
        sys.exit("Il faut Chromium : apt-get install chromium")
    today = datetime.now(settings().zone).date()
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    try:
        with Installation(folder, today=today, lived=True) as installation:
            todays_runs(installation)
            [(card,)] = installation.postgres.execute(A_CARD, database="ledger")
            return photograph(installation.url, installation.passwords, card=str(card), readme=options.readme)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def todays_runs(installation: Installation) -> None:
    """Today's runs by Airflow, but that of the registered letters, which waits for a librarian as it does at nine."""
    installation.api.wait_for_dags([stage.value for stage in Stage], timeout=300, alive=installation.check_alive)
    for stage in Stage:
        installation.api.unpause(stage.value)
    run(installation, *(stage for stage in Stage if stage is not Stage.REGISTERED_LETTER))
    asked = installation.api.trigger(Stage.REGISTERED_LETTER.value, reference_date=installation.today.isoformat())
    installation.wait_for_question(Stage.REGISTERED_LETTER, asked, timeout=300)


def photograph(url: str, passwords: dict[str, str], *, card: str, readme: bool) -> int:
    """Every page, in every light and width; returns 1 when something is wrong with one."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    faults: list[str] = []
    with open_browser() as browser:
        for user, below in WHO.items():
            token = session(url, user, passwords[user])
            wide = Visitor.of(browser, url, token=token)
            page = wide.page()
            paths = {
                one.kind: one.path for one in pages(page, url, known=card, each=1) if one.path.startswith(HOME + below)
            }
            wide.close()
            for dark in (False, True):
                visitor = Visitor.of(browser, url, token=token, dark=dark)
                page = visitor.page()
                for kind, path in paths.items():
                    opened(page, url + path)
                    faults += violations(page)
                    for width in WIDTHS:
                        page.set_viewport_size({"width": width, "height": 900})
                        if sideways(page) > 0:
                            faults.append(f"{path} : {sideways(page)} pixels de trop à {width}")
                        picture(page, FOLDER / f"{name_of(kind)}-{'sombre' if dark else 'clair'}-{width}.png")
                faults += visitor.complaints
                visitor.close()
            print(f"{user} : {len(paths)} pages", flush=True)
            if readme and user == "biblio":
                for_readme(Visitor.of(browser, url, token=token), paths)
    print(f"{len(list(FOLDER.glob('*.png')))} images dans {FOLDER.relative_to(ROOT)}")
    for fault in dict.fromkeys(faults):
        print(f"  À revoir : {fault}")
    return 1 if faults else 0


def picture(page: Page, path: Path, *, height: int = TALLEST) -> None:
    """The page from its top, `height` pixels at most."""
    tall = min(int(page.evaluate("() => document.documentElement.scrollHeight")), height)
    width = page.viewport_size["width"] if page.viewport_size else 1280
    page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": max(tall, 1)})


def for_readme(visitor: Visitor, paths: Mapping[str, str]) -> None:
    """The three pictures of the README, small enough to be read in a repository."""
    README.mkdir(parents=True, exist_ok=True)
    page = visitor.page()
    for kind, name in FOR_README.items():
        opened(page, visitor.url + paths[HOME + kind])
        path = README / f"{name}.png"
        for height in (1000, 800, 600):
            picture(page, path, height=height)
            if path.stat().st_size < MOST_BYTES:
                break
        print(f"  {path.relative_to(ROOT)}")
    visitor.close()


def name_of(kind: str) -> str:
    """A file name for a kind of page."""
    words = re.sub(r"[^a-z0-9*]+", "-", kind.removeprefix(HOME).lower()).replace("*", "un").strip("-")
    return words or "aujourdhui"


if __name__ == "__main__":
    raise SystemExit(main())
