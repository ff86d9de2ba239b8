"""The folder of batches in an object store: a real S3 server, through Airflow's `ObjectStoragePath` and connection."""

from __future__ import annotations

import itertools
import os
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loan_reminders.domain.errors import LetterStoreUnavailable
from loan_reminders.domain.marks.high_water import Mark, written
from loan_reminders.gateways.letters.letter_store import PIECE, FolderLetterStore
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.hooks.marks import mark_file
from loan_reminders.services.runs.rehearse import sweep_rehearsals
from tests.simulators import s3_server
from tests.simulators.s3_server import S3Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not s3_server.available():
        pytest.skip(s3_server.MISSING)
    with S3Server(tmp_path_factory.mktemp("s3") / "s3.log") as running:
        yield running


@pytest.fixture
def store(server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> FolderLetterStore:
    """A store at a prefix of this test's own, opened as the installation opens it."""
    monkeypatch.setenv("AIRFLOW_CONN_LETTERS_S3", server.connection())
    monkeypatch.setenv("REMINDERS_STORAGE", f"s3://letters_s3@{server.bucket}/{request.node.name}")
    return letter_store()


def kept(server: S3Server, request: pytest.FixtureRequest) -> dict[str, bytes]:
    """What is in the bucket below this test's prefix, seen by another client."""
    prefix = f"{request.node.name}/"
    return {name.removeprefix(prefix): server.read(name) for name in server.names() if name.startswith(prefix)}


def test_files_are_kept_under_the_batch_and_read_by_pieces(store, server, request, tmp_path):
    large = tmp_path / "large.pdf"
    large.write_bytes(os.urandom(6_500_000))  # more than one part of an upload
    places = store.store("lot-1", [("lettres.pdf", large), ("lettres.csv", b"a;b")])
    assert places == ("lot-1/lettres.pdf", "lot-1/lettres.csv")
    assert kept(server, request) == {"lot-1/lettres.pdf": large.read_bytes(), "lot-1/lettres.csv": b"a;b"}
    pieces = list(store.read(places[0]))
    assert b"".join(pieces) == large.read_bytes()
    assert max(map(len, pieces)) <= PIECE


def test_a_batch_is_never_written_over(store, server, request):
    places = [store.store("lot", [("a", str(number).encode())])[0] for number in range(3)]
    assert places == ["lot/a", "lot-2/a", "lot-3/a"]
    assert kept(server, request) == {"lot/a": b"0", "lot-2/a": b"1", "lot-3/a": b"2"}


def test_nobody_sees_half_a_file_or_one_of_a_hidden_name(store, server, request):
    seen = []

    def files():
        for number in range(3):
            seen.append(sorted(kept(server, request)))
            yield f"{number}", b"x"

    store.store("lot", files())
    assert seen == [[], ["lot/0"], ["lot/0", "lot/1"]]


def test_a_batch_whose_files_fail_is_taken_back(store, server, request):
    def files():
        yield "first", b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.store("lot", files())
    assert kept(server, request) == {}
    assert store.store("lot", [("a", b"1")]) == ("lot/a",)


def test_a_source_that_has_gone_leaves_nothing(store, server, request, tmp_path):
    with pytest.raises(LetterStoreUnavailable):
        store.store("lot", [("a", b"1"), ("b", tmp_path / "gone")])
    assert kept(server, request) == {}


def test_another_try_sweeps_what_a_killed_one_left(store, server, request):
    for name in (".0123456789abcdef.part", "lettres.pdf", "lettres-2.pdf"):
        server.client().put_object(Bucket=server.bucket, Key=f"{request.node.name}/lot/{name}", Body=b"old")
    assert store.store("lot", [("lettres.pdf", b"new")], replace=True) == ("lot/lettres.pdf",)
    assert kept(server, request) == {"lot/lettres.pdf": b"new"}


def test_a_batch_is_removed_whole_and_once(store, server, request):
    store.store("a-valider/lot", [("a", b"1"), ("b", b"2")])
    store.store("a-valider/other", [("a", b"3")])
    for _ in range(2):
        store.remove("a-valider/lot")
    assert kept(server, request) == {"a-valider/other/a": b"3"}


def test_what_another_machine_changed_since_is_seen(store, server, request):
    """A client of S3 remembers listings; a web server lives for weeks, and workers write meanwhile."""
    (place,) = store.store("lot", [("a", b"mine")])
    assert list(store.read(place)) == [b"mine"]
    key = f"{request.node.name}/lot"
    server.client().put_object(Bucket=server.bucket, Key=f"{key}/b", Body=b"theirs")
    assert list(letter_store().read("lot/b")) == [b"theirs"]
    server.client().put_object(Bucket=server.bucket, Key=f"{key}/b", Body=b"longer than before")
    assert list(letter_store().read("lot/b")) == [b"longer than before"]
    assert letter_store().store("lot", [("c", b"3")]) == ("lot-2/c",)
    server.client().put_object(Bucket=server.bucket, Key=f"{request.node.name}/lot-3/x", Body=b"theirs")
    assert letter_store().store("lot", [("c", b"4")]) == ("lot-4/c",)
    assert store.store("lot", [("d", b"5")], replace=True) == ("lot/d",)  # this listed the batch
    server.client().put_object(Bucket=server.bucket, Key=f"{key}/late", Body=b"theirs")
    store.remove("lot")
    assert sorted(kept(server, request)) == ["lot-2/c", "lot-3/x", "lot-4/c"]


def test_dry_runs_of_other_machines_are_swept_by_their_age(store, server, request):
    now = datetime.now(UTC)
    store.store("essai-a-blanc/one/email/0001", [("a.eml", b"x")])
    server.client().put_object(
        Bucket=server.bucket, Key=f"{request.node.name}/essai-a-blanc/two/email/0001/b.eml", Body=b"x"
    )
    store.store("lot", [("a", b"x")])
    assert sweep_rehearsals(store, now + timedelta(days=6)) == 0
    assert sweep_rehearsals(store, now + timedelta(days=8)) == 2
    assert sorted(kept(server, request)) == ["lot/a"]
    assert sweep_rehearsals(store, now + timedelta(days=8)) == 0


def test_a_file_that_is_gone_or_a_bucket_that_is_not_there_is_told_without_its_place(store, server, monkeypatch):
    with pytest.raises(LetterStoreUnavailable, match=r"ne rend pas lot/lettres\.pdf") as caught:
        next(store.read("lot/lettres.pdf"))
    assert server.bucket not in str(caught.value)
    monkeypatch.setenv("REMINDERS_STORAGE", "s3://letters_s3@no-such-bucket/letters")
    with pytest.raises(LetterStoreUnavailable) as refused:
        letter_store().store("lot", [("a", b"1")])
    assert "no-such-bucket" not in str(refused.value)


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path, monkeypatch, server):
    gone = server.connection().replace(str(server.port), "1")
    monkeypatch.setenv("AIRFLOW_CONN_LETTERS_GONE", gone)
    monkeypatch.setenv("REMINDERS_STORAGE", f"s3://letters_gone@{server.bucket}/letters")
    with pytest.raises(LetterStoreUnavailable):
        letter_store().store("lot", [("a", b"1")])


def test_the_mark_is_read_while_others_write_it(store, server, request):
    """Two workers begin at once: each looks at the newest mark, and the other has just put its own there."""
    marks, file = [Mark(mark_id=uuid.uuid4(), at=datetime.now(UTC)) for _ in range(2)], mark_file("bu")
    file.write(marks[0])
    over, client = threading.Event(), server.client()

    def write():
        for mark in itertools.cycle(marks):
            if over.is_set():
                return
            key = f"{request.node.name}/registre/bu.json"
            client.put_object(Bucket=server.bucket, Key=key, Body=written(mark, library="bu"))

    writing = threading.Thread(target=write)
    writing.start()
    try:
        assert all(file.read() in marks for _ in range(30))
    finally:
        over.set()
        writing.join()
    assert mark_file("another").read() is None
