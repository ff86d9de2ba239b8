"""One process that lays out one posting slip, and ends.

Run as `python -m loan_reminders.rendering.registered.posting_slip_worker` with a job in JSON on the standard input; the
answer, in JSON, is alone on the standard output. A job holds readers' data: it travels neither by the command line
nor by a file.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

STANDARD: Literal["a-2a"] = "a-2a"
"""PDF/A-2a (ISO 19005-2): archivable and accessible, like the letters themselves."""


def draw(job: dict[str, Any]) -> dict[str, Any]:
    """Lay out `facts` by the template `main` below `root` into the PDF `output`; answers nothing, or `fault`.

    The template reaches nothing outside `root`, no system font, and no package.
    """
    import typst

    root = job["root"]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[job["fonts"]])
    compiler = typst.Compiler(
        str(Path(root) / job["main"]),
        root=root,
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(job["facts"])},
        package_path=root,
        package_cache_path=root,
    )
    try:
        pdf: Any = compiler.compile(
            format="pdf", timestamp=datetime.fromisoformat(job["timestamp"]), pdf_standards=[STANDARD]
        )
    except typst.TypstError as error:
        return {"fault": f"Typst répond « {error.message} »"}
    Path(job["output"]).write_bytes(pdf)
    return {}


def main() -> None:
    """Do the job that comes on the standard input; `unwritable` in the answer says that the disk refused the file."""
    job = json.load(sys.stdin.buffer)
    try:
        answer = draw(job)
    except OSError as error:
        answer = {"unwritable": error.strerror or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
