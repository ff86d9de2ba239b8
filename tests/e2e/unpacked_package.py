"""The package as `pip install` would leave it, in a folder: nothing is installed into this environment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
_BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def unpacked_package(folder: Path, *, program: bool) -> Path:
    """Build the wheel and unpack it into this folder, to be put on PYTHONPATH; returns the folder.

    Airflow then knows our types of connection, and the plugin by its package. Without `program` only the entry points
    are there: the program itself stays where it is, so that an installation runs what is being worked on.
    """
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run([sys.executable, "-c", _BUILD, wheels], cwd=ROOT, check=True, capture_output=True)
        [wheel] = Path(wheels).glob("*.whl")
        with ZipFile(wheel) as file:
            file.extractall(folder, [name for name in file.namelist() if program or ".dist-info/" in name])
    return folder
