"""Which alerts were told, kept beside the letters."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable
from loan_reminders.gateways.alerts.told_alerts import FOLDER, StoredToldAlerts

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def test_one_is_the_first_and_nobody_after(tmp_path: Path) -> None:
    assert StoredToldAlerts(tmp_path).first("a")
    assert not StoredToldAlerts(tmp_path).first("a")
    assert StoredToldAlerts(tmp_path).first("b")


def test_of_many_workers_at_once_one_is_the_first(tmp_path: Path) -> None:
    firsts: list[bool] = []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        firsts.append(StoredToldAlerts(tmp_path).first("a"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == [False] * 7 + [True]


def test_what_is_forgotten_may_be_told_again(tmp_path: Path) -> None:
    told = StoredToldAlerts(tmp_path)
    assert told.first("a")
    told.forget("a")
    told.forget("never")
    assert told.first("a")


def test_what_is_old_is_swept_and_the_rest_stays(tmp_path: Path) -> None:
    told = StoredToldAlerts(tmp_path)
    told.sweep(before=NOW)
    for key in ("old", "new"):
        told.first(key)
    old = min((tmp_path / FOLDER).iterdir(), key=lambda path: path.name)
    os.utime(old, (NOW.timestamp() - 86_400 * 30,) * 2)
    told.sweep(before=NOW - timedelta(days=14))
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


def test_a_name_tells_nothing(tmp_path: Path) -> None:
    StoredToldAlerts(tmp_path).first("2026-11-27 failed montclar Camille")
    (name,) = (path.name for path in (tmp_path / FOLDER).iterdir())
    assert len(name) == 64
    assert "Camille" not in name


def test_a_place_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LetterStoreUnavailable):
        StoredToldAlerts(tmp_path / "file").first("a")
    nowhere = StoredToldAlerts(None)
    for ask in (lambda: nowhere.first("a"), lambda: nowhere.forget("a"), lambda: nowhere.sweep(before=NOW)):
        with pytest.raises(LetterStoreUnavailable, match="REMINDERS_STORAGE"):
            ask()
