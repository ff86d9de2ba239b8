"""kill -9 at any statement of a removal, and at any file of it: done again, the result is the same, and nothing more.

A child of this process does the real passage and kills itself at the statement or file that is drawn; the next one goes
on, until one comes to its end. `make faults` kills a thousand times.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from loan_reminders.domain.retention.terms import Removed
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.removal import removal
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from tests.sample_sizes import sample
from tests.scenes.planted import OLD, YOUNG, Planted, every_row, files_below, found, plant, remove, strays

LONGEST = 45
"""A child lives so many statements at most: most are killed, a page is done now and then."""
KILLS = sample(21, full=1_000)
OF_THE_CLOCK = {"at", "told_at", "entry_id", "erasure_id", "journal_until"}


@dataclass
class Struck:
    """Counts statements and files, and kills this process at the one that is drawn."""

    left: int

    def step(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def planted(postgres_server, ledger_template, tmp_path_factory):
    """A library of readers who go and who stay, of which each life begins with a copy; and what it ends as."""
    store = tmp_path_factory.mktemp("planted")
    name = postgres_server.create_database(template=ledger_template)
    readers = [Planted(number=n, ended_on=OLD if n % 3 else YOUNG, seen_on=OLD if n % 3 else YOUNG,
                       disputed=n % 5 == 0) for n in range(1, 13)]  # fmt: skip
    with connect(postgres_server.url(name), library="demo") as ledger:
        plant(ledger, store, readers)
        strays(ledger, store, 99)
        with ledger.engine.begin() as connection:
            make_fingerprints(connection, "demo")
    undisturbed = _copy(postgres_server, name, store, tmp_path_factory)
    with connect(postgres_server.url(undisturbed[0]), library="demo") as ledger:
        remove(ledger, undisturbed[1])
        end = _state(ledger, undisturbed[1])
    yield name, store, end
    postgres_server.drop_database(undisturbed[0])
    postgres_server.drop_database(name)


def _copy(server, name, store, tmp_path_factory):
    here = tmp_path_factory.mktemp("life") / "letters"
    shutil.copytree(store, here)
    return server.create_database(template=name), here


def _state(ledger, store: Path) -> Any:
    """Rows and files, without moments and the numbers of lines, and what was counted and told in all, by whom.

    In how many parts it was told may differ: each passage that came to its end told what was not told yet.
    """
    rows, told = set(), Counter[str]()
    for table, text in every_row(ledger):
        row = {name: value for name, value in json.loads(text).items() if name not in OF_THE_CLOCK}
        if table == "journal" and row["act"] == "data_erased":
            day = row["facts"].pop("day")
            told.update({f"{table} {row['who']} {day} {name}": number for name, number in row["facts"].items()})
        elif table == "erasures":
            who = f"{table} {row['who']} {row['day']}"
            told.update({f"{who} {name}": row[name] for name in Removed().counts()})
        else:
            rows.add((table, json.dumps(row, sort_keys=True)))
    return rows, files_below(store), +told


def _passage(url: str, store: Path, draw: int) -> bool:
    """One passage in a process of its own that is killed at a step; whether it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            struck = Struck(left=draw)
            removal.LOANS_AT_A_TIME, removal.ROWS_AT_A_TIME, removal.RUNS_AT_A_TIME = 2, 2, 1
            FolderLetterStore.remove = _before_and_after(FolderLetterStore.remove, struck)  # type: ignore[method-assign]
            with connect(url, library="demo") as ledger:
                event.listen(ledger.engine, "before_cursor_execute", struck.step)
                event.listen(ledger.engine, "commit", struck.step)
                remove(ledger, store)
            os._exit(0)
        except BaseException:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the passage failed by itself"
    return not os.WIFSIGNALED(status)


def _before_and_after(remove_files: Any, struck: Struck) -> Any:
    def removed(self: Any, name: str) -> None:
        struck.step()
        remove_files(self, name)
        struck.step()

    return removed


def test_killed_anywhere_and_done_again_the_result_is_the_same(postgres_server, planted, tmp_path_factory):
    name, store, end = planted
    chance, kills, lives = random.Random(20300615), 0, 0
    while kills < KILLS:
        database, here = _copy(postgres_server, name, store, tmp_path_factory)
        lives += 1
        while not _passage(postgres_server.url(database), here, chance.randint(1, LONGEST)):
            kills += 1
            assert kills < KILLS + 2_000, "a passage never ends"
            if kills % 7 == 0 or kills == KILLS:
                break
        _passage(postgres_server.url(database), here, 10**9)
        with connect(postgres_server.url(database), library="demo") as ledger:
            assert _state(ledger, here) == end
        postgres_server.drop_database(database)
        shutil.rmtree(here)
    assert lives >= KILLS // 7


def test_what_the_undisturbed_passage_ends_as_has_those_who_stay_and_nobody_else(planted):
    _, _, (rows, files, told) = planted
    stay = {n for n in range(1, 13) if n % 3 == 0 or n % 5 == 0}
    assert set(found(rows)) == stay
    assert set(found(files)) >= stay
    assert told["journal relances 2030-06-15 loans"] == told["erasures relances 2030-06-15 loans"] == 12 - len(stay)
