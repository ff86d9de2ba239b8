"""The wheel, built and installed where nothing of this repository can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = ("PYTHONPATH", "REMINDERS_", "AIRFLOW", "_AIRFLOW")


@dataclass(frozen=True)
class Site:
    """An environment of its own with the package in it, and an empty folder to work in."""

    python: Path
    wheel: Path
    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a host sets: nothing that leads to this repository; no browser, no PDF tools."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN)}
        home = {"AIRFLOW_HOME": str(self.folder / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        return {**kept, **home, "PATH": str(self.python.parent), **more}

    def run(self, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment, in the empty folder."""
        return subprocess.run(
            [self.python.parent / words[0], *words[1:]], cwd=self.folder, env=self.environment(**more),
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Built with the build backend of this environment, installed without asking any index for anything."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels, environment, work = folder / "wheels", folder / "environment", folder / "work"
    alone = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *alone, "--no-build-isolation", "--wheel-dir", wheels, ROOT], check=True)
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    [wheel] = wheels.glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", *alone, wheel], check=True)
    own = sysconfig.get_path("purelib", vars={"base": str(environment)})
    # It sees the packages of this environment, which Airflow's are among.
    (Path(own) / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    work.mkdir()
    return Site(python=python, wheel=wheel, folder=work)


@pytest.fixture(scope="session")
def packed(site: Site) -> set[str]:
    """The names of the files in the wheel."""
    with ZipFile(site.wheel) as file:
        return set(file.namelist())
