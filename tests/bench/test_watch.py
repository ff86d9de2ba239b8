"""How much memory a process is said to take."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.report import ROOT
from tests.bench.watch import peak_mb

ITS_OWN = "from tests.bench.watch import peak_mb; print(peak_mb())"


def test_what_the_parent_has_is_not_the_childs():
    ballast = bytearray(200 * 2**20)
    started = subprocess.run([sys.executable, "-c", ITS_OWN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(ballast) / 2**20 < peak_mb()
    assert float(started.stdout) < 100
