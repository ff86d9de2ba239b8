"""What the Dockerfile makes, on a machine without Docker: its lines are carried out in a folder, stage by stage.

Left out is what fetches packages, because this environment has the same pins, and what makes the user. What is
installed goes into a folder beside, which stands for the site-packages of the image's Python.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_HERE = ("groupadd ", "useradd ", "python -m pip check")
"""What is not carried out: accounts, and a check that would look at this machine's packages."""


@dataclass(frozen=True)
class Stage:
    """One `FROM` of the Dockerfile: its name, what it builds on, and its lines."""

    name: str
    base: str
    lines: list[tuple[str, str]] = field(default_factory=list)


def stages(text: str) -> dict[str, Stage]:
    """The stages of a Dockerfile, by name; a line that goes on is one line."""
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    found: dict[str, Stage] = {}
    for line in filter(None, map(str.strip, bare.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = stage = Stage(name, base)
        else:
            stage.lines.append((word, re.sub(r"\s+", " ", rest)))
    return found


class Image:
    """The image of a stage: `root` is its file system, `site` what is installed in its Python, `env` its variables.

    `source` is the folder that it is built from, this repository unless told otherwise.
    """

    def __init__(self, stage: str, folder: Path, source: Path = ROOT) -> None:
        self.root, self.site = folder / stage, folder / f"{stage}-site"
        self.env: dict[str, str] = {}
        self._folder, self._source, self._work = folder, source, "/"
        self._stages = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
        self.root.mkdir(parents=True)
        self.site.mkdir()
        for one in reversed(list(self._chain(stage))):
            for word, rest in one.lines:
                self._carry_out(word, rest)

    def _chain(self, name: str) -> Iterator[Stage]:
        while name in self._stages:
            yield self._stages[name]
            name = self._stages[name].base

    def _carry_out(self, word: str, rest: str) -> None:
        match word:
            case "ENV":
                self.env |= dict(re.findall(r"(\w+)=(\S+)", rest))
            case "WORKDIR":
                self._work = rest
                self.place(rest).mkdir(parents=True)
            case "COPY":
                self._copy(*rest.split())
            case "RUN" if "--require-hashes" not in rest:
                self._run(rest)
            case "RUN" | "USER":
                pass
            case _:
                raise NotImplementedError(f"{word} {rest}")

    def place(self, path: str) -> Path:
        """Where a path of the image lies here."""
        return self.root / str(Path(self._work, path)).lstrip("/")

    def _copy(self, *words: str) -> None:
        *options, target = words
        source = self._source
        if options[0].startswith("--from="):
            source = Image(options.pop(0).removeprefix("--from="), self._folder / "from", source).root
        for name in options:
            path, to = source / name.lstrip("/"), self.place(target)
            if path.is_dir():
                shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, to)

    def _run(self, line: str) -> None:
        for command in re.split(r" ?&& ", line):
            if not command.startswith(NOT_HERE):
                here = re.sub(r"(?<![\w.*])(/[a-z][\w/*.-]*)", rf"{self.root}\1", command)
                here = here.replace("--owner relances", "")
                subprocess.run(
                    here, shell=True, check=True, cwd=self.place("."), env=self._shell(), capture_output=True
                )

    def _shell(self) -> dict[str, str]:
        return {
            "PATH": f"{self.site}/bin:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(self.site),
            "PIP_TARGET": str(self.site),  # where an installation goes
            "HOME": str(self._folder),
            "AIRFLOW_HOME": str(self._folder / "airflow"),
        }
