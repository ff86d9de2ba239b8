"""One process that lays out one chunk of letters, or binds the chunks, and ends.

A process a chunk keeps memory flat whatever the size of the batch, uses every core, and can be killed when a template
never ends. Run as `python -m loan_reminders.rendering.letter_worker` with a job in JSON on the standard input; the
answer, in JSON, is alone on the standard output. A job holds readers' data: it travels
neither by the command line nor by a file.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"┌─ (?P<file>.+?):(?P<line>\d+):\d+")


def draw(job: dict[str, Any]) -> dict[str, Any]:
    """Lay out `facts` by the template `main` below `root` into the PDF `output`.

    Answers the first page of each letter, counted from 1, and the number of pages; or `fault` and, in `place`, the
    template's file and line. A template reaches nothing outside `root`, no system font, and no package.
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
        pdf: Any = compiler.compile(format="pdf", timestamp=datetime.fromisoformat(job["timestamp"]), pdf_tags=False)
        starts = json.loads(compiler.query("<letter-start>", field="value"))
        ends = json.loads(compiler.query("<letter-end>", field="value"))
    except typst.TypstError as error:
        return {"fault": f"Typst répond « {error.message} »", "place": _place(error.diagnostic)}
    if len(starts) != len(job["facts"]["letters"]) or len(ends) != len(starts):
        return {"fault": "chaque lettre doit avoir un début et une fin", "place": job["main"]}
    Path(job["output"]).write_bytes(pdf)
    return {"starts": starts, "pages": ends[-1]}


def _place(diagnostic: str) -> str:
    """`first_reminder/letter/letter.typ, ligne 12`, out of the engine's excerpt."""
    found = _PLACE.search(diagnostic)
    if found is None:
        return ""
    return f"{found['file'].lstrip('./')}, ligne {found['line']}"


def bind(job: dict[str, Any]) -> dict[str, Any]:
    """Bind the PDF files `chunks` into `output`, with a bookmark for each of `bookmarks` (title, page from 0).

    The same chunks give the same bytes: the file's date is the letters' and its id comes from its content.
    """
    import pikepdf

    moment = datetime.fromisoformat(job["timestamp"]).astimezone(UTC)
    sources = [pikepdf.open(chunk) for chunk in job["chunks"]]
    with pikepdf.new() as bound:
        for source in sources:
            bound.pages.extend(source.pages)
        bound.Root.Lang = pikepdf.String("fr")
        bound.Root.PageMode = pikepdf.Name.UseOutlines
        bound.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        bound.docinfo["/Title"] = job["title"]
        bound.docinfo["/Author"] = job["author"]
        bound.docinfo["/CreationDate"] = f"D:{moment:%Y%m%d%H%M%S}Z"
        with bound.open_outline() as outline:
            outline.root.extend(pikepdf.OutlineItem(title, page) for title, page in job["bookmarks"])
        bound.save(job["output"], deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    for source in sources:
        source.close()
    return {"pages": job["pages"]}


def main() -> None:
    """Do the job that comes on the standard input; `unwritable` in the answer says that the disk refused the file."""
    job = json.load(sys.stdin.buffer)
    try:
        answer = {"draw": draw, "bind": bind}[job["do"]](job)
    except OSError as error:
        answer = {"unwritable": error.strerror or type(error).__name__}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
