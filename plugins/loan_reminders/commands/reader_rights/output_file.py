"""What a command makes, handed over: a file that is whole or not at all, or the standard output.

A file may hold a reader's data, so it is its owner's alone, and never left lying under another name. In a container,
whose own files nobody else sees, `--sortie -` gives it to the shell that the command was typed in.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loan_reminders.domain.errors import SettingsError

STANDARD_OUTPUT = Path("-")
OUTPUT_HELP = "le fichier à écrire ; - pour la sortie standard, à diriger vers un fichier"
_OUT, _ERROR = 1, 2
"""The numbers by which the system knows the two outputs, whoever writes to them."""

HandOver = Callable[[bytes, str], None]
"""Told a file's content, and a line about it. Raises SettingsError, and leaves nothing behind then."""


@contextmanager
def handed_over(output: Path) -> Iterator[HandOver]:
    """Where a file goes. When that is the standard output, all else that is said goes to the other, Airflow's log too.

    Raises SettingsError before anything is done or noted when the standard output is a terminal.
    """
    if output != STANDARD_OUTPUT:
        yield lambda content, words: _write_whole(output, content, words)
        return
    if sys.stdout.isatty():
        raise SettingsError(
            "--sortie - : la sortie standard est un terminal. La diriger vers un fichier (> FICHIER), et avec Docker"
            " Compose taper exec -T."
        )
    sys.stdout.flush()
    with open(os.dup(_OUT), "wb") as standard_output:
        os.dup2(_ERROR, _OUT)
        try:

            def hand_over(content: bytes, words: str) -> None:
                try:
                    standard_output.write(content)
                    standard_output.flush()
                except OSError as error:
                    raise _not_written(output, error) from None
                sys.stderr.write(f"{words}\n")

            yield hand_over
        finally:
            sys.stdout.flush()
            os.dup2(standard_output.fileno(), _OUT)


def _write_whole(output: Path, content: bytes, words: str) -> None:
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
        raise _not_written(output, error) from None
    sys.stdout.write(f"{output} : {words}\n")


def _not_written(output: Path, error: OSError) -> SettingsError:
    return SettingsError(f"--sortie {output} : écriture impossible ({error.strerror})")
