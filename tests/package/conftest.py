"""The wheel, built and installed where nothing of this repository can be seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = ("PYTHONPATH", "REMINDERS_", "AIRFLOW", "_AIRFLOW")
PIP = {"PIP_NO_INDEX": "1", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_BUILD_ISOLATION": "0"}
"""pip asks no index, and builds with what is here (of this variable it takes 0 for "no isolation")."""


@dataclass(frozen=True)
class Site:
    """An environment of its own with the package in it, and an empty folder to work in."""

    python: Path
    clone: Path
    folder: Path

    @property
    def wheel(self) -> Path:
        """The wheel that was built."""
        [wheel] = (self.clone / "dist").glob("*.whl")
        return wheel

    def type(self, *lines: str, **more: str) -> str:
        """Type these lines in the clone, where no package can be fetched; what they say. Fails with the first line."""
        shell = self.environment(**(PIP | more))
        shell["PATH"] += ":/usr/bin:/bin"
        done = subprocess.run(
            ["sh", "-e"], input="\n".join(lines), cwd=self.clone, env=shell, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (lines, done.stdout, done.stderr)
        return done.stdout

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


NEEDED = ("pyproject.toml", "README.md", "LICENSE", "NOTICE.md", "library.toml", "templates", "sql", "plugins", "dags")
"""Of a clone, what an installation reads, besides the requirements."""


def page_lines(section: str) -> list[str]:
    """The commands that a section of docs/install.md tells its reader to type."""
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert found, section
    return found


def clone(folder: Path) -> Path:
    """A fresh clone of this repository, as far as an installation needs it."""
    folder.mkdir()
    for name in (*NEEDED, *(path.name for path in ROOT.glob("requirements*.txt"))):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def new_environment(folder: Path) -> Path:
    """A virtual environment that sees the packages of this one, pip and Airflow's among them. Returns its Python."""
    venv.create(folder, with_pip=False)
    own = sysconfig.get_path("purelib", vars={"base": str(folder)})
    (Path(own) / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Built and installed as the page says, without asking any index for anything."""
    folder = tmp_path_factory.mktemp("package")
    work = folder / "work"
    work.mkdir()
    built = Site(python=new_environment(folder / "environment"), clone=clone(folder / "clone"), folder=work)
    for line in page_lines("The wheel"):
        built.type(line)
    return built


@pytest.fixture(scope="session")
def packed(site: Site) -> set[str]:
    """The names of the files in the wheel."""
    with ZipFile(site.wheel) as file:
        return set(file.namelist())
