"""French words leave with spaces that do not break: whoever makes a page, an e-mail or a sheet keeps the rule."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path("plugins/loan_reminders")
LAYOUTS = Path("templates/_layouts")
_MAKES = re.compile(r"(?<!import )\b(?:HTMLResponse|EmailMessage|RenderedEmail)\((?!\))")
_BY_THE_RULE = re.compile(r"\bspaced(?:_page)?\(")
AS_IT_IS = {"web/messages/page.py": "shows an e-mail as its reader gets it, and a letter's own pages"}
"""Modules that hand out what another one made, each with the reason."""

_SHEET = re.compile(r'\blang: "fr"')
_SHEET_RULES = ("[ \\u{a0}][;!?]", " [:»]", "« ")


def unspaced(root: Path) -> list[str]:
    """A sentence for each module that makes HTML or an e-mail, and each French layout, that knows no such spaces."""
    faults = []
    for path in sorted((root / PACKAGE).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        known = path.relative_to(root / PACKAGE).as_posix() in AS_IT_IS or _BY_THE_RULE.search(text)
        if _MAKES.search(text) and not known:
            faults.append(f"{path.relative_to(root)}: what it makes is to go through french/typography.py")
    for path in sorted((root / LAYOUTS).rglob("*.typ")):
        text = path.read_text(encoding="utf-8")
        missing = [rule for rule in _SHEET_RULES if f'show regex("{rule}")' not in text]
        if _SHEET.search(text) and missing:
            faults.append(f"{path.relative_to(root)}: no rule for the spaces of {', '.join(missing)}")
    return faults
