"""A process that lays out chunks of letters, each in a copy of itself that ends with it.

A process a chunk keeps memory flat whatever the size of the batch, uses every core, and can be killed when a template
never ends; a copy begins with the engine already loaded. Run as
`python -m loan_reminders.rendering.letters.preloaded_process` with jobs on the standard input and answers, nothing
else, on the standard output. A job holds readers' data: it travels neither by the command line nor by a file.
"""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from loan_reminders.rendering.letters.pieces import separate

STANDARDS: Final[list[Any]] = ["a-2a", "ua-1"]
"""What the engine checks and promises of its pages: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1)."""

_PLACE = re.compile(r"┌─ (?P<file>.+?):(?P<line>\d+):\d+")


def draw(job: dict[str, Any]) -> dict[str, Any]:
    """Lay out `facts` by the template `main` below `root` into the piece file `output`.

    Answers the first and the last page of each letter, counted from 1, and the number of pages; or `fault` and, in
    `place`, the template's file and line. A template reaches nothing outside `root`, no system font, and no package.
    """
    import typst

    root = Path(job["root"])
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[job["fonts"]])
    compiler = typst.Compiler(
        str(root / job["main"]),
        root=str(root),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(job["facts"], ensure_ascii=False)},
        package_path=str(root),
        package_cache_path=str(root),
    )
    try:
        pdf: Any = compiler.compile(
            format="pdf", timestamp=datetime.fromisoformat(job["timestamp"]), pdf_standards=STANDARDS
        )
        starts = json.loads(compiler.query("<letter-start>", field="value"))
        ends = json.loads(compiler.query("<letter-end>", field="value"))
    except typst.TypstError as error:
        return _fault(error.message, _place(error.diagnostic), job["main"])
    if len(starts) != len(job["facts"]["letters"]) or len(ends) != len(starts):
        return {"fault": "chaque lettre doit avoir un début et une fin", "place": job["main"]}
    try:
        separate(pdf, Path(job["output"]))
    except ValueError as error:
        return {"fault": str(error), "place": job["main"]}
    return {"starts": starts, "ends": ends}


def _fault(message: str, place: str, main: str) -> dict[str, Any]:
    """What the engine refused; a document that no layout began has no title, which PDF/UA asks for first."""
    if "missing document title" in message:
        return {"fault": "chaque lettre doit avoir un début et une fin", "place": main}
    return {"fault": f"Typst répond « {message} »", "place": place or (main if message.startswith("PDF/") else "")}


def _place(diagnostic: str) -> str:
    """`first_reminder/letter/letter.typ, ligne 12`, out of the engine's excerpt."""
    found = _PLACE.search(diagnostic)
    if found is None:
        return ""
    return f"{found['file'].lstrip('./')}, ligne {found['line']}"


def serve() -> None:
    """Do each job, a line of JSON on the standard input, in a copy of this process; its answer is a line of JSON.

    `unwritable` in the answer says that the disk refused the file, `stopped` with which code the copy ended otherwise.
    """
    import pikepdf  # noqa: F401 - loaded once, for all the copies
    import typst  # noqa: F401

    for line in sys.stdin.buffer:
        copy = os.fork()
        if not copy:
            _answer(line)
        status = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if status:
            _say({"stopped": status})


def _answer(line: bytes) -> NoReturn:
    """Do one job and end, whatever happens; code 0 when it was answered."""
    code = 1
    try:
        try:
            answer = draw(json.loads(line))
        except OSError as error:
            answer = {"unwritable": error.strerror or type(error).__name__}
        _say(answer)
        code = 0
    finally:
        os._exit(code)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
