"""Files of readers' data that only this account may open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def open_private(path: Path) -> BinaryIO:
    """A new or emptied file to write bytes to, mode 0600 whatever the account's umask."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def keep_private() -> None:
    """Let all that this process writes from now on be for its account alone; for processes of our own making."""
    os.umask(0o077)
