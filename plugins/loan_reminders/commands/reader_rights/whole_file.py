"""A file with a reader's data in it: whole or not at all, and never left lying under another name."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from loan_reminders.domain.errors import SettingsError


def write_whole(output: Path, content: bytes) -> None:
    """Write the file whole, readable by its owner alone. Raises SettingsError, and leaves nothing behind then."""
    half = None
    try:
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=".a-finir-", delete=False) as file:
            half = file.name
            file.write(content)
        os.replace(half, output)
    except OSError as error:
        if half is not None:
            with suppress(OSError):
                os.unlink(half)
        raise SettingsError(f"--sortie {output} : écriture impossible ({error.strerror})") from None
