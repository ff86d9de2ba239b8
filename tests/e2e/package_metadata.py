"""The package's entry points, without installing it: what `pip install` would write beside it, in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_WRITE = "import sys; from hatchling.build import prepare_metadata_for_build_wheel as write; write(sys.argv[1])"


def package_metadata(folder: Path) -> Path:
    """The folder, to be put on PYTHONPATH: Airflow then knows our types of connection, and the plugin by its package.

    The program itself stays where it is, so that an installation runs what is being worked on.
    """
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", _WRITE, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder
