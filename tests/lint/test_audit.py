"""`make audit`, against a server of advisories on this machine; and the list of what production runs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.advisories import Advisories

ROOT = Path(__file__).resolve().parents[2]
MENDED, NOT_MENDED = ("99.0",), ()


@pytest.fixture(scope="module")
def advisories() -> Iterator[Advisories]:
    with Advisories({}) as server:
        yield server


def audited(url: str, folder: Path, accepted: str = "") -> tuple[int, str]:
    (folder / "accepted.toml").write_text(accepted, encoding="utf-8")
    environment = os.environ | {
        "OSV_URL": url, "AUDIT_OUTPUT": str(folder), "AUDIT_ACCEPTED": str(folder / "accepted.toml")
    }  # fmt: skip
    run = [sys.executable, ROOT / ".ci/audit.py"]
    done = subprocess.run(run, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def pins(*files: str) -> set[tuple[str, str]]:
    text = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    return set(re.findall(r"(?m)^([\w.-]+)==([^ \\;]+)", text))


def test_a_hole_that_a_newer_version_mends_is_a_failure_unless_it_is_accepted(
    advisories: Advisories, tmp_path: Path
) -> None:
    advisories.known = {
        "requests": ("GHSA-1", ("CVE-1",), MENDED),
        "jinja2": ("GHSA-2", ("CVE-2",), MENDED),
        "click": ("GHSA-3", (), MENDED),
        "flask": ("GHSA-4", (), NOT_MENDED),
    }
    accepted = "".join(
        f'[[accepted]]\nhole = "{hole}"\nreason = "unused here"\nuntil = {until}\n'
        for hole, until in (("CVE-2", "2099-01-01"), ("GHSA-3", "2026-01-01"), ("CVE-2020-9", "2099-01-01"))
    )
    status, told = audited(advisories.url, tmp_path, f'{accepted}[[accepted]]\nhole = "CVE-5"')
    assert status == 1
    assert re.search(r"FAILED, requests [\d.]+: CVE-1, GHSA-1, mended in 99.0", told), told
    assert re.search(r"accepted, jinja2 .*\(unused here\)", told), told
    assert "GHSA-3 was accepted until 2026-01-01; decide anew" in told
    assert re.search(r"FAILED, click [\d.]+: GHSA-3", told), told
    assert re.search(r"to watch, flask [\d.]+: GHSA-4, no version mends it", told), told
    assert "accepts CVE-2020-9, which no pinned package has any more" in told
    assert "an entry needs hole, reason and until" in told
    assert "audit: done, 4 known holes" in told
    asked = {name for name, _ in advisories.asked}
    audited_files = sorted({path.name for path in ROOT.glob("requirements*.txt")} - {"requirements-bench.txt"})
    texts = "".join((ROOT / file).read_text(encoding="utf-8") for file in audited_files)
    elsewhere = set(re.findall(r"(?m)^([\w.-]+)==\S+ ; ", texts))  # some systems or Pythons only
    assert asked >= {name for name, _ in pins(*audited_files)} - elsewhere, "every pin is asked of"


def test_what_is_accepted_or_cannot_be_mended_fails_nothing(advisories: Advisories, tmp_path: Path) -> None:
    advisories.known = {"jinja2": ("GHSA-2", ("CVE-2",), MENDED), "flask": ("GHSA-4", (), NOT_MENDED)}
    accepted = '[[accepted]]\nhole = "CVE-2"\nreason = "unused here"\nuntil = 2099-01-01'
    assert audited(advisories.url, tmp_path, accepted)[0] == 0


def test_without_advisories_it_says_that_nothing_was_checked(tmp_path: Path) -> None:
    status, told = audited("http://127.0.0.1:9/v1/query", tmp_path)
    assert status == 0
    assert "NOT DONE, the advisories cannot be reached (ConnectionError)" in told
    assert "audit: done" not in told


def test_an_answer_that_is_none_is_nobody_there(advisories: Advisories, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.spec_from_file_location("audit", ROOT / ".ci/audit.py")
    assert found is not None
    assert found.loader is not None
    audit = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, "audit", audit)
    found.loader.exec_module(audit)
    advisories.known = {}
    assert audit.unreachable(advisories.url) == ""
    monkeypatch.setattr(advisories, "status", 503)
    assert audit.unreachable(advisories.url) == "HTTPError"
    monkeypatch.setattr(advisories, "status", 200)
    monkeypatch.setattr(advisories, "garbled", True)
    assert audit.unreachable(advisories.url) == "JSONDecodeError"


def test_the_sbom_lists_what_production_runs_with_its_hashes(tmp_path: Path) -> None:
    environment = os.environ | {"AUDIT_OUTPUT": str(tmp_path)}
    subprocess.run([sys.executable, ROOT / ".ci/audit.py", "--sbom"], env=environment, check=True, cwd=tmp_path)
    made = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert made["bomFormat"] == "CycloneDX"
    assert made["metadata"]["component"]["name"] == "loan-reminders"
    listed = {(one["name"], one["version"]) for one in made["components"]}
    assert listed == pins("requirements.txt", "requirements-server.txt")
    assert all(one.get("externalReferences") or one.get("hashes") for one in made["components"])
