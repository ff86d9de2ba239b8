"""The file of the mark on a disk: whole or not at all, for this account alone."""

from __future__ import annotations

import os
import threading
import uuid
from datetime import UTC, datetime

import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable, MarkUnreadable
from loan_reminders.domain.marks.high_water import Mark
from loan_reminders.gateways.letters.mark_file import FolderMarkFile

NOT_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def a_mark():
    return Mark(mark_id=uuid.uuid4(), at=datetime.now(UTC))


@pytest.fixture
def file(tmp_path):
    return FolderMarkFile(tmp_path / "letters", library="bu")


def test_nothing_then_the_last_one_written(file):
    assert file.read() is None
    for mark in (a_mark(), a_mark()):
        file.write(mark)
        assert file.read() == mark


def test_it_is_for_this_account_alone_and_leaves_nothing_beside(file, tmp_path):
    file.write(a_mark())
    [path] = (tmp_path / "letters" / "registre").iterdir()
    assert (path.name, path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == ("bu.json", 0o600, 0o700)


def test_each_library_has_its_own(file, tmp_path):
    mark, other = a_mark(), FolderMarkFile(tmp_path / "letters", library="autre")
    file.write(mark)
    assert other.read() is None
    other.write(a_mark())
    assert file.read() == mark


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 2, "library": "bu"}'], ids=["empty", "cut", "newer"])
def test_a_spoilt_file_is_not_taken_for_none_and_can_be_replaced(file, tmp_path, content):
    file.write(a_mark())
    (tmp_path / "letters/registre/bu.json").write_bytes(content)
    with pytest.raises(MarkUnreadable):
        file.read()
    mark = a_mark()
    file.write(mark)
    assert file.read() == mark


def test_whoever_reads_while_others_write_reads_a_whole_one(file):
    marks = [a_mark() for _ in range(40)]
    file.write(marks[0])
    writers = [
        threading.Thread(target=lambda part=part: [file.write(mark) for mark in part]) for part in (marks, marks)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert file.read() in marks
    for writer in writers:
        writer.join()


def test_what_a_killed_process_left_is_swept_later(file, tmp_path):
    file.write(a_mark())
    left = tmp_path / "letters/registre/.bu.0123.part"
    left.write_bytes(b"half")
    file.write(a_mark())
    assert left.exists()
    os.utime(left, (0, 0))
    file.write(a_mark())
    assert not left.exists()


def test_a_place_that_is_no_folder_is_told_in_both_ways(tmp_path):
    (tmp_path / "letters").write_text("a file")
    file = FolderMarkFile(tmp_path / "letters", library="bu")
    for act in (file.read, lambda: file.write(a_mark())):
        with pytest.raises(LetterStoreUnavailable, match="repère des envois"):
            act()


@NOT_ROOT
def test_a_read_only_folder_keeps_the_old_one(file, tmp_path):
    mark = a_mark()
    file.write(mark)
    folder = tmp_path / "letters/registre"
    folder.chmod(0o500)
    with pytest.raises(LetterStoreUnavailable):
        file.write(a_mark())
    folder.chmod(0o700)
    assert file.read() == mark


def test_it_lies_in_the_storage_of_the_installation(tmp_path, monkeypatch):
    from loan_reminders.hooks.marks import mark_file

    for place in (str(tmp_path / "a"), f"file://{tmp_path}/b"):
        monkeypatch.setenv("REMINDERS_STORAGE", place)
        mark = a_mark()
        mark_file("bu").write(mark)
        assert mark_file("bu").read() == mark
    assert {path.name for path in tmp_path.glob("*/registre/*")} == {"bu.json"}
