"""A new page, e-mail or layout that forgets the spaces that do not break is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.typography import unspaced

MODULE = "plugins/loan_reminders/web/new.py"
LAYOUT = "templates/_layouts/new.typ"
SAID = "what it makes is to go through french/typography.py"
RULES = 'show regex("[ \\u{a0}][;!?]"): x\nshow regex(" [:»]"): x\nshow regex("« "): x\n'


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        (MODULE, "return HTMLResponse(html)", [f"{MODULE}: {SAID}"]),
        (MODULE, "return HTMLResponse(spaced_page(html))", []),
        (MODULE, "from fastapi.responses import HTMLResponse", []),
        (MODULE, "message = EmailMessage(policy=SMTP)", [f"{MODULE}: {SAID}"]),
        (MODULE, "message = EmailMessage(policy=SMTP)\nmessage.set_content(spaced(words))", []),
        (LAYOUT, '#set text(lang: "fr")\n' + RULES, []),
        (
            LAYOUT,
            '#set text(lang: "fr")\n' + RULES.replace("« ", "x"),
            [f"{LAYOUT}: no rule for the spaces of « "],
        ),
        (LAYOUT, '#set text(lang: "en")\n', []),
    ],
)
def test_what_forgets_the_spaces_is_named(tmp_path: Path, file: str, text: str, found: list[str]) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert unspaced(tmp_path) == found
