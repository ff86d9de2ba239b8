"""Write the DAG files where Airflow reads DAGs: after `pip install`, and again after each upgrade.

    loan-reminders dags --write /opt/airflow/dags

A DAG file is wiring only, the same at every site; what a library may change is in `library.toml`. So a file of ours
that lies there is replaced, and files of others are left alone: when one has the name of one of ours, nothing is
written. A file of ours that somebody changed by hand is told, and kept beside as `<name>.py.old`, or under the next
name that is free: what was kept before stays.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from loan_reminders.commands.registry import command_parser
from loan_reminders.french.plurals import many
from loan_reminders.places import DAGS

_PACKAGE = b"loan_reminders"
_OF_OTHERS = (
    "--write {folder} : ces fichiers ne sont pas de ce programme, et ont le nom d'un de ses DAG : {files}. Rien n'est"
    " écrit. Les renommer, ou donner un sous-dossier de celui des DAG d'Airflow\n"
)
_MORE = """\
Airflow lit les DAG dans un dossier ([core] dags_folder). À relancer après chaque mise à jour : un fichier de la version
d'avant est remplacé ; s'il diffère, il reste à côté, sous le nom <fichier>.py.old (ou .old-2, .old-3…). Les fichiers
d'autrui ne sont pas touchés : si l'un d'eux a le nom d'un des nôtres, rien n'est écrit. Sans --write : la liste des
DAG, et où sont leurs fichiers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output why a file cannot be written."""
    parser = command_parser("dags", more=_MORE)
    parser.add_argument("--write", type=Path, metavar="DOSSIER", help="le dossier des DAG d'Airflow")
    folder: Path | None = parser.parse_args(arguments).write
    files = sorted(DAGS.glob("*.py"))
    if folder is None:
        sys.stdout.write("".join(f"{path}\n" for path in files))
        return 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.resolve() == DAGS.resolve():
            parser.error(f"--write {folder} : ce dossier est celui des DAG d'origine")
        others = [path.name for path in files if _is_of_others(folder / path.name)]
        if others:
            sys.stderr.write(_OF_OTHERS.format(folder=folder, files=", ".join(others)))
            return 1
        kept = [old for path in files if (old := _write(folder / path.name, path.read_bytes()))]
    except OSError as error:
        sys.stderr.write(f"--write {folder} : écriture impossible ({error.strerror})\n")
        return 1
    for old in kept:
        sys.stdout.write(f"{old.name} : le fichier d'avant, qui était différent\n")
    sys.stdout.write(f"{many(len(files), 'DAG écrit', 'DAG écrits')} dans {folder}\n")
    return 0


def _is_of_others(path: Path) -> bool:
    """Whether somebody else's file lies where one of ours is to be: each of ours, of any version, names our package."""
    return path.exists() and _PACKAGE not in path.read_bytes()


def _write(path: Path, content: bytes) -> Path | None:
    """Write one file whole; returns where the one before is kept, when it was another."""
    before = path.read_bytes() if path.exists() else content
    old = _keep(path, before) if before != content else None
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".dag-", delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    return old


def _keep(path: Path, content: bytes) -> Path:
    """Keep what was there beside, over nothing that was kept before; what is kept already is not kept twice."""
    names = (path.with_name(f"{path.name}.old{f'-{number}' if number > 1 else ''}") for number in count(1))
    old = next(name for name in names if not name.exists() or name.read_bytes() == content)
    old.write_bytes(content)
    return old
