"""The package's entry points, without installing it: what `pip install` would write beside it, in a folder."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
_BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def package_metadata(folder: Path) -> Path:
    """The folder, to be put on PYTHONPATH: Airflow then knows our types of connection, and the plugin by its package.

    The program itself stays where it is, so that an installation runs what is being worked on.
    """
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run([sys.executable, "-c", _BUILD, wheels], cwd=ROOT, check=True, capture_output=True)
        [wheel] = Path(wheels).glob("*.whl")
        with ZipFile(wheel) as file:
            file.extractall(folder, [name for name in file.namelist() if ".dist-info/" in name])
    return folder
