"""The bench's side of `forks`: a process that forks tasks, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.report import ROOT
from tests.bench.watch import Watch


class TaskHost:
    """A context manager. `environment` is the one Airflow is imported in, `folder` holds what tasks answer."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def __enter__(self) -> Self:
        self._answers = Path(tempfile.mkdtemp(prefix="task-", dir=self._folder))
        with (self._answers / "host").open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.forks"], env=dict(self._environment), cwd=ROOT,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()  # the end of its orders is its end

    def run(
        self, verb: str, arguments: Mapping[str, Any], environment: Mapping[str, str], *, together: bool
    ) -> dict[str, Any]:
        """Do one task and wait for its figures. Raises SystemExit with its words when it fails."""
        figures, errors = self._answers / "figures", self._answers / "errors"
        figures.unlink(missing_ok=True)
        order = {"verb": verb, "arguments": arguments, "environment": environment}
        since = time.monotonic()
        self._tell(json.dumps({**order, "figures": str(figures), "errors": str(errors)}))
        child = self._hear()
        with Watch(child if together else 0) as watch:
            status = self._hear()
        wall = time.monotonic() - since
        if status or not figures.exists():
            raise SystemExit(f"{verb} failed:\n{errors.read_text(encoding='utf-8')[-4000:]}")
        return {"wall": wall, "together_mb": watch.peak_mb, **json.loads(figures.read_text(encoding="utf-8"))}

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def _hear(self) -> int:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise SystemExit(f"tasks cannot be forked:\n{(self._answers / 'host').read_text(encoding='utf-8')[-4000:]}")
        return int(line)
