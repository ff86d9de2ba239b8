"""The lines by which a file comes out of a container, and those after a changed setting, typed as they stand."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from loan_reminders.commands import migrate
from loan_reminders.commands.previews import BROWSERS
from loan_reminders.ledger.connect import connect
from loan_reminders.services.runs.rehearse import REHEARSALS
from loan_reminders.settings.library_toml import settings
from tests.e2e.docker_host import Host, Terminal, databases
from tests.scenes.disputed_loan import a_whole_story
from tests.simulators import container
from tests.simulators.compose_file import ROOT

LETTERS = "/var/lib/relances/letters"
IN_FRENCH = ("docs/droits_des_lecteurs.md", "docs/bibliothecaires/contestation.md", "docs/mise_en_service.md")
OURS = {"4711": "P1", "34999000000123": "0935000123"}
"""The reader and the document of the pages, and who they are here."""


def lines(page: str, heading: str = "") -> list[str]:
    """What a page, or the part below a heading, tells its reader to type at Docker Compose."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0] if heading else text
    return re.findall(r"^docker compose .+$", text, re.MULTILINE)


FILES = lines("docs/deployment.md", "## Files that a command makes")


@pytest.fixture
def terminal(network: container.Network, folder: Path) -> Iterator[Terminal]:
    """An installation with one reader, of whom everything is known, and the messages of a dry run."""
    host = Host(folder, network)
    for found in filter(None, map(shutil.which, BROWSERS)):  # the image has none; with one, previews take a minute
        (nothing := folder / Path(found).name).touch()
        host.more[nothing] = found
    with databases(host) as postgres:
        url = postgres.url("ledger", user="ledger")
        migrate.upgrade(url)
        with connect(url, library=settings().library.code) as ledger:
            a_whole_story(ledger)
        dry = f"{LETTERS}/{REHEARSALS}/courtesy_notice-2026-11-30-1/email/0001"
        made = host.run("scheduler", "sh", "-c", f"umask 077; mkdir -p {dry}; echo Bonjour > {dry}/1.eml")
        assert made.returncode == 0, made.stderr
        yield Terminal(folder, host, postgres)


def test_each_file_comes_out_whole(terminal: Terminal) -> None:
    for line in FILES:
        for theirs, ours in OURS.items():
            line = line.replace(theirs, ours)
        terminal.type(line)
    for name in ("donnees.pdf", "dossier.pdf"):
        with pikepdf.open(terminal.folder / name) as pdf:
            assert len(pdf.pages) >= 2, name
        assert (terminal.folder / name).read_bytes().startswith(b"%PDF-"), "nothing else is on the standard output"
    with tarfile.open(terminal.folder / "apercus.tar") as archive:
        assert "apercus/index.html" in archive.getnames()
    with tarfile.open(terminal.folder / "essais.tar") as archive:
        [letter] = [one for one in archive if one.isfile()]
        assert letter.name.startswith(f"{REHEARSALS}/courtesy_notice-2026-11-30-1/")
        content = archive.extractfile(letter)
        assert isinstance(content, io.BufferedReader)
        assert content.read() == b"Bonjour\n"


def test_a_changed_setting_is_looked_at_before_what_runs_is_restarted(terminal: Terminal) -> None:
    look, restart = lines("docs/deployment.md", "## Changed settings")
    assert "valides" in terminal.type(look)
    assert restart.startswith("docker compose restart ")
    terminal.type(restart)


def test_the_pages_in_french_have_the_same_lines() -> None:
    found = [line for page in IN_FRENCH for line in lines(page)]
    assert sorted(found) == sorted(FILES)
