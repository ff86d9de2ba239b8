"""Known holes of the pinned packages, and the list of all that is installed (SBOM): `make audit`.

    python .ci/audit.py          pip-audit over all pins but the bench's, into var/audit.json
    python .ci/audit.py --sbom   only the SBOM of what production runs, var/sbom.json (CycloneDX); asks nobody

Ends with 1 when a package has a known hole that a newer version mends, unless `.ci/accepted-holes.toml` accepts it
until a day that has not passed; a hole that no version mends is told. Without a way to the advisories nothing is
checked: that is said, and it ends with 0, so that a machine without a network is not red. OSV_URL in the environment
is another server that answers as OSV does.
"""
# ruff: noqa: S603, T201

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests
from pip_audit._service.osv import OsvService

ROOT = Path(__file__).resolve().parents[1]
PINS = tuple(sorted({path.name for path in ROOT.glob("requirements*.txt")} - {"requirements-bench.txt"}))
"""pip-audit does not follow a file into the one that it names."""
ACCEPTED = Path(os.environ.get("AUDIT_ACCEPTED", ROOT / ".ci/accepted-holes.toml"))
VAR = Path(os.environ.get("AUDIT_OUTPUT", ROOT / "var"))
PATIENCE_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A known hole of a package that we pin."""

    package: str
    version: str
    names: frozenset[str]
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.mended_in)}" if self.mended_in else "no version mends it"
        return f"{self.package} {self.version}: {', '.join(sorted(self.names))}, {mended}"


def accepted(today: date) -> tuple[dict[str, str], list[str]]:
    """The holes that are accepted today, by name, with the reason of each; and what is wrong with the list."""
    content = tomllib.loads(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.exists() else {}
    good, wrong = {}, []
    for entry in content.get("accepted", []):
        if not isinstance(entry.get("until"), date) or not entry.get("hole") or not entry.get("reason", "").strip():
            wrong.append(f"{ACCEPTED.name}: an entry needs hole, reason and until (a date): {entry}")
        elif entry["until"] < today:
            wrong.append(f"{ACCEPTED.name}: {entry['hole']} was accepted until {entry['until']}; decide anew")
        else:
            good[entry["hole"]] = entry["reason"]
    return good, wrong


def unreachable(url: str) -> str:
    """Why the advisories cannot be asked; empty when they can."""
    question = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "26.0"}
    try:
        answer = requests.post(url, json=question, timeout=PATIENCE_S)
        answer.raise_for_status()
        answer.json()
    except (requests.RequestException, ValueError) as error:
        return type(error).__name__
    return ""


def holes(url: str) -> Iterator[Hole]:
    """What the advisories know of our pins. Raises SystemExit when pip-audit itself fails."""
    command = [
        sys.executable, "-m", "pip_audit", *(word for file in PINS for word in ("--requirement", file)),
        "--require-hashes", "--disable-pip",
        "--vulnerability-service", "osv", "--osv-url", url, "--format", "json", "--aliases", "on",
        "--progress-spinner", "off", "--timeout", str(PATIENCE_S), "--cache-dir", str(VAR / "pip-audit"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        sys.stderr.write(done.stderr)
        raise SystemExit("audit: pip-audit failed, nothing is known") from None
    (VAR / "audit.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    skipped = [one["name"] for one in found if "skip_reason" in one]
    if skipped:
        raise SystemExit(f"audit: pip-audit left out {', '.join(skipped)}")
    for one in found:
        for hole in one["vulns"]:
            yield _hole(one, hole)


def _hole(package: dict[str, Any], hole: dict[str, Any]) -> Hole:
    names = frozenset((hole["id"], *hole.get("aliases", [])))
    return Hole(package=package["name"], version=package["version"], names=names, mended_in=tuple(hole["fix_versions"]))


def sbom() -> None:
    """List what production runs, with the hashes of its files."""
    VAR.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "cyclonedx_py", "requirements", "requirements-server.txt",
        "--pyproject", "pyproject.toml", "--mc-type", "application", "--output-reproducible", "--output-format", "JSON",
        "--output-file", str(VAR / "sbom.json"),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    listed = json.loads((VAR / "sbom.json").read_text(encoding="utf-8"))["components"]
    print(f"sbom: {len(listed)} packages in {VAR / 'sbom.json'}")


def main(today: date) -> int:
    """Write the SBOM, ask the advisories, and judge."""
    sbom()
    if "--sbom" in sys.argv[1:]:
        return 0
    url = os.environ.get("OSV_URL", OsvService.DEFAULT_OSV_URL)
    good, wrong = accepted(today)
    reason = unreachable(url)
    if reason:
        print(f"audit: NOT DONE, the advisories cannot be reached ({reason}): nothing is known of holes")
    else:
        found = list(holes(url))
        for hole in found:
            reasons = [good[name] for name in sorted(hole.names) if name in good]
            if reasons:
                print(f"audit: accepted, {hole} ({reasons[0]})")
            elif hole.mended_in:
                wrong.append(str(hole))
            else:
                print(f"audit: to watch, {hole}")
        known = frozenset[str]().union(*(hole.names for hole in found))
        for name in sorted(good.keys() - known):
            print(f"audit: {ACCEPTED.name} accepts {name}, which no pinned package has any more: remove it")
        print(f"audit: done, {len(found)} known holes")
    for line in wrong:
        print(f"audit: FAILED, {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(date.today()))
