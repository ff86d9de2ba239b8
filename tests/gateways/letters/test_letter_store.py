"""The folder of batches: on a real disk, and through Airflow's object storage on the same disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from airflow.sdk import ObjectStoragePath

from loan_reminders.domain.errors import LetterStoreUnavailable, SettingsError
from loan_reminders.gateways.letters import letter_store as letter_store_module
from loan_reminders.gateways.letters.letter_store import PIECE, FolderLetterStore
from loan_reminders.gateways.letters.store_paths import keep_private
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.runs.rehearse import sweep_rehearsals

Door = Callable[[Path], Any]
DOORS = [pytest.param(Path, id="disk"), pytest.param(lambda path: ObjectStoragePath(f"file://{path}"), id="airflow")]


def kept(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("door", DOORS)
class TestBatches:
    def test_files_are_kept_under_the_batch(self, door: Door, tmp_path: Path) -> None:
        large = tmp_path / "large.pdf"
        large.write_bytes(os.urandom(3_000_000))
        root = tmp_path / "not" / "yet" / "there"
        places = FolderLetterStore(door(root)).store("lot-1", [("lettres.pdf", large), ("lettres.csv", b"a;b")])
        assert places == ("lot-1/lettres.pdf", "lot-1/lettres.csv")
        assert kept(root) == {"lot-1/lettres.pdf": large.read_bytes(), "lot-1/lettres.csv": b"a;b"}

    def test_a_name_may_have_folders(self, door: Door, tmp_path: Path) -> None:
        store = FolderLetterStore(door(tmp_path))
        assert store.store("essai/premier", [("a", b"1")]) == ("essai/premier/a",)
        assert store.store("essai/second", [("a", b"2")]) == ("essai/second/a",)

    def test_a_batch_is_never_written_over(self, door: Door, tmp_path: Path) -> None:
        store = FolderLetterStore(door(tmp_path))
        places = [store.store("lot", [("a", str(number).encode())])[0] for number in range(3)]
        assert places == ["lot/a", "lot-2/a", "lot-3/a"]
        assert kept(tmp_path) == {"lot/a": b"0", "lot-2/a": b"1", "lot-3/a": b"2"}

    def test_nobody_sees_half_a_file(self, door: Door, tmp_path: Path) -> None:
        seen: list[list[str]] = []

        def files() -> Iterator[tuple[str, bytes]]:
            for number in range(3):
                seen.append(sorted(path.name for path in (tmp_path / "lot").iterdir()))
                yield f"{number}", b"x"

        FolderLetterStore(door(tmp_path)).store("lot", files())
        assert seen == [[], ["0"], ["0", "1"]]

    def test_a_batch_whose_files_fail_is_taken_back(self, door: Door, tmp_path: Path) -> None:
        def files() -> Iterator[tuple[str, bytes]]:
            yield "first", b"x"
            raise ZeroDivisionError

        store = FolderLetterStore(door(tmp_path))
        with pytest.raises(ZeroDivisionError):
            store.store("lot", files())
        assert list(tmp_path.iterdir()) == []
        assert store.store("lot", [("a", b"1")]) == ("lot/a",)

    def test_a_file_where_a_folder_should_be_makes_the_store_unavailable(self, door: Door, tmp_path: Path) -> None:
        (tmp_path / "root").write_bytes(b"")
        with pytest.raises(LetterStoreUnavailable) as caught:
            FolderLetterStore(door(tmp_path / "root")).store("lot", [("a", b"1")])
        assert str(tmp_path) not in str(caught.value)

    def test_a_disk_that_is_full_makes_the_store_unavailable_and_leaves_nothing(
        self, door: Door, tmp_path: Path
    ) -> None:
        """A source longer than the process may write: the kernel refuses the bytes midway, as on a full disk."""
        import resource
        import signal

        large = tmp_path / "large"
        large.write_bytes(b"x" * 400_000)
        root = tmp_path / "root"
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(LetterStoreUnavailable, match=r"dossier des lettres refuse l'écriture \(lettres\.pdf\)"):
                FolderLetterStore(door(root)).store("lot", [("small", b"1"), ("lettres.pdf", large)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, quiet)
        assert list(root.iterdir()) == []

    def test_a_source_that_has_gone_makes_the_store_unavailable(self, door: Door, tmp_path: Path) -> None:
        with pytest.raises(LetterStoreUnavailable):
            FolderLetterStore(door(tmp_path / "root")).store("lot", [("a", tmp_path / "gone")])
        assert list((tmp_path / "root").iterdir()) == []

    def test_another_try_sweeps_what_a_killed_one_left(self, door: Door, tmp_path: Path) -> None:
        """A try killed while it wrote leaves files, one of them half written under a hidden name."""
        (tmp_path / "lot").mkdir()
        for name in (".0123456789abcdef.part", "lettres.pdf", "lettres-2.pdf"):
            (tmp_path / "lot" / name).write_bytes(b"old")
        store = FolderLetterStore(door(tmp_path))
        assert store.store("lot", [("lettres.pdf", b"new")], replace=True) == ("lot/lettres.pdf",)
        assert kept(tmp_path) == {"lot/lettres.pdf": b"new"}

    def test_a_second_try_that_fails_leaves_nothing_of_the_first_either(self, door: Door, tmp_path: Path) -> None:
        (tmp_path / "lot").mkdir()
        for name in (".0123456789abcdef.part", "lettres.pdf"):
            (tmp_path / "lot" / name).write_bytes(b"old")
        with pytest.raises(LetterStoreUnavailable):
            FolderLetterStore(door(tmp_path)).store("lot", [("a", b"1"), ("b", tmp_path / "gone")], replace=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_batch_is_removed_whole_and_once(self, door: Door, tmp_path: Path) -> None:
        store = FolderLetterStore(door(tmp_path))
        store.store("a-valider/lot", [("a", b"1"), ("b", b"2")])
        store.store("a-valider/other", [("a", b"3")])
        for _ in range(2):
            store.remove("a-valider/lot")
        assert kept(tmp_path) == {"a-valider/other/a": b"3"}
        assert not (tmp_path / "a-valider" / "lot").exists()

    def test_a_batch_that_cannot_be_removed_is_told(self, door: Door, tmp_path: Path) -> None:
        (tmp_path / "lot" / "folder" / "inside").mkdir(parents=True)
        with pytest.raises(LetterStoreUnavailable) as caught:
            FolderLetterStore(door(tmp_path)).remove("lot")
        assert str(tmp_path) not in str(caught.value)

    def test_a_file_is_read_by_pieces(self, door: Door, tmp_path: Path) -> None:
        content = os.urandom(2_500_000)
        store = FolderLetterStore(door(tmp_path))
        (place,) = store.store("lot", [("lettres.pdf", content)])
        pieces = list(store.read(place))
        assert b"".join(pieces) == content
        assert [len(piece) for piece in pieces] == [PIECE, PIECE, 2_500_000 - 2 * PIECE]

    def test_a_file_that_is_gone_is_told_without_its_place_on_the_machine(self, door: Door, tmp_path: Path) -> None:
        with pytest.raises(LetterStoreUnavailable, match=r"ne rend pas lot/lettres\.pdf") as caught:
            next(FolderLetterStore(door(tmp_path)).read("lot/lettres.pdf"))
        assert str(tmp_path) not in str(caught.value)

    @pytest.mark.parametrize("name", ["", "../x", "/x", "a//b", ".hidden", "a/..", "a\\b"])
    def test_names_never_leave_the_root_nor_hide(self, door: Door, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match="visible parts"):
            FolderLetterStore(door(tmp_path)).store(name, [("a", b"1")])
        with pytest.raises(ValueError, match="visible parts"):
            FolderLetterStore(door(tmp_path)).store("lot", [(name, b"1")])
        with pytest.raises(ValueError, match="visible parts"):
            FolderLetterStore(door(tmp_path)).remove(name)
        with pytest.raises(ValueError, match="visible parts"):
            next(FolderLetterStore(door(tmp_path)).read(name))
        assert kept(tmp_path) == {}


def test_an_object_store_that_airflow_cannot_open_is_unavailable() -> None:
    with pytest.raises(LetterStoreUnavailable):
        FolderLetterStore(ObjectStoragePath("memory://bucket/letters")).store("lot", [("a", b"1")])


class TestTheInstallation:
    def test_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "lots"))
        letter_store().store("lot", [("a", b"1")])
        assert kept(tmp_path) == {"lots/lot/a": b"1"}

    def test_a_url(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REMINDERS_STORAGE", f"file://{tmp_path}/lots")
        letter_store().store("lot", [("a", b"1")])
        assert kept(tmp_path) == {"lots/lot/a": b"1"}

    def test_a_url_that_nothing_serves_is_a_mistake_of_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REMINDERS_STORAGE", "nosuchstore://key@bucket/letters")
        with pytest.raises(SettingsError, match="nosuchstore") as caught:
            letter_store()
        assert "bucket" not in str(caught.value)

    def test_without_the_variable_a_folder_of_the_project(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("REMINDERS_STORAGE", raising=False)
        root = letter_store()._root
        assert isinstance(root, Path)
        assert root.parts[-2:] == ("var", "letters")


def modes(root: Path) -> set[tuple[bool, int]]:
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (root, *root.rglob("*"))}


@pytest.mark.parametrize("door", DOORS)
class TestWhoMayOpen:
    @pytest.mark.parametrize("umask", [0o022, 0o000])
    def test_nobody_else_opens_what_is_stored(self, door: Door, tmp_path: Path, umask: int) -> None:
        large = tmp_path / "large.pdf"
        large.write_bytes(b"x")
        root = tmp_path / "letters" / "here"
        before = os.umask(umask)
        try:
            store = FolderLetterStore(door(root))
            store.store("a-valider/essai/lot-1", [("lettres.pdf", large), ("lettres.csv", b"a;b")])
            store.store("essai-a-blanc/lot", [("0001.eml", b"x")])
            for _ in range(2):
                store.store("lot", [("lettres.pdf", large)], replace=True)
        finally:
            os.umask(before)
        assert modes(root) == {(True, 0o700), (False, 0o600)}

    def test_a_file_is_private_before_anything_is_in_it(self, door: Door, tmp_path: Path) -> None:
        seen: list[set[tuple[bool, int]]] = []

        def watched(path: Any, mode: int) -> None:
            keep_private(path, mode)
            seen.append({(one.is_dir(), one.stat().st_size) for one in (tmp_path / "lot").rglob("*")})

        with mock.patch.object(letter_store_module, "keep_private", watched):
            FolderLetterStore(door(tmp_path)).store("lot", [("a", b"secret")])
        assert seen == [{(False, 0)}]

    def test_a_folder_made_by_hand_keeps_its_mode(self, door: Door, tmp_path: Path) -> None:
        tmp_path.chmod(0o750)
        FolderLetterStore(door(tmp_path)).store("lot", [("a", b"1")])
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


@pytest.mark.parametrize("door", DOORS)
class TestOldRehearsals:
    NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)

    def test_what_is_older_goes_and_nothing_else(self, door: Door, tmp_path: Path) -> None:
        store = FolderLetterStore(door(tmp_path))
        for name, days in (("essai-a-blanc/old/email/0001", 8), ("essai-a-blanc/new/email/0001", 6), ("lot", 400)):
            store.store(name, [("a", b"x"), ("b", b"x")])
            at = (self.NOW - timedelta(days=days)).timestamp()
            os.utime(tmp_path / name / "a", (at, at))
            os.utime(tmp_path / name / "b", (at - 86400, at - 86400))
        assert sweep_rehearsals(store, self.NOW) == 1
        assert sorted(kept(tmp_path)) == [
            "essai-a-blanc/new/email/0001/a", "essai-a-blanc/new/email/0001/b", "lot/a", "lot/b",
        ]  # fmt: skip
        assert sorted(path.name for path in (tmp_path / "essai-a-blanc").iterdir()) == ["new"]
        assert sweep_rehearsals(store, self.NOW) == 0

    def test_without_any_nothing_happens(self, door: Door, tmp_path: Path) -> None:
        assert sweep_rehearsals(FolderLetterStore(door(tmp_path / "none")), self.NOW) == 0

    def test_a_store_that_refuses_is_told_and_stops_nothing(self, door: Door, tmp_path: Path, caplog: Any) -> None:
        (tmp_path / "essai-a-blanc").write_bytes(b"no folder")
        assert sweep_rehearsals(FolderLetterStore(door(tmp_path)), self.NOW) == 0
        assert "plus de 7 jours" in caplog.text
