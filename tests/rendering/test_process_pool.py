"""The pool of preloaded processes: each job in a fork, and whatever becomes of it, the next one is answered."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from loan_reminders.rendering.compile_pdf import ARCHIVABLE, COMPILE
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER
from loan_reminders.rendering.process_pool import DiskRefused, JobStopped, ProcessPool

TEMPLATE = """#set document(title: "Essai")
#set text(font: "Noto Sans")
#metadata(json(bytes(sys.inputs.facts)).name) <name>
Bonjour"""


@pytest.fixture
def pool() -> Any:
    with ProcessPool(timeout_s=30) as pool:
        yield pool


def a_job(folder: Path, *, name: str = "", text: str = TEMPLATE, output: str = "out.pdf") -> dict[str, Any]:
    (folder / "main.typ").write_text(text, encoding="utf-8")
    return {
        "root": str(folder),
        "main": "main.typ",
        "fonts": str(FONTS_FOLDER),
        "inputs": {"facts": {"name": name}},
        "timestamp": "2026-12-04T00:00:00+00:00",
        "standards": [ARCHIVABLE],
        "output": str(folder / output),
        "labels": ["name"],
    }


def processes() -> set[str]:
    """The processes that this one started and that live."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


def test_a_job_is_answered_and_its_file_written(tmp_path: Path, pool: ProcessPool) -> None:
    name = '#panic("x") $a$ \u674e'
    assert pool.ask(COMPILE, a_job(tmp_path, name=name)) == {"metadata": {"name": [name]}}
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_a_wrong_template_is_told_with_its_place(tmp_path: Path, pool: ProcessPool) -> None:
    answer = pool.ask(COMPILE, a_job(tmp_path, text="Bonjour\n#nobody"))
    assert answer == {"fault": "unknown variable: nobody", "place": "main.typ, ligne 2"}


def test_a_fork_that_dies_costs_its_own_job_alone(tmp_path: Path, pool: ProcessPool) -> None:
    before = processes()
    pool.ask(COMPILE, a_job(tmp_path))
    started = processes() - before
    with pytest.raises(JobStopped, match="arrêté avec le code 1"):
        pool.ask(COMPILE, {})
    with pytest.raises(DiskRefused, match="No such file"):
        pool.ask(COMPILE, a_job(tmp_path, output="none/out.pdf"))
    assert "metadata" in pool.ask(COMPILE, a_job(tmp_path))
    assert processes() - before == started
    assert len(started) == 1


def test_a_job_without_end_is_stopped_and_none_is_left(tmp_path: Path) -> None:
    before = processes()
    with ProcessPool(timeout_s=2) as pool:
        with pytest.raises(JobStopped, match="pas de réponse en 2 s"):
            pool.ask(COMPILE, a_job(tmp_path, text="#for a in range(100000) { for b in range(100000) { a = b } }"))
        assert processes() == before


def test_threads_that_ask_at_once_have_a_process_each(tmp_path: Path, pool: ProcessPool) -> None:
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda folder: pool.ask(COMPILE, a_job(folder, name=folder.name)), folders))
    assert [answer["metadata"]["name"] for answer in answers] == [[folder.name] for folder in folders]
