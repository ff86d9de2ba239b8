"""A Typst template and its facts become a PDF: the one place where the engine is set up, for whatever is printed.

What readers, the ILS or servers wrote is data, never markup: it travels as JSON in `inputs`. A template reaches nothing
outside its `root`, no font of the machine, and no package. The engine can be asked to go on for ever, so this is called
in a process that can be stopped (`process_pool`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict

COMPILE: Final = "compile_pdf"
"""What `process_pool` calls this work."""

ARCHIVABLE: Final = "a-2a"
"""PDF/A-2a (ISO 19005-2): kept for years, readable by machines."""

ACCESSIBLE: Final = "ua-1"
"""PDF/UA-1 (ISO 14289-1): readable aloud."""

_PLACE = re.compile(r"┌─ (?P<file>.+?):(?P<line>\d+):\d+")


class PdfJob(TypedDict):
    """One PDF to make; plain values, because it travels to another process as JSON.

    `main` is the template, below the folder `root`; `fonts` a folder of font files. `inputs` are what the template
    reads in `sys.inputs`, each as JSON. `timestamp` (ISO 8601, with a zone) is the moment the PDF says it was made at.
    `standards` are what the engine checks and promises of its pages. `output` is the file to write. `labels` are those
    whose metadata the answer tells.
    """

    root: str
    main: str
    fonts: str
    inputs: Mapping[str, Any]
    timestamp: str
    standards: Sequence[str]
    output: str
    labels: NotRequired[Sequence[str]]


class PdfAnswer(TypedDict, total=False):
    """What became of a job: `metadata`, the values behind each label in the order of the pages; or why there is no PDF.

    `fault` is that, in French, and `place` the template's file and line, empty when the engine does not say. The words
    of the engine may quote what was to be written: `without_quotes` before somebody else reads them.
    """

    metadata: dict[str, list[Any]]
    fault: str
    place: str


def compile_pdf(job: PdfJob) -> PdfAnswer:
    """Lay out one job into its output file. Raises OSError when the disk refuses the file."""
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[job["fonts"]])
    compiler = typst.Compiler(
        str(Path(job["root"]) / job["main"]),
        root=job["root"],
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(value, ensure_ascii=False) for name, value in job["inputs"].items()},
        package_path=job["root"],
        package_cache_path=job["root"],
    )
    standards: Any = list(job["standards"])
    try:
        pdf: Any = compiler.compile(
            format="pdf", timestamp=datetime.fromisoformat(job["timestamp"]), pdf_standards=standards
        )
        metadata = {label: json.loads(compiler.query(f"<{label}>", field="value")) for label in job.get("labels", ())}
    except typst.TypstError as error:
        return {"fault": error.message, "place": _place(error.diagnostic, job["root"])}
    Path(job["output"]).write_bytes(pdf)
    return {"metadata": metadata}


def without_quotes(fault: str) -> str:
    """The engine's words without what they quote."""
    return re.sub(r'"[^"]*"', "…", fault)


def _place(diagnostic: str, root: str) -> str:
    """`first_reminder/letter/letter.typ, ligne 12`, out of the excerpt, which names files as seen from this process."""
    found = _PLACE.search(diagnostic)
    if found is None:
        return ""
    return f"{os.path.relpath(os.path.realpath(found['file']), os.path.realpath(root))}, ligne {found['line']}"
