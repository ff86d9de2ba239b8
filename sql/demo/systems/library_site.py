"""What the fictional library writes into `library.toml` when it runs on another system: kind, connection, codes."""

from __future__ import annotations

import re

from sql.demo.people import BRANCHES, GROUPS

KINDS = ("aleph", "koha", "sierra", "pmb")
CATEGORIES = ("student", "staff", "external")


def site_settings(text: str, kind: str, connection: str) -> str:
    """The text of `library.toml` with another system in place of Aleph, and all else as it is.

    Sierra and PMB have numbers for kinds of readers, PMB for branches, too. Raises ValueError for a system that the
    fictional library has no tables for.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind}: the fictional library is on {', '.join(KINDS)}")
    if kind == "aleph":
        return text
    text = _set(text, "kind", f'"{kind}"')
    text = _set(text, "connection", f'"{connection}"')
    text = re.sub(r"(?ms)^\[ils\.(?:binds|aleph)\].*?(?=^\[)", "", text)
    if kind != "koha":
        for name, group in zip(CATEGORIES, GROUPS, strict=True):
            text = _set(text, name, str([str(int(status)) for status in group.statuses]).replace("'", '"'))
    if kind == "pmb":
        for number, code in enumerate(BRANCHES, start=1):
            text = text.replace(f'code = "{code}"', f'code = "{number}"')
        text = text.replace(
            "[ils.patron_categories]", '[ils.pmb]\nlost_statuses = ["13", "14"]\n\n[ils.patron_categories]'
        )
    return text


def _set(text: str, key: str, value: str) -> str:
    """The first line that gives this key, with another value."""
    changed, count = re.subn(rf'(?m)^{key} = (?:"[^"]*"|\[[^\]]*\])', f"{key} = {value}", text, count=1)
    if not count:
        raise ValueError(f"library.toml has no line for {key}")
    return changed
