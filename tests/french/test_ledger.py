"""The ledger keeps codes; the sentences about them are in the room of French words."""

from __future__ import annotations

import ast
import re

from loan_reminders.settings.library_toml import ROOT

FRENCH = re.compile(r"[àâçéèêëîïôûùœ]|\b(?:les|des|une|est|pas|pour|dans)\b", re.IGNORECASE)
STORED = {"échéance", "remplacé", "retour définitif", "date impossible"}
"""Words that older rows of the ledger hold: codes by now."""
OF_POSTGRESQL = {"n'existe pas"}
"""How a server that speaks French tells of a missing database."""
SQL = ("SELECT", "UPDATE", "INSERT")


def sentences(source: str) -> list[str]:
    """Its texts in French, without docstrings and statements."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        if FRENCH.search(node.value) and not node.value.lstrip().startswith(SQL)
        if node.value.strip() not in STORED | OF_POSTGRESQL
    ]


def test_no_sentence_for_people_stands_in_the_ledger():
    found = {}
    for path in (ROOT / "plugins" / "loan_reminders" / "ledger").rglob("*.py"):
        if "versions" not in path.parts:
            found[str(path)] = sentences(path.read_text("utf-8"))
    assert len(found) > 80
    assert {name: said for name, said in found.items() if said} == {}


def test_a_sentence_would_be_found():
    source = 'def f():\n    """Une étape."""\n    log.info("Les prêts sont lus")\n'
    assert sentences(source) == ["Les prêts sont lus"]
