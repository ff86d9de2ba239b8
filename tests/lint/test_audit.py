"""`make audit`, against a server of advisories on this machine; and the list of what production runs."""

from __future__ import annotations

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
HOLE = ("GHSA-aaaa-bbbb-cccc", ("CVE-2026-1",), ("99.0",))


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
    advisories.known = {"jinja2": HOLE}
    status, told = audited(advisories.url, tmp_path)
    assert status == 1
    assert re.search(r"FAILED, jinja2 [\d.]+: CVE-2026-1, GHSA-aaaa-bbbb-cccc, mended in 99.0", told), told
    asked = {name for name, _ in advisories.asked}
    assert asked >= {name for name, _ in pins("requirements.txt", "requirements-server.txt")}, (
        "every pin is asked about"
    )
    accepted = '[[accepted]]\nhole = "CVE-2026-1"\nreason = "unused"\nuntil = '
    status, told = audited(advisories.url, tmp_path, f"{accepted}2099-01-01")
    assert (status, "accepted, jinja2" in told, "(unused)" in told) == (0, True, True)
    status, told = audited(advisories.url, tmp_path, f"{accepted}2026-01-01")
    assert (status, "was accepted until 2026-01-01; decide anew" in told) == (1, True)


def test_what_no_version_mends_is_told_and_an_acceptance_for_nothing_too(
    advisories: Advisories, tmp_path: Path
) -> None:
    advisories.known = {"jinja2": (HOLE[0], (), ())}
    accepted = '[[accepted]]\nhole = "CVE-2020-9"\nreason = "gone"\nuntil = 2099-01-01\n[[accepted]]\nhole = "CVE-1"'
    status, told = audited(advisories.url, tmp_path, accepted)
    assert "to watch, jinja2" in told
    assert "accepts CVE-2020-9, which no pinned package has any more" in told
    assert (status, "an entry needs hole, reason and until" in told) == (1, True)


@pytest.mark.parametrize("trouble", ["nobody there", "an error", "a page that is no answer"])
def test_without_advisories_it_says_that_nothing_was_checked(
    advisories: Advisories, tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://127.0.0.1:9/v1/query" if trouble == "nobody there" else advisories.url
    monkeypatch.setattr(advisories, "status", 503 if trouble == "an error" else 200)
    monkeypatch.setattr(advisories, "garbled", trouble == "a page that is no answer")
    status, told = audited(url, tmp_path)
    assert status == 0
    assert "NOT DONE, the advisories cannot be reached" in told
    assert "audit: done" not in told


def test_the_sbom_lists_what_production_runs_with_its_hashes(tmp_path: Path) -> None:
    environment = os.environ | {"AUDIT_OUTPUT": str(tmp_path)}
    subprocess.run([sys.executable, ROOT / ".ci/audit.py", "--sbom"], env=environment, check=True, cwd=tmp_path)
    made = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))
    assert made["bomFormat"] == "CycloneDX"
    assert made["metadata"]["component"]["name"] == "loan-reminders"
    listed = {(one["name"], one["version"]) for one in made["components"]}
    assert listed == pins("requirements.txt", "requirements-server.txt")
    assert all(one.get("externalReferences") or one.get("hashes") for one in made["components"])
